"""The scheduler: whatever becomes of a cycle, there is a next one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from digestbot.forge.repo import Repo
from digestbot.image import ImageReference
from digestbot.service.jobs import Job, Stop, Work
from digestbot.service.scheduler import HINTS_WITHIN, MOST_HINTS, Scheduler, Timetable
from digestbot.service.scope import Scope
from digestbot.store import repos
from digestbot.store.database import Database
from digestbot.store.errors import StoreError
from digestbot.store.location import Location
from tests.github.clock import VirtualClock
from tests.service.state import add_findings, add_repos, finding
from tests.service.virtual_engine import VirtualEngine

MORNING = datetime(2026, 11, 21, 6, 5, tzinfo=UTC).timestamp()
HOURLY = Timetable(("0 * * * *",))


class Service:
    """A scheduler over an empty state, and an engine whose time stands still."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = VirtualClock(MORNING)
        self.cycles = 0
        self.scopes: list[Scope] = []
        self.askers: list[list[str]] = []
        self.takes_s = self.hint_takes_s = 0.0
        self.errors: list[BaseException] = []
        self.is_behind_s = 0.0
        clock = replace(self.clock.as_clock(), wall=lambda: self.clock.now() - self.is_behind_s)
        self.scheduler = Scheduler(database, HOURLY, self._cycle, self._open, clock)
        self.scheduler.open()
        self.scheduler.start()

    def wait(self, span: timedelta) -> None:
        self.engine.run_until(self.engine.now() + span)

    def hold(self, span: timedelta) -> None:
        """Have a repo wait until so much later."""
        now = self.engine.now()
        with self.database.begin() as connection:
            found = Repo("acme/app", "main", None, None)
            repos.note_listed(connection, "github:acme", "run", [found], now)
            repos.settle(connection, 1, repo=found, rules="", due_at=now + span, now=now)

    def follow(self, name: str, image: str) -> None:
        """Have a repo with an image."""
        with self.database.begin() as connection:
            number = add_repos(connection, name)[name]
            add_findings(connection, number, finding(image))

    def _cycle(self, _stop: Stop, scope: Scope | None, by: Sequence[str]) -> None:
        self.askers.append(list(by))
        if scope is not None:
            self.scopes.append(scope)
            self.clock.advance(self.hint_takes_s)
            return
        self.cycles += 1
        self.clock.advance(self.takes_s)

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


def test_a_tag_that_always_moves_keeps_the_service_busy_half_of_the_time_at_most(
    service: Service,
) -> None:
    service.takes_s = 1200
    service.wait(timedelta(hours=1))
    service.hold(timedelta(seconds=1))

    next_one = service.scheduler.next_cycle()

    assert next_one is not None
    assert next_one - service.engine.now() >= timedelta(seconds=1200)


def test_a_clock_that_is_set_back_keeps_nobody_waiting(service: Service) -> None:
    service.wait(timedelta(hours=1))
    service.scheduler.check_clock()
    (planned, _), *_ = service.engine.waiting

    service.is_behind_s = timedelta(days=400).total_seconds()
    service.scheduler.check_clock()

    (at, _), *_ = service.engine.waiting
    assert planned - at >= timedelta(days=400)


def test_a_state_that_fails_for_a_moment_does_not_end_the_service(service: Service) -> None:
    with service.database.begin() as connection:
        connection.execute(text("ALTER TABLE schedules RENAME TO elsewhere"))
    service.wait(timedelta(hours=1))
    with service.database.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO schedules"))

    service.wait(timedelta(hours=2))

    assert {type(error) for error in service.errors} == {StoreError}
    assert service.cycles > 0


def test_what_somebody_says_moved_is_looked_at_and_the_timetable_goes_on(service: Service) -> None:
    service.wait(timedelta(minutes=1))
    cycles = service.cycles
    service.follow("acme/app", "python:3")
    service.engine.submit(Job("image", "image:a", {"image": "python:3"}))
    service.engine.submit(Job("repo", "repo:b", {"repo": "acme/app"}))

    service.wait(timedelta(minutes=1))

    (tag,) = [ImageReference.parse("python:3").followed]
    assert tag is not None
    assert service.scopes == [Scope(images=frozenset({tag})), Scope(repos=frozenset({"acme/app"}))]
    assert service.cycles == cycles
    assert [job.name for _, job in service.engine.waiting] == ["cycle"]


def test_what_nobody_here_has_or_follows_is_no_cycle(service: Service) -> None:
    service.wait(timedelta(minutes=1))
    service.follow("acme/app", "python:3")
    service.engine.submit(Job("image", "image:a", {"image": "python:4"}))
    service.engine.submit(Job("image", "image:b", {"image": "evil.example/python:3"}))
    service.engine.submit(Job("repo", "repo:c", {"repo": "stranger/app"}))

    service.wait(timedelta(minutes=1))

    assert (service.scopes, service.errors) == ([], [])


def test_a_burst_of_hints_does_not_keep_the_cycle_waiting(service: Service) -> None:
    service.wait(timedelta(minutes=54))
    service.follow("acme/app", "python:3")
    service.hint_takes_s = 40
    cycles = service.cycles
    for number in range(100):
        service.engine.submit(Job("image", f"image:{number}", {"image": "python:3"}))

    service.wait(timedelta(minutes=5))

    # At 6:59:00 and 6:59:40; the others are for the cycle of 7:00.
    assert len(service.scopes) == 2
    assert service.cycles == cycles + 1
    service.engine.submit(Job("image", "image:a", {"image": "python:3"}))
    service.wait(timedelta(minutes=1))
    assert len(service.scopes) == 3


def test_beyond_so_many_hints_one_cycle_stands_for_all(service: Service) -> None:
    service.wait(timedelta(minutes=1))
    service.follow("acme/app", "python:3")
    cycles = service.cycles

    def storm(name: str) -> None:
        for number in range(MOST_HINTS):
            job = Job("image", f"image:{name}{number}", {"image": "python:3"}, (f"webhook {name}",))
            service.engine.submit(job)
        service.wait(timedelta(minutes=1))

    for name in "abc":
        storm(name)
    service.wait(HINTS_WITHIN)

    assert len(service.scopes) == MOST_HINTS
    assert service.cycles == cycles + 1
    assert service.askers[:2] == [[], ["webhook a"]]
    assert service.askers[-1] == ["webhook b", "webhook c"]
    storm("d")
    assert len(service.scopes) == 2 * MOST_HINTS


@pytest.mark.parametrize("image", ["", "python:-", "python@sha256:" + "a" * 64])
def test_a_hint_that_names_no_tag_is_an_error_of_that_job_alone(
    service: Service, image: str
) -> None:
    service.engine.submit(Job("image", "image:a", {"image": image}))

    service.wait(timedelta(hours=2))

    assert service.scopes == []
    assert len(service.errors) == 1
    assert service.cycles > 1
