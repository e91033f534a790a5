"""A rollout replaces what its plan says, where it says so, and nothing that is there by then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from digestbot.rollout.machine import State, Verb
from digestbot.rollout.progress import TargetState
from tests.proposals.builders import dockerfile
from tests.service.rollouts.arena import IMAGE, NEW, OLD, Arena, arena


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Arena]:
    with arena(tmp_path) as found:
        yield found


def test_a_repo_that_moved_on_before_its_turn_is_not_moved_back(world: Arena) -> None:
    name = world.wave(0)[0]
    world.forge.rooms[name].push({"Dockerfile": dockerfile(IMAGE, at=2)})
    world.tell(Verb.START)

    world.step()

    assert name not in world.open_pulls()
    target = world.targets()[name]
    assert target.state is TargetState.SKIPPED
    assert "another digest" in target.why


def test_a_repo_that_moved_on_since_is_not_rolled_back(world: Arena) -> None:
    world.tell(Verb.START)
    world.step()
    world.merge()
    world.step()
    first, second = world.wave(0)
    world.forge.rooms[first].push({"Dockerfile": dockerfile(IMAGE, at=2)})

    world.tell(Verb.ROLLBACK)
    world.until(State.ROLLED_BACK)

    assert list(world.open_pulls()) == [second]
    assert world.states(is_back=True)[first] is TargetState.SKIPPED


def test_a_file_that_the_plan_does_not_name_stays_as_it_is(world: Arena) -> None:
    name = world.wave(0)[0]
    world.forge.rooms[name].push({"other/Dockerfile": dockerfile(IMAGE, at=0)})
    world.tell(Verb.START)

    world.step()
    world.merge()

    files = world.forge.rooms[name].files()
    assert str(NEW).encode() in files["Dockerfile"]
    assert str(OLD).encode() in files["other/Dockerfile"]


def test_a_file_that_had_the_digest_before_keeps_it_on_the_way_back(world: Arena) -> None:
    name = world.wave(0)[0]
    world.forge.rooms[name].push({"other/Dockerfile": dockerfile(IMAGE, at=1)})
    world.tell(Verb.START)
    world.step()
    world.merge()

    world.tell(Verb.ROLLBACK)
    world.until(State.ROLLED_BACK)
    world.merge()

    files = world.forge.rooms[name].files()
    assert str(OLD).encode() in files["Dockerfile"]
    assert str(NEW).encode() in files["other/Dockerfile"]


def test_what_is_tried_again_where_it_moved_on_is_left_out(world: Arena) -> None:
    world.tell(Verb.START)
    world.step()
    name = world.wave(0)[0]
    world.forge.rooms[name].push({"Dockerfile": dockerfile(IMAGE, at=2)})
    world.tell(Verb.RETRY, name)

    world.step()

    assert name not in world.open_pulls()
    assert world.states()[name] is TargetState.SKIPPED
