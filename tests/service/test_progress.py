"""How far a run has come is written down while it goes on, and not too often."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from digestbot.service.progress import EVERY_S, Progress
from digestbot.store import runs
from digestbot.store.database import Database
from tests.github.clock import VirtualClock
from tests.service.state import NOW, state


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with state(tmp_path) as opened:
        with opened.begin() as connection:
            runs.begin(connection, "a1", "cycle", NOW)
        yield opened


def listed(database: Database) -> int | None:
    with database.reading() as connection:
        (run,) = runs.latest(connection)
    return run.counts.get("listed")


def test_the_first_is_written_at_once(database: Database) -> None:
    progress = Progress(database, "a1", VirtualClock().as_clock())

    progress.note({"listed": 1}, 0)

    assert listed(database) == 1


@pytest.mark.parametrize(
    "seconds, expected",
    [
        pytest.param(EVERY_S - 0.5, 1, id="a moment ago"),
        pytest.param(EVERY_S + 0.5, 2, id="a while ago"),
    ],
)
def test_the_next_one_is_written_after_a_while(
    database: Database, seconds: float, expected: int
) -> None:
    clock = VirtualClock()
    progress = Progress(database, "a1", clock.as_clock())
    progress.note({"listed": 1}, 0)

    clock.advance(seconds)
    progress.note({"listed": 2}, 0)

    assert listed(database) == expected
