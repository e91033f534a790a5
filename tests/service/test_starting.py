"""How a service begins, and when its next cycle does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from digestbot.forge.repo import Repo
from digestbot.service.jobs import Work
from digestbot.service.scheduler import CYCLE, Scheduler, Timetable
from digestbot.store import repos, schedules
from digestbot.store.database import Database
from digestbot.store.location import Location
from tests.github.clock import VirtualClock
from tests.service.virtual_engine import VirtualEngine

START = datetime(2026, 11, 20, 9, 10, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HOURLY = Timetable(("0 * * * *",), run_on_start=False, pause=10 * MINUTE)


@dataclass
class Host:
    """A machine on which the service is started, and ends without a word; the state stays."""

    database: Database
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(START.timestamp()))
    jitter: float = 0.0
    begun: list[datetime] = field(default_factory=list)

    def start(self, timetable: Timetable) -> VirtualEngine:
        """Start the service; the engine knows when its cycle begins."""
        made: list[VirtualEngine] = []

        def open_engine(work: Mapping[str, Work]) -> VirtualEngine:
            made.append(VirtualEngine(work, clock=self.clock, on_error=_never))
            return made[0]

        clock = replace(self.clock.as_clock(), jitter=lambda: self.jitter)
        scheduler = Scheduler(self.database, timetable, self._cycle, open_engine, clock)
        scheduler.open()
        scheduler.start()
        return made[0]

    def due(self, at: datetime) -> None:
        """Let a repo be due at that time."""
        found = Repo("acme/app", "main", None, None)
        with self.database.begin() as connection:
            repos.note_listed(connection, "github:acme", "run", [found], START)
            repos.settle(connection, 1, repo=found, rules="", due_at=at, now=START)

    def ran(self, at: datetime) -> None:
        """Let a cycle have begun at that time."""
        with self.database.begin() as connection:
            schedules.note_started(connection, CYCLE.key, at)

    def _cycle(self, *_words: object) -> None:
        self.begun.append(datetime.fromtimestamp(self.clock.now(), UTC))


def _never(_job: object, error: BaseException) -> None:
    raise error


def planned(engine: VirtualEngine) -> datetime:
    """When the one cycle begins that waits."""
    ((at, job),) = engine.waiting
    assert job == CYCLE
    return at


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with closing(Database.open(Location(tmp_path))) as database:
        yield Host(database)


def test_it_begins_with_a_cycle_where_it_is_told_to(host: Host) -> None:
    engine = host.start(replace(HOURLY, run_on_start=True))

    assert planned(engine) == START


def test_otherwise_it_waits_for_its_time(host: Host) -> None:
    engine = host.start(HOURLY)

    assert planned(engine) == START + 50 * MINUTE


@pytest.mark.parametrize(
    "last, first",
    [
        pytest.param(START - 5 * MINUTE, START + 50 * MINUTE, id="nothing-missed"),
        pytest.param(START - HOUR, START, id="one-missed"),
        pytest.param(START - 30 * DAY, START, id="hundreds-missed"),
    ],
)
def test_what_was_missed_is_made_up_for_once(host: Host, last: datetime, first: datetime) -> None:
    host.ran(last)

    engine = host.start(HOURLY)
    due = planned(engine)
    engine.run_until(START + 2 * HOUR)

    assert due == first
    assert host.begun == [
        *([START] if first == START else []),
        START + 50 * MINUTE,
        START + 110 * MINUTE,
    ]


def test_started_again_it_makes_up_for_nothing_twice(host: Host) -> None:
    host.ran(START - 30 * DAY)
    host.start(HOURLY).run_until(START + MINUTE)

    engine = host.start(HOURLY)

    assert planned(engine) == START + 50 * MINUTE
    assert host.begun == [START]


def test_hours_are_those_of_the_time_zone(host: Host) -> None:
    engine = host.start(replace(HOURLY, cron=("30 7 * * mon-fri",), timezone="Europe/Berlin"))

    assert planned(engine) == datetime(2026, 11, 23, 7, 30, tzinfo=ZoneInfo("Europe/Berlin"))


def test_the_first_of_several_times_counts(host: Host) -> None:
    engine = host.start(replace(HOURLY, cron=("0 0 * * *", "15 * * * *")))

    assert planned(engine) == START + 5 * MINUTE


def test_a_cycle_begins_a_little_later_than_everybody_elses(host: Host) -> None:
    host.jitter = 0.5

    engine = host.start(replace(HOURLY, jitter=MINUTE))

    assert planned(engine) == START + 50.5 * MINUTE


@pytest.mark.parametrize(
    "due, begins",
    [
        pytest.param(20 * MINUTE, 20 * MINUTE, id="before-its-time"),
        pytest.param(2 * MINUTE, 10 * MINUTE, id="after-a-pause"),
        pytest.param(3 * HOUR, 50 * MINUTE, id="after-its-time"),
    ],
)
def test_what_is_held_back_is_looked_at_when_its_time_has_come(
    host: Host, due: timedelta, begins: timedelta
) -> None:
    host.due(START + due)

    engine = host.start(HOURLY)

    assert planned(engine) == START + begins


def test_a_timetable_without_another_time_plans_nothing(host: Host) -> None:
    engine = host.start(replace(HOURLY, cron=("0 0 31 2 *",)))

    assert engine.waiting == []
