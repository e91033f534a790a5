"""`digestbot scan` from the outside: what it prints where, what it writes, how it exits."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from digestbot.image import Digest
from tests.cli.program import digestbot

OLD, NEW = Digest.of(b"old"), Digest.of(b"new")
PYTHON, GO = "docker.io/library/python:3.12", "docker.io/library/golang:1.25"
STALE = f"FROM golang:1.25@{NEW} AS build\n\nFROM python:3.12@{OLD}\n"


@pytest.fixture(autouse=True)
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a stale Dockerfile and recorded answers beside it."""
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "Dockerfile").write_text(STALE)
    (tmp_path / "digests.json").write_text(json.dumps({PYTHON: str(NEW), GO: str(NEW)}))
    monkeypatch.setenv("DIGESTBOT_DIGESTS", str(tmp_path / "digests.json"))
    monkeypatch.chdir(folder)
    return folder


def document(*arguments: str) -> dict[str, object]:
    parsed = json.loads(digestbot("scan", "--format", "json", *arguments).stdout)
    assert isinstance(parsed, dict)
    return parsed


def test_a_stale_pin_is_said_with_place_and_what_to_do() -> None:
    outcome = digestbot("scan")

    assert outcome.code == 1
    assert "Dockerfile:3" in outcome.stdout
    assert OLD.short[:7] in outcome.stdout
    assert NEW.short[:7] in outcome.stdout
    assert "--write" in outcome.stdout
    assert outcome.stderr == ""


def test_write_changes_exactly_the_digest_and_a_second_run_nothing(repo: Path) -> None:
    first = digestbot("scan", "--write")
    after = (repo / "Dockerfile").read_bytes()
    second = digestbot("scan", "--write")

    assert first.code == 0
    assert after == STALE.replace(str(OLD), str(NEW)).encode()
    assert second.code == 0
    assert (repo / "Dockerfile").read_bytes() == after
    assert document()["summary"] == {
        "files": 1,
        "occurrences": 2,
        "current": 2,
        "stale": 0,
        "unpinned": 0,
        "held": 0,
        "skipped": 0,
        "failed": 0,
        "lookups": 2,
    }


def test_write_leaves_a_file_without_changes_untouched(repo: Path) -> None:
    digestbot("scan", "--write")
    before = (repo / "Dockerfile").stat()

    digestbot("scan", "--write")

    after = (repo / "Dockerfile").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_the_diff_is_data_that_git_apply_takes(repo: Path) -> None:
    outcome = digestbot("scan", "--diff")

    assert outcome.code == 1
    assert (repo / "Dockerfile").read_text() == STALE
    subprocess.run(["git", "apply"], input=outcome.stdout, text=True, check=True, cwd=repo)
    assert (repo / "Dockerfile").read_text() == STALE.replace(str(OLD), str(NEW))
    assert digestbot("scan", "--diff").stdout == ""


def test_the_diff_of_a_folder_elsewhere_applies_there(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)

    outcome = digestbot("scan", "--diff", str(repo))

    assert "--- a/Dockerfile" in outcome.stdout
    subprocess.run(["git", "apply"], input=outcome.stdout, text=True, check=True, cwd=repo)
    assert (repo / "Dockerfile").read_text() == STALE.replace(str(OLD), str(NEW))


def test_pin_gives_a_first_digest(repo: Path) -> None:
    (repo / "Dockerfile").write_text("FROM python:3.12\n")

    without = digestbot("scan")
    pending = digestbot("scan", "--pin")
    written = digestbot("scan", "--pin", "--write")

    assert (without.code, pending.code, written.code) == (0, 1, 0)
    assert (repo / "Dockerfile").read_text() == f"FROM python:3.12@{NEW}\n"


def test_json_is_the_contract() -> None:
    scanned = document()

    assert scanned["schema"] == "digestbot/scan/v1"
    findings = scanned["findings"]
    assert isinstance(findings, list)
    assert findings[1] == {
        "repo": None,
        "path": "Dockerfile",
        "line": 3,
        "column": 6,
        "format": "dockerfile",
        "kind": "from",
        "written": f"python:3.12@{OLD}",
        "image": "docker.io/library/python",
        "tag": "3.12",
        "digest": str(OLD),
        "platform": None,
        "status": "stale",
        "reason": "digest-moved",
        "message": f"{PYTHON} moved to {NEW}",
        "new_tag": None,
        "new_digest": str(NEW),
        "until": None,
        "edits": [
            {
                "path": "Dockerfile",
                "start": STALE.index(OLD.hex),
                "end": STALE.index(OLD.hex) + 64,
                "old": OLD.hex,
                "new": NEW.hex,
            }
        ],
    }


