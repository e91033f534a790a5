"""`scan` and `update` with the state of a service: what was seen of each tag counts for them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from digestbot.image import Digest
from digestbot.policy.holding import Sighting
from digestbot.store import images
from digestbot.store.database import Database
from digestbot.store.location import Location
from tests.cli.program import Outcome, digestbot, spawn
from tests.forge.checkouts import make_checkout, name_a_person, run_git
from tests.proposals.builders import digest
from tests.service.state import add_digest, query

OLD, NEW, NEWER = digest(0), digest(1), digest(2)
PYTHON = "docker.io/library/python:3.12"
BRANCH = "digestbot/images"
HOUR = timedelta(hours=1)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, which pins the old digest; beside it, a configuration with a state."""
    folder = make_checkout(tmp_path / "app", Dockerfile=f"FROM python:3.12@{OLD}\n")
    name_a_person(folder)
    monkeypatch.chdir(folder)
    answer(folder, NEW)
    configure(folder)
    return folder


def configure(checkout: Path, **keys: object) -> None:
    """What `keys` say, and where the state is."""
    named = {"state": {"folder": "state"}} | keys
    (checkout.parent / "org.yaml").write_text(json.dumps(named))


def answer(checkout: Path, found: Digest | None) -> None:
    """What the tag has now; nobody knows where it is None."""
    answers = {PYTHON: str(found)} if found else {}
    (checkout.parent / "answers.json").write_text(json.dumps(answers))


def ask(*words: str) -> Outcome:
    """A command with the configuration and the answers."""
    return digestbot(*words, "--config", "../org.yaml", "--digests", "../answers.json")


def scanned(*words: str) -> dict[str, Any]:
    """The one finding of a scan."""
    (found,) = json.loads(ask("scan", "--format", "json", *words).stdout)["findings"]
    return dict(found)


def database(checkout: Path) -> Database:
    return Database.open(Location(checkout.parent / "state"))


def remember(checkout: Path, **seen: timedelta) -> None:
    """Have the service have seen digests so long ago, the oldest first: `d1=3 * HOUR`."""
    with closing(database(checkout)) as found, found.begin() as connection:
        for name, ago in seen.items():
            add_digest(connection, "python:3.12", digest(name[1:]), datetime.now(UTC) - ago)


def history(checkout: Path) -> tuple[Sighting, ...]:
    with closing(database(checkout)) as found, found.reading() as connection:
        return tuple(images.history(connection, query()))


def test_a_scan_writes_down_what_it_sees_and_goes_on_with_it(checkout: Path) -> None:
    first, second = scanned(), scanned()
    answer(checkout, NEWER)
    scanned()

    seen = history(checkout)
    assert (first["status"], first["reason"]) == ("held", "settling")
    assert second["until"] == first["until"]
    assert [one.digest for one in seen] == [NEW, NEWER]


def test_a_scan_that_finds_something_held_has_nothing_to_do(checkout: Path) -> None:
    outcome = ask("scan")

    said = " ".join(outcome.stdout.split())
    assert outcome.code == 0
    assert "held" in said
    assert f"proposed from {datetime.now(UTC):%Y}" in said


@pytest.mark.parametrize(
    "hold, seen, status, found",
    [
        pytest.param({}, {"d0": 9 * HOUR, "d1": 4 * HOUR}, "stale", NEW, id="settled"),
        pytest.param({}, {"d0": 9 * HOUR, "d1": 2 * HOUR}, "held", None, id="settling"),
        pytest.param({"settle": "1h"}, {"d0": 9 * HOUR, "d1": 2 * HOUR}, "stale", NEW, id="sooner"),
        pytest.param({"min_age": "1d"}, {"d0": 99 * HOUR, "d1": 9 * HOUR}, "held", None, id="new"),
        pytest.param(
            {"settle": "0s", "min_age": "1d"},
            {"d0": 99 * HOUR, "d2": 40 * HOUR, "d1": 9 * HOUR},
            "stale",
            NEWER,
            id="newest-that-is-old-enough",
        ),
        pytest.param({}, {"d1": 99 * HOUR, "d0": 50 * HOUR}, "held", None, id="never-backwards"),
    ],
)
def test_what_was_seen_decides(
    checkout: Path,
    hold: dict[str, str],
    seen: dict[str, timedelta],
    status: str,
    found: Digest | None,
) -> None:
    configure(checkout, hold=hold)
    remember(checkout, **seen)

    got = scanned()

    assert got["status"] == status
    assert [edit["new"] for edit in got["edits"]] == ([found.hex] if found else [])


