from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from digestbot.service.status_contract import status_schema
from digestbot.store.runs import RunState
from tests.cli.program import Outcome, digestbot
from tests.service.state import NOW, add_failure, add_findings, add_repos, add_run, finding, state


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "digestbot.yaml"
    path.write_text(f"state: {{folder: {json.dumps(str(tmp_path / 'state'))}}}\n")
    return path


@pytest.fixture
def filled(config: Path) -> Path:
    """The configuration of a service that ran once."""
    with state(config.parent / "state") as database, database.begin() as connection:
        add_run(connection, listed=1, lookups=1)
        (number,) = add_repos(connection, "acme/app").values()
        add_findings(connection, number, finding("ghcr.io/acme/a:1"))
        add_failure(connection, "ghcr.io/acme/a:1")
    return config


def ask(config: Path, *words: str) -> Outcome:
    return digestbot("status", "--config", str(config), *words)


def test_it_says_what_needs_somebody_and_how_things_are(filled: Path) -> None:
    outcome = ask(filled)

    assert (outcome.code, outcome.stderr) == (0, "")
    lines = outcome.stdout.splitlines()
    assert lines[0] == "Needs attention"
    assert lines[1].startswith("  ✗ lookups  ghcr.io  rate-limited for ")
    headings = [line for line in lines if line and not line.startswith(" ")]
    assert headings == ["Needs attention", "Last runs", "Fleet", "Next cycle"]


def test_json_is_what_the_contract_says_and_alone_on_stdout(filled: Path) -> None:
    outcome = ask(filled, "--format", "json", "-vv")

    report = json.loads(outcome.stdout)
    jsonschema.validate(report, status_schema())
    assert outcome.code == 0
    assert report["schema"] == "digestbot/status/v1"
    assert report["failing"][0]["host"] == "ghcr.io"


def test_colours_are_for_those_who_want_them(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in ask(filled).stdout
    assert "\x1b[1;31m✗ lookups" in ask(filled, "--color", "always").stdout

    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")

    assert "\x1b" not in ask(filled).stdout


def test_the_width_is_that_of_the_terminal(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")

    assert max(map(len, ask(filled).stdout.splitlines())) <= 50


@pytest.mark.parametrize("words", [(), ("--format", "json")])
def test_without_a_run_there_is_nothing_to_show(config: Path, words: tuple[str, ...]) -> None:
    with state(config.parent / "state"):
        pass

    outcome = ask(config, *words)

    assert (outcome.code, outcome.stdout) == (4, "")
    assert outcome.stderr == "error: the state has no run yet\nhint: begin one: digestbot run\n"


def test_asking_makes_no_state(config: Path) -> None:
    outcome = ask(config)

    assert (outcome.code, outcome.stdout) == (4, "")
    assert outcome.stderr.startswith(f"error: there is no state in {config.parent / 'state'}\n")
    assert not (config.parent / "state").exists()


def test_why_a_state_cannot_be_read_is_told_with_where_it_is(filled: Path) -> None:
    file = filled.parent / "state" / "digestbot.db"
    file.write_bytes(b"no database at all " * 100)

    outcome = ask(filled)

    assert (outcome.code, outcome.stdout) == (5, "")
    assert outcome.stderr.startswith(f"error: the state in {file}: file is not a database\n")


def test_why_a_server_does_not_answer_is_told_with_its_address(tmp_path: Path) -> None:
    path = tmp_path / "digestbot.yaml"
    path.write_text("state: {url: 'postgresql://bot@127.0.0.1:1/digestbot'}\n")

    outcome = ask(path)

    assert (outcome.code, outcome.stdout) == (5, "")
    assert "error: the state in postgresql://bot@127.0.0.1:1/digestbot: " in outcome.stderr


def test_without_a_state_in_the_configuration_it_says_how_to_name_one(tmp_path: Path) -> None:
    path = tmp_path / "digestbot.yaml"
    path.write_text("jobs: 4\n")

    outcome = ask(path)

    assert outcome.code == 2
    assert "error: the configuration names no state" in outcome.stderr
    assert "state: {folder: /var/lib/digestbot}" in outcome.stderr


def test_it_can_be_asked_while_the_service_works(filled: Path) -> None:
    with state(filled.parent / "state") as database, database.alone():
        with database.begin() as connection:
            add_run(connection, "b2", RunState.RUNNING, at=NOW)
        outcome = ask(filled, "--format", "json")

    assert outcome.code == 0
    runs = json.loads(outcome.stdout)["runs"]
    assert [(run["id"], run["state"]) for run in runs] == [("b2", "running"), ("a1b2c3", "done")]
