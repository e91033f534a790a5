"""What a database refuses is said in words that help, and in none that are secret."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from digestbot.scan.result import Problem
from digestbot.store import engines, runs
from digestbot.store.database import Database
from digestbot.store.errors import StoreError
from digestbot.store.location import Location
from digestbot.store.runs import RunState
from tests.service.state import NOW

NO_RUNS = "DROP TABLE runs"


@pytest.fixture
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A state in SQLite whose lock nobody waits for."""
    monkeypatch.setattr(engines, "_BUSY_S", 0)
    with closing(Database.open(Location(tmp_path))) as database:
        yield database


def test_that_another_process_keeps_it_locked(impatient: Database) -> None:
    file = impatient.location.file
    with closing(sqlite3.connect(str(file), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreError) as caught, impatient.begin():
            pass

    assert str(caught.value) == f"the state in {file}: database is locked"
    assert caught.value.hint == "another process keeps it locked; end it, or wait"


def test_once_it_is_free_it_can_be_written_again(impatient: Database) -> None:
    with closing(sqlite3.connect(str(impatient.location.file), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError), impatient.begin():
            pass

    with impatient.begin() as connection:
        runs.begin(connection, "a1", "cycle", NOW)


def test_that_it_may_not_be_written(impatient: Database) -> None:
    def write() -> None:
        with impatient.begin() as connection:
            connection.execute(text("PRAGMA query_only = ON"))
            runs.begin(connection, "a1", "cycle", NOW)

    with pytest.raises(StoreError, match="attempt to write a readonly database") as caught:
        write()

    assert caught.value.hint == "see who may write to its folder"


# SQLite does not tell; there it is the code that keeps to it.
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_who_only_looks_may_not_write(database: Database) -> None:
    def write() -> None:
        with database.reading() as connection:
            runs.begin(connection, "a1", "cycle", NOW)

    with pytest.raises(StoreError, match="read-only transaction"):
        write()


def test_neither_statement_nor_values_are_shown(database: Database) -> None:
    def write() -> None:
        with database.begin() as connection:
            connection.execute(text(NO_RUNS))
            problem = Problem("repo", "canary", "canary", "canary")
            runs.finish(connection, "canary", RunState.FAILED, {"canary": 1}, [problem], NOW)

    with pytest.raises(StoreError) as caught:
        write()

    said = str(caught.value)
    assert "runs" in said
    assert "canary" not in said
    assert "UPDATE" not in said
    assert "\n" not in said
    assert caught.value.hint


def test_what_was_dropped_in_a_transaction_that_failed_is_there(database: Database) -> None:
    def write() -> None:
        with database.begin() as connection:
            connection.execute(text(NO_RUNS))
            runs.begin(connection, "a1", "cycle", NOW)

    with pytest.raises(StoreError):
        write()

    with database.reading() as connection:
        assert runs.latest(connection) == []
