"""`digestbot db`: upgrade, backup, check."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from digestbot.store.database import Database
from digestbot.store.location import Location
from tests.cli.program import Outcome, digestbot

CONFIG = "--config=digestbot.yaml"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digestbot.yaml").write_text("state: {folder: ./state}\n")
    return tmp_path


def spoil(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "state" / "digestbot.db")) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def db(*words: str) -> Outcome:
    return digestbot("db", *words, CONFIG)


def test_upgrade_makes_a_state_and_says_where(folder: Path) -> None:
    first, second = db("upgrade"), db("upgrade")

    assert (first.code, second.code) == (0, 0)
    assert first.stderr == second.stderr
    assert "state/digestbot.db is up to date (revision " in first.stderr
    assert (folder / "state").stat().st_mode & 0o777 == 0o700


def test_a_backup_is_a_state(folder: Path) -> None:
    db("upgrade")

    outcome = db("backup", "copy.db")

    assert (outcome.code, outcome.stderr) == (0, "wrote copy.db\n")
    restored = folder / "restored"
    restored.mkdir()
    (folder / "copy.db").rename(restored / "digestbot.db")
    with closing(Database.open(Location(restored), must_exist=True)) as database:
        assert database.check() == ()


def test_a_backup_replaces_an_older_one_and_leaves_nothing_else(folder: Path) -> None:
    db("upgrade")
    (folder / "copy.db").write_text("older")

    outcome = db("backup", "copy.db")

    assert outcome.code == 0
    assert (folder / "copy.db").read_bytes().startswith(b"SQLite format 3")
    assert {path.name for path in folder.iterdir()} == {"copy.db", "digestbot.yaml", "state"}


def test_a_backup_that_cannot_be_written_is_an_error(folder: Path) -> None:
    db("upgrade")

    outcome = db("backup", "nowhere/copy.db")

    assert outcome.code == 5
    assert "cannot write the backup nowhere/copy.db" in outcome.stderr


def test_check_says_that_all_is_well() -> None:
    db("upgrade")

    outcome = db("check")

    assert (outcome.code, outcome.stdout) == (0, "")
    assert outcome.stderr.endswith("is well\n")


def test_check_says_what_is_wrong(folder: Path) -> None:
    db("upgrade")
    spoil(
        folder,
        "INSERT INTO sightings (image_id, digest, first_seen, last_seen) VALUES (77, '', '', '')",
    )

    outcome = db("check")

    assert outcome.code == 1
    assert "a row of sightings belongs to nothing" in outcome.stdout


@pytest.mark.parametrize("words", [("check",), ("backup", "copy.db")])
def test_where_there_is_no_state_none_is_made(folder: Path, words: tuple[str, ...]) -> None:
    outcome = db(*words)

    assert outcome.code == 4
    assert "there is no state in" in outcome.stderr
    assert "hint: digestbot run makes one" in outcome.stderr
    assert not (folder / "state").exists()


def test_a_newer_state_is_refused(folder: Path) -> None:
    db("upgrade")
    spoil(folder, "UPDATE alembic_version SET version_num = '9999'")

    outcome = db("upgrade")

    assert outcome.code == 5
    assert "newer digestbot" in outcome.stderr


def test_a_configuration_without_state_is_an_error(folder: Path) -> None:
    (folder / "digestbot.yaml").write_text("pin: true\n")

    outcome = db("check")

    assert outcome.code == 2
    assert "the configuration names no state" in outcome.stderr


def test_a_file_that_was_merely_found_does_not_say_where_the_state_is(folder: Path) -> None:
    outcome = digestbot("db", "upgrade")

    assert outcome.code == 2
    assert "--config" in outcome.stderr
    assert not (folder / "state").exists()


def test_an_unreachable_database_is_an_error_without_its_password(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_PASSWORD", "canary-pa55")
    (folder / "digestbot.yaml").write_text(
        "state:\n  url: postgresql://bot@127.0.0.1:1/bot?sslmode=disable\n"
        "  password_env: STATE_PASSWORD\n"
    )

    outcome = db("check")

    assert outcome.code == 5
    assert "refused" in outcome.stderr
    assert "canary" not in outcome.stdout + outcome.stderr
