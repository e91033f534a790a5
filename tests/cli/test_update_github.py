"""`digestbot update` and `scan` as a person runs them, against the test GitHub."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.cli.github_cli import BRANCH, CURRENT, STALE, CommandLine, github_cli
from tests.github.bare import Files
from tests.github.limits import secondary
from tests.github.server import GitHubServer
from tests.proposals.builders import digest, dockerfile

TWO = dockerfile("python:3", "golang:1")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandLine]:
    """One stale repo, `acme/app`."""
    with github_cli(tmp_path, monkeypatch) as made:
        made.github.add_repo("acme/app", {"Dockerfile": STALE})
        made.digests["golang:1"] = 1
        yield made


def open_pulls(github: GitHubServer) -> dict[str, int]:
    """How many pull requests are open in each repo that has some."""
    repos = [repo.full_name for repo in github.world.repos.values()]
    counts = {name: len(github.pulls(name, "open")) for name in repos}
    return {name: count for name, count in counts.items() if count}


# -- an owner


def test_an_owner_gets_what_it_needs_and_a_second_run_is_quiet(cli: CommandLine) -> None:
    github = cli.github
    github.add_repo("acme/current", {"Dockerfile": CURRENT})
    github.add_repo("acme/notes")
    github.add_repo("acme/empty", {})
    github.add_repo("acme/old", {"Dockerfile": STALE}, archived=True)
    source = github.add_repo("other/lib", {"Dockerfile": STALE})
    github.add_repo("acme/lib", {"Dockerfile": STALE}, fork_of=source)

    first = cli.update("github:acme")
    github.restart_log()
    second = cli.update("github:acme")

    assert (first.code, first.stderr, second.code, second.stderr) == (0, "", 0, "")
    assert open_pulls(github) == {"acme/app": 1}
    assert cli.proposed("acme/app") == CURRENT
    link = f"{github.url}/acme/app/pull/1"
    assert f"✓ opened    acme/app    #1 Update python:3 digest to {digest(1).short}" in first.stdout
    assert link in first.stdout
    for name, reason in [("old", "archived"), ("lib", "fork"), ("empty", "empty")]:
        assert f"acme/{name} " in first.stdout
        assert f"{reason}: " in first.stdout
    assert "✓ 6 repos: 1 opened, 2 current, 3 left out · 1 lookup, " in first.stdout
    assert github.writes == []
    assert "opened" not in second.stdout
    assert "✓ 6 repos: 1 unchanged, 2 current, 3 left out · 1 lookup, " in second.stdout


def test_json_says_the_same_and_keeps_its_contract(cli: CommandLine) -> None:
    cli.github.add_repo("acme/current", {"Dockerfile": CURRENT})
    cli.github.add_repo("acme/old", {"Dockerfile": STALE}, archived=True)

    report = cli.report("github:acme")

    app, current, old = report["repos"]
    (proposal,) = app["proposals"]
    assert (proposal["outcome"], proposal["number"]) == ("opened", 1)
    assert proposal["url"] == f"{cli.github.url}/acme/app/pull/1"
    assert (current["proposals"], current["left_out"], old["left_out"]["reason"]) == (
        [],
        None,
        "archived",
    )
    assert report["summary"]["outcomes"] == {"opened": 1}
    assert report["errors"] == []


def test_a_tag_that_moves_on_is_followed_in_the_same_pull_request(cli: CommandLine) -> None:
    cli.update("github:acme")
    cli.digests["python:3"] = 2

    outcome = cli.update("github:acme")

    assert outcome.code == 0
    assert open_pulls(cli.github) == {"acme/app": 1}
    assert cli.proposed("acme/app") == dockerfile("python:3", at=2)
    assert "✓ refreshed  acme/app  #1 " in outcome.stdout


@pytest.mark.parametrize(
    "option, opened",
    [
        pytest.param(("--name", "app"), ["acme/app"], id="name"),
        pytest.param(("--name", "a*", "--name", "web"), ["acme/app", "acme/web"], id="globs"),
        pytest.param(("--topic", "docker"), ["acme/web"], id="topic"),
        pytest.param(("--name", "app", "--topic", "docker"), [], id="both"),
    ],
)
def test_only_the_repos_that_are_asked_for(
    cli: CommandLine, option: tuple[str, ...], opened: list[str]
) -> None:
    cli.github.add_repo("acme/web", {"Dockerfile": STALE}, topics=["docker"])

    outcome = cli.update("github:acme", *option)

    assert outcome.code == 0
    assert list(open_pulls(cli.github)) == opened


def test_one_repo_by_its_name(cli: CommandLine) -> None:
    cli.github.add_repo("acme/web", {"Dockerfile": STALE})

    outcome = cli.update("github:acme/app")

    assert outcome.code == 0
    assert open_pulls(cli.github) == {"acme/app": 1}
    assert "✓ 1 repo: 1 opened · 1 lookup, " in outcome.stdout


def test_what_is_not_there_is_said_with_what_to_do(cli: CommandLine) -> None:
    outcome = cli.update("github:acme/nothing", "github:nobody", "github:acme/app")

    assert outcome.code == 5
    assert open_pulls(cli.github) == {"acme/app": 1}
    assert "acme/nothing" in outcome.stdout
    assert "nobody" in outcome.stdout
    assert "hint: check the name" in outcome.stdout


# -- what a repo decides for itself

GROUPED: Files = {"Dockerfile": TWO, ".github/digestbot.yaml": "group: image\n"}
IGNORING: Files = {
    "Dockerfile": TWO,
    ".digestbot.yaml": "ignore:\n- image: docker.io/library/golang\n  reason: not yet\n",
}
LABELLED: Files = {"Dockerfile": STALE, "digestbot.yaml": "labels: [base-images]\ndraft: true\n"}


def test_repos_decide_what_they_may(cli: CommandLine) -> None:
    off: Files = {"Dockerfile": STALE, ".digestbot.yaml": "enabled: false\n"}
    for name, files in zip("abcd", (off, GROUPED, IGNORING, LABELLED), strict=True):
        cli.github.add_repo(f"acme/{name}", files)

    outcome = cli.update("github:acme")

    assert outcome.code == 0
    assert open_pulls(cli.github) == {"acme/app": 1, "acme/b": 2, "acme/c": 1, "acme/d": 1}
    assert cli.proposed("acme/c") == CURRENT + dockerfile("golang:1")
    tagged = cli.pull("acme/d")
    assert ([one.name for one in tagged.labels], tagged.is_draft) == (["base-images"], True)
    said = "· left out  acme/a    disabled: its configuration says `enabled: false`"
    assert said in outcome.stdout


def test_what_is_not_for_a_repo_to_decide_is_said_once_and_has_no_effect(cli: CommandLine) -> None:
    greedy = "github:\n  url: https://evil.example\nlimits:\n  open_per_repo: 1000\n"
    cli.github.add_repo("acme/web", {"Dockerfile": STALE, ".digestbot.yaml": greedy})

    outcome = cli.update("github:acme/web")

    assert (outcome.code, outcome.stderr) == (0, "")
    said = " ".join(outcome.stdout.split())
    assert said.count(".digestbot.yaml:1: `github` is ignored: it is not for a repo to") == 1
    assert said.count(".digestbot.yaml:3: `limits` is ignored: it is not for a repo to") == 1
    assert open_pulls(cli.github) == {"acme/web": 1}


@pytest.mark.parametrize(
    "text, place, fix",
    [
        pytest.param(
            "group: repo\ngruop: image\n", ":2:1", "did you mean 'group'?", id="unknown-key"
        ),
        pytest.param("labels: [a\ngroup: repo\n", ":2:6", "is not YAML", id="no-yaml"),
        pytest.param("group: images\n", ":1", "did you mean 'image'?", id="bad-value"),
    ],
)
def test_a_broken_configuration_opens_nothing_and_says_line_and_fix(
    cli: CommandLine, text: str, place: str, fix: str
) -> None:
    cli.github.add_repo("acme/web", {"Dockerfile": STALE, ".digestbot.yaml": text})

    outcome = cli.update("github:acme")
    report = cli.report("github:acme")

    assert outcome.code == 5
    assert open_pulls(cli.github) == {"acme/app": 1}
    said = " ".join(outcome.stdout.split())
    assert f"acme/web: .digestbot.yaml{place}" in said
    assert fix in said
    assert "nothing is done in this repo" in said
    (error,) = report["errors"]
    assert (error["code"], error["subject"]) == ("invalid-config", "acme/web")
    assert [repo["incomplete"] for repo in report["repos"]] == [False, True]


# -- rehearsals and scans


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_rehearsal_prints_title_body_and_diff_and_writes_nothing(
    cli: CommandLine, form: str
) -> None:
    outcome = cli.update("--dry-run", "--format", form, "github:acme")

    assert (outcome.code, cli.github.writes) == (1, [])
    shown = outcome.stdout
    if form == "json":
        (repo,) = json.loads(shown)["repos"]
        shown = "\n".join(repo["proposals"][0]["preview"].values())
    assert f"Update python:3 digest to {digest(1).short}\n" in shown
    assert "| Image | Digest | Where |" in shown
    assert f"+FROM python:3@{digest(1)}\n" in shown


def test_a_rehearsal_of_nothing_is_nothing_to_do(cli: CommandLine) -> None:
    cli.update("github:acme")

    outcome = cli.update("--dry-run", "github:acme")

    assert outcome.code == 0
    assert "What to do next" not in outcome.stdout


def test_a_rehearsal_says_what_the_run_then_does(cli: CommandLine) -> None:
    for name in "bcde":
        cli.github.add_repo(f"acme/{name}", {"Dockerfile": STALE})
    cli.update("github:acme")
    cli.github.close_pull("acme/b", 1)
    cli.github.commit("acme/c", BRANCH, {"x": "pushed by a person"})
    cli.github.commit("acme/d", "main", {"Dockerfile": CURRENT})
    cli.github.add_repo("acme/f", {"Dockerfile": STALE})
    cli.configure("limits:\n  open: 5")

    rehearsal, run = cli.report("--dry-run", "github:acme"), cli.report("github:acme")

    def told(report: dict[str, Any]) -> dict[str, list[str]]:
        return {
            repo["repo"]: [proposal["outcome"] for proposal in repo["proposals"]]
            for repo in report["repos"]
        }

    assert told(rehearsal) == told(run)
    assert told(run) == {
        "acme/app": ["unchanged"],
        "acme/b": ["rejected"],
        "acme/c": ["hands-off"],
        "acme/d": ["closed"],
        "acme/e": ["unchanged"],
        "acme/f": ["opened"],
    }


def test_a_rehearsal_keeps_to_the_limits_of_the_run(cli: CommandLine) -> None:
    for name in "bcd":
        cli.github.add_repo(f"acme/{name}", {"Dockerfile": STALE})

    rehearsal = cli.report("--dry-run", "--limit", "1", "github:acme")

    assert rehearsal["summary"]["outcomes"] == {"opened": 1, "limited": 3}


def test_a_rehearsal_needs_no_permission_to_push(cli: CommandLine) -> None:
    cli.github.repo("acme/app").permission = "READ"

    outcome = cli.update("--dry-run", "github:acme")

    assert outcome.code == 1
    assert "▲ to open  acme/app" in outcome.stdout


def test_a_scan_reads_and_never_writes(cli: CommandLine) -> None:
    cli.github.add_repo("acme/old", {"Dockerfile": STALE}, archived=True)

    outcome = cli.scan("github:acme", "--format", "json")

    report = json.loads(outcome.stdout)
    assert (outcome.code, cli.github.writes) == (1, [])
    assert [(one["repo"], one["status"]) for one in report["findings"]] == [("acme/app", "stale")]
    assert "acme/old is left out: it is archived" in outcome.stderr


def test_a_scan_needs_no_permission_to_push(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.github.repo("acme/app").permission = "READ"

    scanned, updated = cli.scan("github:acme"), cli.update("github:acme")

    assert (scanned.code, updated.code) == (1, 0)
    assert "acme/app  no-push-permission: the token may not push to it" in updated.stdout


# -- limits


def test_a_limit_of_the_run_leaves_the_rest_for_the_next(cli: CommandLine) -> None:
    for name in "bcd":
        cli.github.add_repo(f"acme/{name}", {"Dockerfile": STALE})

    outcome = cli.update("github:acme", "--limit", "1")

    assert outcome.code == 0
    assert sum(open_pulls(cli.github).values()) == 1
    assert "1 opened, 3 limited" in outcome.stdout
    said = " ".join(outcome.stdout.split())
    assert said.count("no more than 1 may be opened in this run (--limit)") == 3
    assert "branch digestbot/images" not in said


def test_a_limit_on_what_is_open_counts_what_was_open_before(cli: CommandLine) -> None:
    cli.update("github:acme")
    cli.github.add_repo("acme/b", {"Dockerfile": STALE})
    cli.configure("limits:\n  open: 1")

    outcome = cli.update("github:acme")

    assert outcome.code == 0
    assert open_pulls(cli.github) == {"acme/app": 1}
    assert "no more than 1 may be open (limits.open)" in " ".join(outcome.stdout.split())


def test_outside_of_its_schedule_nothing_is_opened(cli: CommandLine) -> None:
    other_month = datetime.now(UTC).month % 12 + 1
    cli.configure(f"schedule:\n  cron: ['* * * {other_month} *']")
    closed = cli.update("github:acme")
    before = open_pulls(cli.github)
    cli.configure("schedule:\n  cron: ['* * * * *']")

    outcome = cli.update("github:acme")

    assert (closed.code, before) == (0, {})
    assert "1 limited" in closed.stdout
    assert "schedule" in closed.stdout
    assert (outcome.code, open_pulls(cli.github)) == (0, {"acme/app": 1})


@pytest.mark.parametrize("when", ["listing", "writing"])
def test_what_takes_longer_than_one_may_wait_is_deferred(cli: CommandLine, when: str) -> None:
    def limited() -> None:
        raise secondary(1800)

    method, path = ("POST", "/graphql") if when == "listing" else ("POST", "/repos/*")
    cli.github.faults.add(limited, method=method, path=path, times=0)

    outcome = cli.update("github:acme", "--max-wait", "1")

    assert outcome.code == 5
    assert open_pulls(cli.github) == {}
    said = " ".join(outcome.stdout.split())
    assert "rate-limited" in said
    assert "run again" in said


# -- as whom, and how


def test_commits_by_git_are_pushed(cli: CommandLine) -> None:
    outcome = cli.update("github:acme", "--write-by", "git")

    assert (outcome.code, outcome.stderr) == (0, "")
    assert cli.proposed("acme/app") == CURRENT
    assert any(one.is_git and one.is_write for one in cli.github.requests)
    assert not any(one.path.endswith("/git/commits") for one in cli.github.writes)


def test_a_token_can_be_in_a_file(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    (cli.folder / "token").write_text(f"{cli.github.token(user='fileuser').value}\n")
    cli.configure(github="  token_file: token\n")

    outcome = cli.update("github:acme")

    assert outcome.code == 0
    assert cli.pull().author.login == "fileuser"


@pytest.mark.parametrize("write_by", ["api", "git"])
def test_a_github_app_opens_pull_requests(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, write_by: str
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (cli.folder / "app.pem").write_bytes(pem)
    app = cli.github.app(public.decode())
    cli.configure(github=f'  app_id: "{app.id}"\n  app_key_file: app.pem\n')

    outcome = cli.update("github:acme", "--write-by", write_by)

    assert outcome.code == 0, outcome.stdout
    assert cli.pull().author.login == "digestbot[bot]"
    assert cli.proposed("acme/app") == CURRENT


def test_without_any_token_it_is_said_what_to_give(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")

    outcome = cli.update("github:acme")

    assert outcome.code == 5
    assert "no token was given: put one in GITHUB_TOKEN" in outcome.stdout


def test_options_and_configuration_say_what_pull_requests_are_like(cli: CommandLine) -> None:
    cli.configure("commit:\n  conventional: chore(deps)\n  signoff: Bot <bot@acme.example>\n")

    cli.update("github:acme", "--draft")

    pull = cli.pull()
    assert pull.title.startswith("chore(deps): ")
    assert pull.is_draft
    assert pull.head_ref == BRANCH
