from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from digestbot.rollout.machine import State, Verb
from digestbot.store.rollout_marks import Mark, marks
from tests.service.rollouts.arena import Arena, arena


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Arena]:
    with arena(tmp_path) as made:
        yield made


def mark(world: Arena) -> Mark:
    with world.database.reading() as connection:
        return marks(connection, [world.name])[world.name]


def test_before_its_start_it_is_nowhere(world: Arena) -> None:
    assert mark(world) == Mark(0, 3, None)


def test_it_knows_since_when_it_is_what_it_is(world: Arena) -> None:
    world.tell(Verb.START)
    world.clock.advance(600)
    world.tell(Verb.PAUSE)
    paused = world.now()
    world.clock.advance(600)
    world.tell(Verb.PROMOTE)

    assert mark(world).since == paused == world.rollout().standing.since


def test_it_tells_what_replaying_tells(world: Arena) -> None:
    world.tell(Verb.START)
    for _ in range(12):
        world.merge()
        standing = world.step(2, 20)

        assert (mark(world).wave, mark(world).since) == (standing.wave, standing.since)
    assert standing.state is State.WATCHING
    assert standing.wave == 2


def test_what_is_not_there_is_nowhere(world: Arena) -> None:
    with world.database.reading() as connection:
        assert marks(connection, ["nothing"]) == {"nothing": Mark()}
        assert marks(connection, []) == {}
