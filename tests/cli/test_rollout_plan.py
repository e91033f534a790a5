"""`digestbot rollout plan`: from a state and a registry to a plan that is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from digestbot.image import Digest
from digestbot.policy.finding import Finding, Status
from digestbot.rollout.plan import Plan
from digestbot.rollout.plan_document import document_schema
from digestbot.store import rollouts
from tests.cli.github_cli import STALE, github_cli
from tests.cli.program import Outcome, digestbot
from tests.registries.fake import FakeRegistry
from tests.registries.samples import make_index
from tests.service.state import add_findings, add_repos, add_run, finding, state

BOTH = ("linux/amd64", "linux/arm64")
GONE = Digest("sha256", "0" * 64)
REPOS = ("acme/canary", *(f"acme/app-{number}" for number in range(5)), "other/tool")


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with FakeRegistry() as server:
        yield server


class World:
    """A state with repos that pin an image of a registry, whose tag has moved."""

    def __init__(self, folder: Path, fake: FakeRegistry) -> None:
        self.folder = folder
        self.fake = fake
        self.image = f"{fake.host}/team/app"
        self.old = fake.local.add("team/app", "1", make_index("old", *BOTH))
        self.new = fake.local.add("team/app", "1", make_index("new", *BOTH))
        self.configure("")
        for repo in REPOS:
            self.pin(repo)
        self.pin("acme/site", finding("node:22"))

    def configure(self, rest: str) -> None:
        config = f"state: {{folder: {json.dumps(str(self.folder / 'state'))}}}\n{rest}"
        (self.folder / "c.yaml").write_text(config)

    def stale(self, tag: str = "1", path: str = "Dockerfile") -> Finding:
        return finding(f"{self.image}:{tag}", Status.STALE, digest=self.old, path=path)

    def pin(self, repo: str, *found: Finding) -> None:
        with state(self.folder / "state") as database, database.begin() as connection:
            number = add_repos(connection, repo)[repo]
            add_findings(connection, number, *(found or (self.stale(),)))

    def plan(self, *words: str, image: str = "") -> Outcome:
        config = str(self.folder / "c.yaml")
        return digestbot("rollout", "plan", image or self.image, "--config", config, *words)

    def document(self, *words: str) -> dict[str, Any]:
        outcome = self.plan("--format", "json", *words)
        data: dict[str, Any] = json.loads(outcome.stdout)
        return data

    def kept(self, name: str) -> Plan:
        with state(self.folder / "state") as database, database.reading() as connection:
            found = rollouts.get(connection, rollouts.find(connection, name))
        assert found is not None
        return found.plan

    def count(self) -> int:
        with state(self.folder / "state") as database, database.reading() as connection:
            return rollouts.count(connection)


@pytest.fixture
def world(tmp_path: Path, fake: FakeRegistry) -> World:
    return World(tmp_path, fake)


def reached(data: dict[str, Any]) -> list[str]:
    return sorted(target["repo"] for target in data["targets"])


def test_it_says_what_would_be_done_and_how_to_have_it_done(world: World) -> None:
    outcome = world.plan("--canary", "acme/canary")

    lines = outcome.stdout.splitlines()
    name = lines[0].removeprefix("Rollout ")
    assert (outcome.code, outcome.stderr) == (1, "")
    assert f"    {world.new}" in lines
    assert "    built 2026-10-05 12:00 UTC, for linux/amd64, linux/arm64" in lines
    assert f"    pinned now: {world.old.short} in 7 repos" in lines
    assert any(line.startswith("  canary   1 repo") or "acme/canary" in line for line in lines)
    assert "  7 of 8 repos (87.5%), 7 edits" in lines
    assert lines[-1].startswith(f"  digestbot rollout start {name} --config ")
    assert lines[-1].endswith("--large --reason 'WHY'")
    assert [line for line in lines[:-1] if len(line) > 80] == []


def test_the_plan_is_kept_and_nothing_is_written_elsewhere(world: World) -> None:
    data = world.document("--by", "ann")

    plan = world.kept(data["id"])
    assert [target.repo for target in plan.targets] == [one["repo"] for one in data["targets"]]
    assert plan.by == "ann"
    assert world.count() == 1
    assert {call.method for call in world.fake.local.calls} <= {"GET", "HEAD"}


def test_json_is_what_the_contract_says_and_alone_on_stdout(world: World) -> None:
    outcome = world.plan("--format", "json")

    data = json.loads(outcome.stdout)
    jsonschema.validate(data, document_schema())
    assert reached(data) == sorted(REPOS)
    assert data["moves"][0]["digest"] == str(world.new)
    assert outcome.stderr.startswith(f"7 repos; start it: digestbot rollout start {data['id']}")


def test_a_tag_is_asked_about_once_however_many_repos_follow_it(world: World) -> None:
    world.plan()

    asked = world.fake.local.asked()
    assert asked.count("HEAD /v2/team/app/manifests/1") == 1
    assert "GET /v2/team/app/manifests/1" not in asked


def test_markdown_goes_to_a_file_whole(world: World, tmp_path: Path) -> None:
    path = tmp_path / "plan.md"

    outcome = world.plan("--format", "markdown", "--output", str(path), "--color", "always")

    assert (outcome.code, outcome.stdout) == (1, "")
    assert path.read_text().startswith("## Rollout `")
    assert "\x1b" not in path.read_text()


@pytest.mark.parametrize(
    "words, repos",
    [
        pytest.param(("--org", "Other"), ["other/tool"], id="org"),
        pytest.param(("--repo", "*/app-[01]"), ["acme/app-0", "acme/app-1"], id="repo"),
        pytest.param(
            ("--repo", "acme/app-0", "--repo", "other/*"), ["acme/app-0", "other/tool"], id="two"
        ),
        pytest.param(("--topic", "web"), [], id="topic-that-nobody-has"),
        pytest.param(("--path", "ci/*"), [], id="path"),
        pytest.param(("--digest", str(GONE)), [], id="digest-that-nobody-pins"),
        pytest.param(("--behind", "0s"), [], id="not-known-to-be-behind"),
    ],
)
def test_pins_are_chosen(world: World, words: tuple[str, ...], repos: list[str]) -> None:
    data = world.document(*words)

    assert reached(data) == repos


@pytest.mark.parametrize("glob", ["*/team/app", "*/team/*:1", "*"])
def test_images_are_chosen_by_globs(world: World, glob: str) -> None:
    outcome = world.plan("--repo", "acme/app-0", "--format", "json", image=glob)

    assert reached(json.loads(outcome.stdout)) == ["acme/app-0"]


def test_a_short_name_is_one_of_docker_hub(world: World, tmp_path: Path) -> None:
    answers = tmp_path / "d.json"
    answers.write_text(json.dumps({"node:22": str(GONE)}))

    outcome = world.plan("--digests", str(answers), "--format", "json", image="node")

    data = json.loads(outcome.stdout)
    assert data["selection"]["image"] == "docker.io/library/node"
    assert reached(data) == ["acme/site"]
    assert data["moves"][0]["remarks"] == [
        "no registry was asked: what it runs on and how old it is, is not known"
    ]


def test_rules_are_those_of_the_command_line_then_those_of_the_configuration(
    world: World,
) -> None:
    world.configure(
        "rollout: {soak: 2h, waves: [50, 100], passed: 0.5, approve: true, "
        "canary: ['acme/canary'], comment_after: 1d, watch_for: 1d}\n"
    )

    data = world.document("--soak", "5m", "--passed", "80%", "--no-approve", "--per-hour", "100")

    plan = world.kept(data["id"])
    gate, waves = plan.rules.gate, plan.rules.waves
    assert (gate.soak, gate.passed, gate.needs_approval) == (timedelta(minutes=5), 0.8, False)
    assert (waves.shares, waves.canary) == ((0.5, 1.0), ("acme/canary",))
    assert plan.rules.pace.per_hour == 100
    assert plan.rules.deadlines.comment == timedelta(days=1)
    assert plan.rules.watch == timedelta(days=1)


def test_what_is_critical_does_not_soak(world: World) -> None:
    data = world.document("--severity", "critical")

    assert world.kept(data["id"]).rules.is_critical


def test_a_digest_of_ones_own_choice_is_taken_where_the_registry_has_it(world: World) -> None:
    mine = world.fake.local.add("team/app", "0", make_index("mine", *BOTH))

    data = world.document("--to-digest", str(mine))

    assert data["moves"][0]["digest"] == str(mine)


def test_a_digest_that_the_registry_does_not_have_makes_no_plan(world: World) -> None:
    outcome = world.plan("--to-digest", str(GONE))

    assert outcome.code == 5
    assert "Left out: 7 repos" in outcome.stdout
    assert world.count() == 0


class TestAnotherTag:
    @pytest.fixture
    def newer(self, world: World) -> Digest:
        """What tag 2 has; one repo pins another digest of it, one has it already."""
        found = world.fake.local.add("team/app", "2", make_index("newer", *BOTH))
        world.pin("acme/behind", world.stale("2"))
        world.pin("acme/done", finding(f"{world.image}:2", digest=found))
        return found

    def test_all_pins_of_the_image_get_the_tag_and_its_digest(
        self, world: World, newer: Digest
    ) -> None:
        data = world.document("--to", f"{world.image}:2")

        jsonschema.validate(data, document_schema())
        to = f"{world.image}:2"
        assert reached(data) == sorted((*REPOS, "acme/behind"))
        assert [(move["image"], move["to"], move["digest"]) for move in data["moves"]] == [
            (f"{world.image}:1", to, str(newer)),
            (to, None, str(newer)),
        ]
        edits = {one["repo"]: one["edits"][0] for one in data["targets"]}
        assert (edits["acme/app-0"]["to"], edits["acme/behind"]["to"]) == (to, None)
        assert {edit["after"] for edit in edits.values()} == {str(newer)}
        asked = [call for call in world.fake.local.asked() if call.startswith("HEAD")]
        assert asked == ["HEAD /v2/team/app/manifests/2"]

    def test_it_is_shown(self, world: World, newer: Digest) -> None:
        words = ("--to", f"{world.image}:2", "--repo", "acme/app-0")

        text, markdown = world.plan(*words), world.plan(*words, "--format", "markdown")

        old, new = world.old.short, newer.short
        assert f"  {world.image}:1 → 2 gets\n    {newer}\n" in text.stdout
        assert f":1 → 2  {old} → {new}" in " ".join(text.stdout.split("\n    "))
        assert f"### `{world.image}:1 → 2`" in markdown.stdout
        assert f"`1@{old}` → `2@{new}`" in markdown.stdout

    def test_a_short_name_will_do(self, world: World, tmp_path: Path) -> None:
        answers = tmp_path / "d.json"
        answers.write_text(json.dumps({"node:24": str(GONE)}))

        outcome = world.plan(
            *("--digests", str(answers), "--format", "json", "--to", "node:24"), image="node:22"
        )

        data = json.loads(outcome.stdout)
        assert reached(data) == ["acme/site"]
        assert data["moves"][0]["to"] == "docker.io/library/node:24"

    def test_exactly_that_is_started(self, world: World, newer: Digest) -> None:
        data = world.document("--to", f"{world.image}:2", "--repo", "acme/app-0")
        world.fake.local.add("team/app", "2", make_index("newest", *BOTH))

        config = str(world.folder / "c.yaml")
        started = digestbot("rollout", "start", data["id"], "--config", config)

        assert started.code == 0
        assert world.kept(data["id"]).moves[0].digest == newer

    def test_a_repo_with_a_tag_that_cannot_be_replaced_is_left_out(
        self, world: World, newer: Digest
    ) -> None:
        apart = world.stale(path="b/Dockerfile")
        written = apart.occurrence.written.replace(":1@", "@")
        apart = replace(apart, occurrence=replace(apart.occurrence, written=written))
        world.pin("acme/app-0", world.stale(), apart)

        data = world.document("--to", f"{world.image}:2", "--repo", "acme/app-*")

        assert "acme/app-0" not in reached(data)
        assert data["left_out"] == {
            "acme/app-0": "its tag does not stand right before its digest (b/Dockerfile:3)"
        }

    def test_a_tag_that_the_registry_does_not_have_makes_no_plan(self, world: World) -> None:
        outcome = world.plan("--to", f"{world.image}:9")

        assert outcome.code == 5
        assert "Left out: 7 repos" in outcome.stdout
        assert world.count() == 0

    def test_it_is_for_one_image(self, world: World) -> None:
        outcome = world.plan("--to", f"{world.image}:2", image="*")

        assert outcome.code == 2
        assert f"--to is for {world.image}, and other images are chosen:" in outcome.stderr
        assert "docker.io/library/node" in outcome.stderr
        assert f"hint: name one image: digestbot rollout plan {world.image}" in outcome.stderr

    def test_a_tag_of_another_image_is_refused_with_the_one_that_could_be_meant(
        self, world: World
    ) -> None:
        outcome = world.plan("--to", "app:2")

        assert (outcome.code, outcome.stdout) == (2, "")
        assert outcome.stderr == (
            "error: --to docker.io/library/app:2 is a tag of another image, and pins keep theirs\n"
            f"hint: name a tag of the image that is chosen: --to {world.image}:TAG\n"
        )

    @pytest.mark.parametrize(
        "words, said",
        [
            pytest.param(("--to", "alpine"), "'alpine' is not an image with a tag", id="no-tag"),
            pytest.param(("--to", f"a:1@{GONE}"), "a tag is wanted without", id="digest"),
            pytest.param(("--to", "a:b:c"), "invalid image reference", id="no-image"),
            pytest.param(
                ("--to", "a:1", "--to-digest", str(GONE)),
                "--to and --to-digest together",
                id="both",
            ),
        ],
    )
    def test_what_cannot_be_is_a_usage_error(
        self, world: World, words: tuple[str, ...], said: str
    ) -> None:
        outcome = world.plan(*words)

        assert (outcome.code, outcome.stdout) == (2, "")
        assert said in outcome.stderr
        assert world.count() == 0


def test_one_image_without_an_answer_leaves_its_repos_out_and_the_others_in(world: World) -> None:
    world.pin("acme/broken", world.stale("2"))

    outcome = world.plan("--format", "json")

    data = json.loads(outcome.stdout)
    assert outcome.code == 5
    assert reached(data) == sorted(REPOS)
    assert list(data["left_out"]) == ["acme/broken"]
    assert [error["subject"] for error in data["errors"]] == [world.fake.host]
    assert world.count() == 1


def test_where_all_is_current_there_is_nothing_to_do(world: World) -> None:
    current = finding(f"{world.image}:1", digest=world.new)
    for repo in REPOS:
        world.pin(repo, current)

    outcome = world.plan()

    assert (outcome.code, outcome.stdout) == (0, "")
    assert outcome.stderr.startswith("there is nothing to do")
    assert world.count() == 0


@pytest.mark.parametrize(
    "words, why",
    [
        pytest.param(("--org", "nobody"), "that fits --org", id="one"),
        pytest.param(("--org", "acme", "--owner", "@acme/wbe"), "that fits --owner", id="typo"),
        pytest.param(
            ("--digest", str(GONE), "--repo", "app"),
            "that fits --digest and none fits --repo",
            id="two",
        ),
        pytest.param(
            ("--repo", "acme/*", "--org", "other"),
            "for which all holds that was said",
            id="together",
        ),
    ],
)
def test_where_nothing_is_chosen_it_is_said_what_fits_no_pin(
    world: World, words: tuple[str, ...], why: str
) -> None:
    outcome = world.plan(*words)

    assert (outcome.code, outcome.stdout) == (0, "")
    assert outcome.stderr == f"nothing is chosen: 1 image of that name, and no pin {why}\n"


def test_a_state_that_nobody_brought_up_to_date_is_remarked(world: World) -> None:
    with state(world.folder / "state") as database, database.begin() as connection:
        add_run(connection, at=datetime.now(UTC) - timedelta(days=3), seconds=0)

    outcome = world.plan()

    assert outcome.code == 1
    assert outcome.stderr.startswith("the repos were last looked at 20")
    assert "digestbot run brings the state up to date" in outcome.stderr


def test_topics_are_those_that_a_cycle_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with github_cli(tmp_path, monkeypatch) as cli:
        cli.github.add_repo("acme/app", {"Dockerfile": STALE}, topics=["docker"])
        cli.github.add_repo("acme/lab", {"Dockerfile": STALE}, topics=["docker", "canary"])
        cli.github.add_repo("acme/web", {"Dockerfile": STALE})
        folder = json.dumps(str(tmp_path / "state"))
        cli.configure(f"targets: [github:acme]\nstate: {{folder: {folder}}}\nlimits: {{open: 0}}")
        ran = digestbot("run", *cli.options)

        outcome = digestbot(
            *("rollout", "plan", "python", *cli.options, "--format", "json"),
            *("--topic", "docker", "--canary-topic", "canary"),
        )

    data = json.loads(outcome.stdout)
    assert (ran.code, outcome.code) == (0, 1)
    assert [(one["repo"], one["wave"]) for one in data["targets"]] == [
        ("acme/lab", 0),
        ("acme/app", 1),
    ]
    assert data["fleet"] == 3


def test_a_repo_that_another_rollout_has_is_left_out(world: World) -> None:
    config = str(world.folder / "c.yaml")
    first = world.document("--repo", "acme/app-0")
    started = digestbot("rollout", "start", first["id"], "--config", config)

    data = world.document("--repo", "acme/app-*")

    assert started.code == 0
    assert reached(data) == [f"acme/app-{number}" for number in range(1, 5)]
    assert data["left_out"] == {"acme/app-0": f"rollout {first['id']} is under way in it"}


@pytest.mark.parametrize(
    "words, said",
    [
        pytest.param(("--merge-after", "7d"), "does not allow to merge", id="merge"),
        pytest.param(("--probe",), "does not say whom to ask between waves", id="probe"),
        pytest.param(("--waves", "50,10,100"), "must rise from 1 or more to 100", id="waves"),
        pytest.param(("--waves", "a,100"), "must rise from 1 or more to 100", id="no-numbers"),
        pytest.param(("--passed", "110%"), "is not a share", id="share"),
        pytest.param(("--passed", "nan"), "is not a share", id="nan"),
        pytest.param(("--soak", "soon"), "must be a duration", id="duration"),
        pytest.param(("--digest", "sha256:1"), "has 1 hex digits, not 64", id="digest"),
        pytest.param(("--repo", "a\udcff"), "a\\udcff is not one line of text", id="no-utf-8"),
        pytest.param(("--canary", "a\nb"), "is not one line of text", id="two-lines"),
        pytest.param(("--per-hour", "0"), "is not in the range", id="no-writes"),
    ],
)
def test_what_cannot_be_is_a_usage_error(world: World, words: tuple[str, ...], said: str) -> None:
    outcome = world.plan(*words)

    assert (outcome.code, outcome.stdout) == (2, "")
    assert said in outcome.stderr
    assert world.count() == 0


@pytest.mark.parametrize(
    "image, said",
    [
        pytest.param(f"python@{GONE}", "must not have a digest", id="digest"),
        pytest.param("https://ghcr.io/acme/base", "is a URL", id="url"),
        pytest.param("a\x1b[31mb", "IMAGE ", id="control"),
    ],
)
def test_what_is_no_image_is_a_usage_error(world: World, image: str, said: str) -> None:
    outcome = world.plan(image=image)

    assert (outcome.code, outcome.stdout) == (2, "")
    assert said in outcome.stderr
    assert "\x1b" not in outcome.stderr


def test_an_image_that_nobody_follows_is_no_input(world: World) -> None:
    outcome = world.plan(image="nginx")

    assert (outcome.code, outcome.stdout) == (4, "")
    assert "no pin that is watched follows docker.io/library/nginx" in outcome.stderr


def test_a_denied_digest_is_refused(world: World) -> None:
    world.configure(f"deny: ['{world.new}']\n")

    outcome = world.plan()

    assert outcome.code == 2
    assert "which is on the deny list" in outcome.stderr
    assert world.count() == 0


def test_one_digest_is_not_for_several_tags(world: World) -> None:
    world.pin("acme/two", world.stale("2"))

    outcome = world.plan("--to-digest", str(world.new))

    assert outcome.code == 2
    assert f"--to-digest is for one tag, and 2 are chosen: {world.image}:1" in outcome.stderr


def test_a_digest_of_ones_own_choice_is_not_taken_on_trust(world: World, tmp_path: Path) -> None:
    answers = tmp_path / "d.json"
    answers.write_text("{}")

    outcome = world.plan("--to-digest", str(world.new), "--digests", str(answers))

    assert outcome.code == 2
    assert "leave --digests away" in outcome.stderr


def test_hostile_names_are_shown_and_do_nothing(world: World) -> None:
    world.pin("acme/\x1b[31m\u202ered", world.stale(path="a\nb\x07/Dockerfile"))

    outcome = world.plan("-v")

    assert outcome.stdout.replace("\n", "").isprintable()
    assert "acme/\\x1b[31m\\u202ered" in outcome.stdout


def test_what_a_registry_says_and_who_says_so_can_be_kept_whatever_it_is(world: World) -> None:
    world.fake.local.add("team/app", "1", make_index("new", "lin\ud800ux/\x1b[31mamd64", BOTH[0]))

    data = world.document("--by", "ann\udcff\nx")

    plan = world.kept(data["id"])
    assert plan.by == "ann\\udcff\\nx"
    assert "lin\\ud800ux/\\x1b[31mamd64" in plan.moves[0].platforms


def test_it_works_while_the_service_does(world: World) -> None:
    with state(world.folder / "state") as database, database.alone():
        outcome = world.plan()

    assert outcome.code == 1
    assert world.count() == 1


def test_a_state_that_nobody_made_yet_is_no_input(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("state: {folder: state}\n")

    outcome = digestbot("rollout", "plan", "alpine", "--config", str(path))

    assert (outcome.code, outcome.stdout) == (4, "")
    assert outcome.stderr == (
        f"error: there is no state in {tmp_path / 'state'}\nhint: digestbot run makes one\n"
    )


def test_without_a_state_there_is_nothing_to_go_by(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("jobs: 4\n")

    outcome = digestbot("rollout", "plan", "alpine", "--config", str(path))

    assert outcome.code == 2
    assert "error: the configuration names no state" in outcome.stderr