@pytest.mark.parametrize("report", ["text", "json", "sarif", "github", "markdown"])
def test_each_format_can_go_to_a_file(report: str, tmp_path: Path) -> None:
    target = tmp_path / "report"
    shown = digestbot("scan", "--format", report)

    outcome = digestbot("scan", "--format", report, "--output", str(target))

    assert (outcome.code, outcome.stdout) == (1, "")
    # All but the time that it took.
    first, expected = (text.splitlines()[0] for text in (target.read_text(), shown.stdout))
    assert first.partition("·")[0] == expected.partition("·")[0]
    assert target.stat().st_mode & 0o444 == 0o444


def test_the_github_format_also_writes_the_step_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))

    outcome = digestbot("scan", "--format", "github")

    assert outcome.stdout.startswith("::")
    assert summary.read_text().startswith("before\n")
    assert "`python:3.12`" in summary.read_text()


def test_standard_input_is_a_dockerfile() -> None:
    outcome = digestbot("scan", "-", stdin=f"FROM python:3.12@{OLD}\n".encode())
    diff = digestbot("scan", "--diff", "-", stdin=f"FROM python:3.12@{OLD}\n".encode())

    assert outcome.code == diff.code == 1
    assert "<stdin>:1" in outcome.stdout
    assert outcome.stdout.endswith("What to do next\n  digestbot scan - --diff  shows the change\n")
    assert f"+FROM python:3.12@{NEW}" in diff.stdout


@pytest.mark.parametrize(
    "fail_on, code", [("stale", 1), ("unpinned", 0), ("never", 0), ("stale,unpinned", 1)]
)
def test_the_user_says_what_fails_a_run(fail_on: str, code: int) -> None:
    assert digestbot("scan", "--fail-on", fail_on).code == code


def test_offline_lists_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIGESTBOT_DIGESTS")

    outcome = digestbot("scan", "--offline", "--format", "json")

    reasons = [finding["reason"] for finding in json.loads(outcome.stdout)["findings"]]
    assert (outcome.code, reasons) == (0, ["offline", "offline"])


def test_answers_can_be_recorded_and_used_again(tmp_path: Path) -> None:
    recorded = tmp_path / "recorded.json"

    digestbot("scan", "--record", str(recorded))
    again = digestbot("scan", "--digests", str(recorded))

    assert json.loads(recorded.read_text()) == {PYTHON: str(NEW), GO: str(NEW)}
    assert again.code == 1


def test_an_image_without_an_answer_makes_the_run_incomplete(tmp_path: Path) -> None:
    answers = tmp_path / "few.json"
    answers.write_text(json.dumps({PYTHON: str(NEW)}))

    outcome = digestbot("scan", "--digests", str(answers), "--format", "json")

    result = json.loads(outcome.stdout)
    assert outcome.code == 5
    assert [finding["status"] for finding in result["findings"]] == ["failed", "stale"]
    assert result["errors"][0]["code"] == "not-recorded"


def test_the_configuration_and_the_options_are_one(repo: Path) -> None:
    (repo / "digestbot.yaml").write_text(
        "fail_on: []\nignore:\n  - image: docker.io/library/python\n    reason: ours\n"
    )

    configured = digestbot("scan", "--format", "json")
    overridden = digestbot("scan", "--fail-on", "skipped")
    without = digestbot("scan", "--no-config")

    reasons = [finding["reason"] for finding in json.loads(configured.stdout)["findings"]]
    assert (configured.code, reasons) == (0, ["up-to-date", "ignored"])
    assert overridden.code == 1
    assert without.code == 1


def test_colour_is_a_matter_of_flag_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" not in digestbot("scan").stdout
    assert "\x1b[" in digestbot("scan", "--color", "always").stdout
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in digestbot("scan").stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in digestbot("scan").stdout
    assert "\x1b[" not in digestbot("scan", "--color", "always", "--format", "json").stdout


def test_verbose_shows_what_is_current_too() -> None:
    assert "golang" not in digestbot("scan").stdout
    assert "golang" in digestbot("scan", "-v").stdout
