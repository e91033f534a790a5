from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from digestbot.forge.errors import ForgeError
from digestbot.rollout.machine import State, Verb
from digestbot.rollout.progress import TargetState
from digestbot.service.jobs import Job
from digestbot.service.rollouts.pacemaker import STEP, Pacemaker, job_of
from digestbot.service.rollouts.rounds import Rounds, Tools
from tests.service.rollouts.arena import Arena, arena
from tests.service.virtual_engine import VirtualEngine

MINUTE = timedelta(minutes=1)


@dataclass
class Service:
    """A rollout's world with an engine that beats when it is told to."""

    world: Arena
    pacemaker: Pacemaker
    engine: VirtualEngine
    failures: list[BaseException]
    steps: list[str] = field(default_factory=list)

    def beat(self) -> None:
        self.pacemaker.beat(self.engine)
        self.engine.idle(0)

    def wait(self, span: timedelta) -> None:
        self.engine.run_until(self.world.now() + span)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with arena(tmp_path) as world:

        @contextmanager
        def tools() -> Iterator[Tools]:
            service.steps.append(world.rollout().standing.state.value)
            yield Tools(world.ways())

        pacemaker = Pacemaker(Rounds(world.database, tools), world.clock.as_clock())
        failures: list[BaseException] = []

        def failed(_job: Job, error: BaseException) -> None:
            failures.append(error)

        def work(job: Job, stop: object) -> None:
            pacemaker.work(job, world.stop, engine)

        engine = VirtualEngine({STEP: work}, clock=world.clock, on_error=failed)
        service = Service(world, pacemaker, engine, failures)
        yield service


def test_what_was_only_planned_is_left_alone(service: Service) -> None:
    service.beat()
    service.wait(10 * MINUTE)

    assert service.steps == []


def test_what_somebody_starts_begins_with_the_next_beat(service: Service) -> None:
    service.beat()
    service.world.tell(Verb.START)

    service.beat()

    assert sorted(service.world.open_pulls()) == sorted(service.world.wave(0))


def test_it_is_looked_at_each_minute(service: Service) -> None:
    service.world.tell(Verb.START)
    service.beat()
    before = len(service.steps)

    service.wait(10 * MINUTE)

    assert len(service.steps) == before + 10


def test_beats_in_which_nothing_happened_ask_for_nothing(service: Service) -> None:
    service.world.tell(Verb.START)
    service.beat()
    before = len(service.steps)

    for _ in range(5):
        service.beat()

    assert len(service.steps) == before


def test_what_people_say_takes_effect_with_the_next_beat(service: Service) -> None:
    service.world.tell(Verb.START)
    service.beat()

    service.world.tell(Verb.ABORT)
    service.beat()

    assert service.world.open_pulls() == {}


def test_the_next_wave_begins_as_soon_as_its_gate_opens(service: Service) -> None:
    service.world.tell(Verb.START)
    service.beat()
    service.world.merge()

    service.wait(70 * MINUTE)

    assert set(service.world.open_pulls()) == set(service.world.wave(1))


def test_all_of_it_goes_by_itself_and_ends(service: Service) -> None:
    service.world.tell(Verb.START)
    service.beat()
    service.wait(timedelta(hours=6))
    assert service.world.rollout().standing.state is State.WATCHING

    service.wait(timedelta(days=8))

    assert service.world.rollout().standing.state is State.CLOSED
    assert service.world.rollout().is_settled
    assert service.engine.waiting == []


def test_what_is_over_goes_on_when_somebody_says_so(service: Service) -> None:
    service.world.tell(Verb.START)
    service.beat()
    service.world.merge()
    service.wait(MINUTE)
    service.world.tell(Verb.ABORT)
    service.beat()
    service.wait(MINUTE)
    assert service.engine.waiting == []

    service.world.tell(Verb.ROLLBACK)
    service.beat()

    assert service.world.targets(is_back=True)


@pytest.mark.parametrize("error", [ForgeError("it is down", code="unreachable"), OSError("odd")])
def test_a_step_that_fails_is_tried_again_a_minute_later(
    service: Service, error: Exception
) -> None:
    service.world.tell(Verb.START)
    service.beat()
    real = service.world.statuses

    def broken(_pulls: object) -> NoReturn:
        raise error

    service.world.statuses = broken  # type: ignore[method-assign, assignment]
    service.wait(MINUTE)
    # What is no error of ours is for whoever runs the engine to tell.
    assert service.failures == ([error] if isinstance(error, OSError) else [])

    service.world.statuses = real  # type: ignore[method-assign]
    service.world.merge()
    service.wait(MINUTE)

    assert set(service.world.states().values()) >= {TargetState.MERGED}


def test_a_state_that_is_broken_ends_nothing(service: Service) -> None:
    service.world.tell(Verb.START)
    file = service.world.database.location.file
    assert file is not None
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE rollout_events")
        connection.commit()

    service.beat()

    assert service.steps == []


def test_each_rollout_has_a_job_of_its_own() -> None:
    assert job_of("a").key != job_of("b").key
