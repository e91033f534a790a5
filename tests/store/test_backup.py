"""A backup is one moment of the state, whoever writes meanwhile."""

from __future__ import annotations

from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from digestbot.store import runs
from digestbot.store.database import Database
from digestbot.store.location import FILE, Location
from tests.store.processes import running, wait_until_ready

# Two runs in each transaction: a copy never has one without the other.
WRITES_PAIRS = """
from datetime import UTC, datetime
from itertools import count
from digestbot.store import runs
database = Database.open(location)
for number in count():
    with database.begin() as connection:
        for name in ("left", "right"):
            runs.begin(connection, f"{name}-{number}", name, datetime.now(UTC))
    if number == 10:
        print("ready", flush=True)
"""


@pytest.fixture
def location(tmp_path: Path) -> Location:
    return Location(tmp_path / "state")


def kinds(folder: Path) -> list[str]:
    with closing(Database.open(Location(folder), must_exist=True)) as database:
        assert database.check() == ()
        with database.reading() as connection:
            return [run.kind for run in runs.latest(connection, limit=1_000_000)]


def test_it_is_whole_while_another_process_writes(location: Location, tmp_path: Path) -> None:
    folders = [tmp_path / f"copy-{number}" for number in range(3)]
    with (
        running(location, WRITES_PAIRS) as writer,
        closing(Database.open(location)) as database,
    ):
        wait_until_ready(writer)
        for folder in folders:
            folder.mkdir()
            database.backup(folder / FILE)

    copies = [kinds(folder) for folder in folders]

    assert len(copies[0]) > 20
    assert all(found.count("left") == found.count("right") for found in copies)
    assert all(len(before) <= len(after) for before, after in pairwise(copies))


def test_it_leaves_the_file_and_nothing_else(location: Location, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    with closing(Database.open(location)) as database:
        for _ in range(2):
            database.backup(copies / "copy.db")

    assert [path.name for path in copies.iterdir()] == ["copy.db"]
