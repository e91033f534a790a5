"""`digestbot update` from the outside: on a real checkout, and on an owner played in memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from digestbot.cli import runs
from digestbot.cli.forges import ForgeOptions
from digestbot.cli.targets import GitHubTarget, Target
from digestbot.errors import UsageError
from digestbot.forge.errors import DeferredError, RefusedError
from digestbot.image import Digest
from digestbot.proposals.report_contract import update_schema
from tests.cli.program import ROOT, digestbot, spawn, start
from tests.forge.checkouts import make_checkout, name_a_person, run_git, state_of
from tests.proposals.memory import Fault, MemoryForge, MemoryRepo
from tests.report.builders import HOSTILE

OLD, NEW, NEWER = Digest.of(b"old"), Digest.of(b"new"), Digest.of(b"newer")
PYTHON = "docker.io/library/python:3.12"
STALE = f"FROM python:3.12@{OLD}\n"
BRANCH = "digestbot/images"


@pytest.fixture(autouse=True)
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Recorded answers: python:3.12 has moved. Nobody's token, cache or settings are used."""
    path = tmp_path / "answers.json"
    path.write_text(json.dumps({PYTHON: str(NEW)}))
    monkeypatch.setenv("DIGESTBOT_DIGESTS", str(path))
    for name in ("GH_TOKEN", "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return path


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a checkout with a stale Dockerfile."""
    folder = make_checkout(tmp_path / "app", Dockerfile=STALE)
    name_a_person(folder)
    monkeypatch.chdir(folder)
    return folder


Host = Callable[..., MemoryForge]


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Host:
    """Lets GitHub have these repos, whatever is asked for."""
    monkeypatch.chdir(tmp_path)

    def set_up(*repos: MemoryRepo) -> MemoryForge:
        forge = MemoryForge.of(*repos)
        monkeypatch.setattr(runs, "open_forge", lambda _target, _options: forge)
        return forge

    return set_up


def repo(name: str = "acme/app", text: str = STALE) -> MemoryRepo:
    return MemoryRepo.of({"Dockerfile": text.encode()}, name)


def document(*arguments: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(digestbot("update", "--format", "json", *arguments).stdout)
    Draft202012Validator(update_schema()).validate(parsed)
    return parsed


def test_a_checkout_gets_a_branch_and_nothing_else_is_touched(checkout: Path) -> None:
    before = state_of(checkout)

    outcome = digestbot("update", ".")

    assert (outcome.code, outcome.stderr) == (0, "")
    assert f"branch {BRANCH}" in outcome.stdout
    assert run_git(checkout, "show", f"{BRANCH}:Dockerfile") == STALE.strip().replace(
        str(OLD), str(NEW)
    )
    assert run_git(checkout, "rev-list", "--count", f"main..{BRANCH}") == "1"
    assert state_of(checkout) == before


def test_a_second_run_changes_nothing_and_a_third_follows_the_tag(
    checkout: Path, answers: Path
) -> None:
    digestbot("update", ".")
    first = run_git(checkout, "rev-parse", BRANCH)

    again = digestbot("update", ".")
    unchanged = run_git(checkout, "rev-parse", BRANCH)
    answers.write_text(json.dumps({PYTHON: str(NEWER)}))
    moved = digestbot("update", ".")

    assert (again.code, unchanged) == (0, first)
    assert "1 unchanged" in again.stdout
    assert "✓ refreshed" in moved.stdout
    assert str(NEWER) in run_git(checkout, "show", f"{BRANCH}:Dockerfile")


def test_a_rehearsal_shows_title_body_and_diff_and_writes_nothing(checkout: Path) -> None:
    outcome = digestbot("update", "--dry-run", ".")

    assert outcome.code == 1
    assert "to commit" in outcome.stdout
    assert "What is known of the images" in outcome.stdout
    assert f"    -FROM python:3.12@{OLD}\n    +FROM python:3.12@{NEW}\n" in outcome.stdout
    assert run_git(checkout, "branch", "--format=%(refname:short)") == "main"


def test_what_is_current_is_nothing_to_do(checkout: Path, answers: Path) -> None:
    answers.write_text(json.dumps({PYTHON: str(OLD)}))

    for arguments in (("update", "."), ("update", "--dry-run", ".")):
        outcome = digestbot(*arguments)

        assert outcome.code == 0
        assert outcome.stdout.startswith("✓ 1 repo: 1 current · 1 lookup")


def test_an_owner_gets_one_pull_request_for_each_stale_repo(host: Host) -> None:
    fresh = repo("acme/fresh", STALE.replace(str(OLD), str(NEW)))
    old = repo("acme/old")
    old.left_out = ("archived", "it is archived")
    stale = [repo("acme/app"), repo("acme/web")]
    host(*stale, fresh, old)

    outcome = digestbot("update", "github:acme")

    assert outcome.code == 0
    assert [len(one.open_pulls()) for one in (*stale, fresh)] == [1, 1, 0]
    assert outcome.stdout.splitlines()[-1].startswith(
        "✓ 4 repos: 2 opened, 1 current, 1 left out · 1 lookup in "
    )
    assert "· left out  acme/old  archived: it is archived" in outcome.stdout


def test_json_is_the_contract(host: Host) -> None:
    host(repo("acme/app"))

    rehearsal, done, again = (
        document("--dry-run", "github:acme"),
        *(document("github:acme") for _ in range(2)),
    )

    preview = rehearsal["repos"][0]["proposals"][0]["preview"]
    assert preview["title"] == done["repos"][0]["proposals"][0]["title"]
    assert str(NEW) in preview["diff"]
    assert [one["summary"]["outcomes"] for one in (rehearsal, done, again)] == [
        {"opened": 1},
        {"opened": 1},
        {"unchanged": 1},
    ]
    assert [one["repos"][0]["writes"] > 0 for one in (rehearsal, done, again)] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("form", ["text", "json"])
def test_each_format_can_go_to_a_file(host: Host, form: str, tmp_path: Path) -> None:
    host(repo())
    target = tmp_path / "report"

    outcome = digestbot("update", "github:acme", "--format", form, "--output", str(target))

    assert (outcome.code, outcome.stdout) == (0, "")
    assert "acme/app" in target.read_text()


def test_a_limit_on_new_pull_requests_is_kept(host: Host) -> None:
    repos = [repo(f"acme/{name}") for name in "abc"]
    host(*repos)

    outcome = digestbot("update", "github:acme", "--limit", "1")

    assert sum(len(one.open_pulls()) for one in repos) == 1
    assert "1 opened, 2 limited" in outcome.stdout
    assert "no more than 1 may be opened in this run (--limit)" in " ".join(outcome.stdout.split())


def test_options_say_what_proposals_are_like(host: Host) -> None:
    app = repo("acme/app", f"{STALE}FROM golang:1\n")
    host(app)

    digestbot("update", "github:acme", "--draft", "--group", "image")

    assert [pull.is_draft for pull in app.open_pulls()] == [True]
    assert app.open_pulls()[0].branch != BRANCH


def test_an_image_that_nobody_answers_for_makes_the_run_incomplete(
    host: Host, answers: Path
) -> None:
    answers.write_text("{}")
    host(repo("acme/app"), repo("acme/web"))

    outcome = digestbot("update", "github:acme")

    assert outcome.code == 5
    assert outcome.stdout.count("not-recorded") == 1
    assert "hint:" in outcome.stdout


def test_a_repo_that_fails_leaves_the_others_alone(host: Host) -> None:
    first, second = repo("acme/app"), repo("acme/web")
    forge = host(first, second)
    forge.fault = Fault(0, RefusedError("no", code="no-permission", hint="give it"))

    outcome = digestbot("update", "github:acme")

    assert outcome.code == 5
    assert len(first.open_pulls()) + len(second.open_pulls()) == 1
    assert "no-permission" in outcome.stdout


@pytest.mark.parametrize(
    "error, code",
    [
        pytest.param(RefusedError("GitHub answers 401", code="unauthorized"), 5, id="refused"),
        pytest.param(DeferredError("until noon", code="rate-limited"), 5, id="deferred"),
        pytest.param(UsageError("no"), 2, id="usage"),
    ],
)
def test_a_target_that_cannot_be_opened_ends_in_a_line(
    monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    def refuse(_target: Target, _options: ForgeOptions) -> MemoryForge:
        raise error

    monkeypatch.setattr(runs, "open_forge", refuse)

    outcome = digestbot("update", "github:acme")

    assert outcome.code == code
    assert str(error) in outcome.stdout + outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_an_owner_without_repos_is_no_input(host: Host) -> None:
    host()

    outcome = digestbot("update", "github:acme", "--name", "x*")

    assert outcome.code == 4
    assert "error: no repo in github:acme" in outcome.stderr


def test_the_command_line_reaches_the_forge(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_TOKEN", "canary")
    asked: list[tuple[Target, ForgeOptions]] = []

    def remember(target: Target, options: ForgeOptions) -> MemoryForge:
        asked.append((target, options))
        return MemoryForge.of(repo())

    monkeypatch.setattr(runs, "open_forge", remember)

    outcome = digestbot(
        *("update", "-vv", "github:acme", "--name", "api-*", "--name", "web", "--topic", "docker"),
        *("--max-wait", "7", "--write-by", "git"),
    )

    ((target, options),) = asked
    assert target == GitHubTarget("acme")
    assert (options.names, options.topics) == (("api-*", "web"), ("docker",))
    assert (options.github.max_wait_s, options.write_by) == (7, "git")
    assert options.is_proposing
    assert options.github.token.reveal() == "canary"
    assert "canary" not in outcome.stdout + outcome.stderr + repr(options)


@pytest.mark.parametrize(
    "arguments, words",
    [
        ((), "digestbot update ."),
        (("acme/app",), "github:acme/app"),
        (("github:acme/app/x",), "github:owner/repo"),
        (("https://x:y@git.example.com/app",), "user or password"),
        ((".",), "not a git repository"),
        (("github:acme", "--limit", "-1"), "--limit"),
        (("github:acme", "--digests", "none.json"), "none.json"),
    ],
    ids=["none", "slug", "bad-name", "password", "no-checkout", "bad-option", "no-file"],
)
def test_what_cannot_be_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(tmp_path)

    outcome = digestbot("update", *arguments)

    assert outcome.code == 2
    assert outcome.stdout == ""
    assert words in outcome.stderr


BLOCKED = """
import sys
for name in sys.argv.pop(1).split(","):
    sys.modules[name] = None
from digestbot.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.parametrize("target", [".", "github:acme", "https://git.example.com/acme/app.git"])
def test_missing_packages_are_one_clear_error(checkout: Path, target: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, "git,github,jwt", "update", target],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    said = done.stdout + done.stderr
    assert done.returncode in {2, 5}
    assert said.count("pip install 'digestbot[forge]'") == 1
    assert "Traceback" not in said


def test_hostile_repos_are_shown_harmless(host: Host) -> None:
    name = HOSTILE.encode("utf-8", "replace").decode()
    host(MemoryRepo.of({f"{name}/Dockerfile": STALE.encode()}, f"acme/{name}"))

    for arguments in ((), ("--dry-run",), ("-v",)):
        outcome = digestbot("update", "github:acme", *arguments)

        assert not {"\x1b", "\r", "\u202e"} & set(outcome.stdout + outcome.stderr)
        assert "##[error]" not in outcome.stdout


def test_colour_is_a_matter_of_flag_and_environment(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host(repo())

    assert "\x1b[" not in digestbot("update", "--dry-run", "github:acme").stdout
    colored = digestbot("update", "--dry-run", "--color", "always", "github:acme").stdout
    assert "\x1b[32m" in colored
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in digestbot("update", "--dry-run", "github:acme").stdout


def test_a_reader_who_has_seen_enough_is_no_error(checkout: Path) -> None:
    (checkout / "Dockerfile").write_text(STALE * 3000)
    run_git(checkout, "commit", "-qam", "more")

    with start("update", "--dry-run", ".", cwd=checkout) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()

    assert errors == ""


def test_a_pipe_sees_no_progress(checkout: Path) -> None:
    assert spawn("update", ".", cwd=checkout).stderr == ""


def test_a_configuration_that_was_merely_found_does_not_decide_about_other_repos(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".digestbot.yaml").write_text("labels: [theirs]\n")
    monkeypatch.chdir(elsewhere)

    found = digestbot("update", str(checkout))
    scanned = digestbot("scan", "github:acme")
    named = digestbot("update", "--config", ".digestbot.yaml", str(checkout))
    without = digestbot("update", "--no-config", str(checkout))

    assert (found.code, scanned.code, named.code, without.code) == (2, 2, 0, 0)
    assert "does not decide about" in found.stderr
    assert "--config .digestbot.yaml" in found.stderr
    assert "does not decide about github:acme" in scanned.stderr


def test_the_next_step_is_the_same_command_without_the_rehearsal(checkout: Path) -> None:
    outcome = digestbot("update", "--group", "image", "--dry-run", ".")

    assert "  digestbot update --group image .  does it\n" in outcome.stdout
    assert run_git(checkout, "branch", "--format=%(refname:short)") == "main"