def test_a_tag_that_was_set_back_is_held_for_that_reason(checkout: Path) -> None:
    remember(checkout, d1=99 * HOUR, d0=50 * HOUR)
    remember(checkout, d1=4 * HOUR)

    assert scanned()["reason"] == "older"


def test_writing_leaves_alone_what_is_held(checkout: Path) -> None:
    before = (checkout / "Dockerfile").read_bytes()

    held = ask("scan", "--write")
    configure(checkout, hold={"settle": "0s"})
    written = ask("scan", "--write")

    assert (held.code, written.code) == (0, 0)
    assert (checkout / "Dockerfile").read_bytes() == before.replace(
        str(OLD).encode(), str(NEW).encode()
    )


def test_an_update_proposes_what_has_settled_and_nothing_before(checkout: Path) -> None:
    held = ask("update", ".")
    branches = run_git(checkout, "branch", "--format=%(refname:short)")
    remember(checkout, d0=9 * HOUR)
    configure(checkout, hold={"settle": "0s"})
    proposed = ask("update", ".")

    assert (held.code, proposed.code) == (0, 0)
    assert "1 held" in held.stdout
    assert branches == "main"
    assert str(NEW) in run_git(checkout, "show", f"{BRANCH}:Dockerfile")


def test_an_update_writes_down_what_it_sees(checkout: Path) -> None:
    ask("update", ".")

    assert [one.digest for one in history(checkout)] == [NEW]


def test_a_service_that_runs_keeps_nobody_from_scanning(checkout: Path) -> None:
    with closing(database(checkout)) as found, found.alone():
        scan, update = ask("scan"), ask("update", "--dry-run", ".")

    assert (scan.code, update.code) == (0, 0)


def test_a_registry_that_does_not_answer_is_said_by_the_report_alone(checkout: Path) -> None:
    answer(checkout, None)

    outcome = ask("scan")

    assert outcome.code == 5
    assert outcome.stderr == ""
    assert outcome.stdout.count("Incomplete") == 1
    assert history(checkout) == ()


def test_offline_the_state_is_neither_asked_nor_made(checkout: Path) -> None:
    outcome = digestbot("scan", "--offline", "--config", "../org.yaml")

    assert outcome.code == 0
    assert not (checkout.parent / "state").exists()


def test_without_a_state_nothing_is_held_for_its_age(checkout: Path) -> None:
    (checkout.parent / "org.yaml").write_text("hold: {settle: 9d, min_age: 9d}\n")

    assert scanned()["status"] == "stale"
    assert not (checkout.parent / "state").exists()


def test_a_found_configuration_names_no_state(checkout: Path) -> None:
    (checkout / "digestbot.yaml").write_text("state: {folder: state}\n")

    outcome = digestbot("scan", "--digests", "../answers.json")

    assert outcome.code == 2
    assert "state" in outcome.stderr
    assert not (checkout / "state").exists()


def test_a_state_that_is_damaged_ends_in_a_line(checkout: Path) -> None:
    scanned()
    (checkout.parent / "state" / "digestbot.db").write_bytes(b"no database " * 1000)

    outcome = ask("scan")

    assert (outcome.code, outcome.stdout) == (5, "")
    assert outcome.stderr.startswith("error: ")
    assert "Traceback" not in outcome.stderr


def test_at_every_request_events_are_words(checkout: Path) -> None:
    remember(checkout, d0=9 * HOUR)

    outcome = spawn(
        *("scan", "-vv", "--config", "../org.yaml", "--digests", "../answers.json"), cwd=checkout
    )

    assert f"image.moved digest='{NEW}'" in outcome.stderr


def test_nothing_of_the_files_is_kept_in_the_state(checkout: Path) -> None:
    (checkout / "Dockerfile").write_text(f"# canary\nFROM python:3.12@{OLD}\n")

    scanned()

    with closing(sqlite3.connect(checkout.parent / "state" / "digestbot.db")) as connection:
        assert not any("canary" in line for line in connection.iterdump())
