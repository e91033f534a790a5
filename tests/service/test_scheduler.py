"""The scheduler: whatever becomes of a cycle, there is a next one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from digestbot.service.jobs import Stop, Work
from digestbot.service.scheduler import Scheduler, Timetable
from digestbot.store.database import Database
from digestbot.store.errors import StoreError
from digestbot.store.location import Location
from tests.github.clock import VirtualClock
from tests.service.virtual_engine import VirtualEngine

HOURLY = Timetable(("0 * * * *",))


class Service:
    """A scheduler over an empty state, and an engine whose time stands still."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = VirtualClock()
        self.cycles = 0
        self.errors: list[BaseException] = []
        self._scheduler = Scheduler(
            database, HOURLY, self._cycle, self._open, self.clock.as_clock()
        )
        self._scheduler.start()

    def wait(self, span: timedelta) -> None:
        self.engine.run_until(self.engine.now() + span)

    def _cycle(self, _stop: Stop) -> None:
        self.cycles += 1

    def _open(self, work: Mapping[str, Work]) -> VirtualEngine:
        self.engine = VirtualEngine(
            work, clock=self.clock, on_error=lambda _job, error: self.errors.append(error)
        )
        return self.engine


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with closing(Database.open(Location(tmp_path))) as database:
        yield Service(database)


def test_a_cycle_follows_on_the_other(service: Service) -> None:
    service.wait(timedelta(hours=3))

    assert service.cycles >= 3
    assert service.errors == []


def test_a_state_that_fails_for_a_moment_does_not_end_the_service(service: Service) -> None:
    with service.database.begin() as connection:
        connection.execute(text("ALTER TABLE schedules RENAME TO elsewhere"))
    service.wait(timedelta(hours=1))
    with service.database.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO schedules"))

    service.wait(timedelta(hours=2))

    assert {type(error) for error in service.errors} == {StoreError}
    assert service.cycles > 0
