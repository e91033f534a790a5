"""`digestbot scan` of targets that are no paths: read, reported, never written to."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from digestbot.cli import runs
from digestbot.image import Digest
from digestbot.report.contract import scan_schema
from tests.cli.program import digestbot
from tests.forge.checkouts import make_checkout
from tests.proposals.memory import MemoryForge, MemoryRepo

OLD, NEW = Digest.of(b"old"), Digest.of(b"new")
PYTHON = "docker.io/library/python:3.12"
STALE = f"FROM python:3.12@{OLD}\n"
Host = Callable[..., MemoryForge]


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a checkout with a stale Dockerfile, and recorded answers."""
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({PYTHON: str(NEW)}))
    monkeypatch.setenv("DIGESTBOT_DIGESTS", str(answers))
    folder = make_checkout(tmp_path / "app", Dockerfile=STALE)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    """Lets GitHub have these repos, whatever is asked for."""

    def set_up(*repos: MemoryRepo) -> MemoryForge:
        forge = MemoryForge.of(*repos)
        monkeypatch.setattr(runs, "open_forge", lambda _target, _options: forge)
        return forge

    return set_up


def repo(name: str, text: str = STALE) -> MemoryRepo:
    return MemoryRepo.of({"Dockerfile": text.encode()}, name)


def document(*arguments: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(digestbot("scan", "--format", "json", *arguments).stdout)
    Draft202012Validator(scan_schema()).validate(parsed)
    return parsed


def test_an_owner_is_one_report(host: Host) -> None:
    apps = [repo("acme/app"), repo("acme/web"), repo("acme/fresh", STALE.replace(OLD.hex, NEW.hex))]
    host(*apps)

    outcome = digestbot("scan", "github:acme")

    assert outcome.code == 1
    assert outcome.stdout.startswith("acme/app\nDockerfile:1  ▲ stale")
    assert "\n\nacme/web\nDockerfile:1  ▲ stale" in outcome.stdout
    assert "3 images in 3 files of 3 repos: 2 stale, 1 current · 1 lookup in" in outcome.stdout
    assert "digestbot update github:acme       proposes 2 digests in 2 repos" in outcome.stdout
    assert [len(app.branches) for app in apps] == [1, 1, 1]


def test_json_names_the_repo_of_each_finding(host: Host) -> None:
    host(repo("acme/app"), repo("acme/web"))

    report = document("github:acme")

    assert [(one["repo"], one["path"]) for one in report["findings"]] == [
        ("acme/app", "Dockerfile"),
        ("acme/web", "Dockerfile"),
    ]
    assert report["summary"]["lookups"] == 1


def test_paths_and_repos_can_be_mixed(host: Host) -> None:
    host(repo("acme/web"))

    report = document(".", "github:acme/web")

    assert [one["repo"] for one in report["findings"]] == [None, "acme/web"]


def test_the_diff_of_one_repo_applies_in_a_checkout_of_it(host: Host, checkout: Path) -> None:
    host(repo("acme/app"))

    diff = digestbot("scan", "--diff", "github:acme/app").stdout

    subprocess.run(["git", "apply"], input=diff, text=True, check=True, cwd=checkout)
    assert (checkout / "Dockerfile").read_text() == STALE.replace(OLD.hex, NEW.hex)


def test_the_diff_of_several_repos_tells_them_apart(host: Host) -> None:
    host(repo("acme/app"), repo("acme/web"))

    diff = digestbot("scan", "--diff", "github:acme").stdout

    assert "--- a/acme/app/Dockerfile" in diff
    assert "--- a/acme/web/Dockerfile" in diff


def test_what_is_elsewhere_is_not_written_to() -> None:
    outcome = digestbot("scan", "--write", ".", "github:acme/app")

    assert outcome.code == 2
    assert "github:acme/app cannot be written to" in outcome.stderr
    assert "hint: to propose the change there: digestbot update github:acme/app" in outcome.stderr


def test_what_was_left_out_is_said_on_stderr(host: Host) -> None:
    old = [repo(f"acme/old-{number}") for number in range(5)]
    for one in old:
        one.left_out = ("archived", "it is archived")
    host(repo("acme/app"), *old)

    brief, long = digestbot("scan", "github:acme"), digestbot("scan", "-v", "github:acme")

    assert brief.stderr == "5 repos are left out (-v lists them)\n"
    assert long.stderr.count("is left out: it is archived") == 5
    assert "old" not in brief.stdout


def test_an_owner_without_repos_is_no_input(host: Host) -> None:
    host()

    outcome = digestbot("scan", "github:acme")

    assert outcome.code == 4
    assert "error: no repo to scan in github:acme" in outcome.stderr


def test_a_slug_is_taken_for_a_path_and_told_how_to_spell_it() -> None:
    outcome = digestbot("scan", "acme/app")

    assert outcome.code == 2
    assert "error: no such file or folder: acme/app" in outcome.stderr
    assert "github:acme/app" in outcome.stderr


def test_offline_lists_what_is_there(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIGESTBOT_DIGESTS")
    host(repo("acme/app"))

    assert [one["reason"] for one in document("--offline", "github:acme")["findings"]] == [
        "offline"
    ]


def test_answers_of_many_repos_are_recorded_once(host: Host, tmp_path: Path) -> None:
    host(repo("acme/app"), repo("acme/web"))
    recorded = tmp_path / "recorded.json"

    digestbot("scan", "github:acme", "--record", str(recorded))

    assert json.loads(recorded.read_text()) == {PYTHON: str(NEW)}
