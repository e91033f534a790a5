from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from digestbot.forge.steps import DisableAutoMerge, EnableAutoMerge, Merge, Step
from digestbot.forge.watching import ChecksOf
from digestbot.proposals.settings import ProposalSettings
from digestbot.rollout.machine import State, Verb
from digestbot.store import deeds, rollouts
from digestbot.store.deeds import Deed
from tests.proposals.memory import MemoryForge
from tests.service.rollouts.arena import Arena, arena

RED = ChecksOf(failing=("build",))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Arena]:
    """One in which GitHub merges what is green, and the first wave after the canary is open."""
    with arena(tmp_path) as found:
        own = ProposalSettings(labels=(), automerge=True, automerge_without_checks=True)
        found.rules = replace(found.rules, proposals=own)
        for repo in found.forge.rooms.values():
            repo.allows_auto_merge = True
        found.tell(Verb.START)
        found.step(8, minutes=10)
        yield found


def merging(world: Arena) -> set[str]:
    return {name for name, repo in world.forge.rooms.items() if repo.auto_merging}


def halt(world: Arena) -> None:
    world.ci.says = dict.fromkeys(world.wave(1), RED)
    world.until(State.HALTED)


def test_what_is_open_would_be_merged_by_the_forge(world: Arena) -> None:
    assert merging(world) == {*world.wave(0), *world.wave(1)}


def test_halted_nothing_is_merged_by_itself(world: Arena) -> None:
    halt(world)

    assert merging(world) == set()


def test_it_is_withdrawn_once(world: Arena) -> None:
    halt(world)
    asked: list[str] = []
    real = world._open

    def opened(name: str) -> object:
        asked.append(name)
        return real(name)

    world._open = opened  # type: ignore[method-assign, assignment]  # who is asked is counted
    # Somebody wants it all the same.
    name = world.wave(1)[0]
    world.forge.rooms[name].auto_merging.add(world.targets()[name].number)

    world.step(3)

    assert asked == []
    assert merging(world) == {name}


def test_what_is_open_in_a_repo_that_was_left_out_is_withdrawn_too(world: Arena) -> None:
    left = world.wave(1)[0]
    world.tell(Verb.SKIP, left)
    world.step()
    assert left in merging(world)

    halt(world)

    assert merging(world) == set()


def test_one_whose_number_is_not_known_yet_is_found_and_withdrawn_at_once(world: Arena) -> None:
    halt(world)
    name = world.wave(1)[0]
    lost = replace(world.targets()[name], number=0)
    with world.database.begin() as connection:
        deeds.forget(connection, world.name, (name, world.targets()[name].number, Deed.WITHDRAWN))
        rollouts.note_targets(connection, world.name, [lost])
    world.forge.rooms[name].auto_merging.add(world.open_pulls()[name][0])

    world.step()

    assert merging(world) == set()


@pytest.mark.parametrize("verb", [Verb.ABORT, Verb.ROLLBACK])
def test_on_the_way_out_nothing_is_ordered_to_be_merged(world: Arena, verb: Verb) -> None:
    name = world.wave(1)[0]
    lost = replace(world.targets()[name], number=0)
    room = world.forge.rooms[name]
    number = world.open_pulls()[name][0]
    room.auto_merging.clear()
    room.change(number, lambda pull: replace(pull, was_auto_merged=False))
    with world.database.begin() as connection:
        rollouts.note_targets(connection, world.name, [lost])
    performed: list[Step] = []
    real = world._open

    def opened(repo: str) -> MemoryForge:
        found = real(repo)
        assert isinstance(found, MemoryForge)
        found.performed = performed
        return found

    world._open = opened  # type: ignore[method-assign, assignment]  # what is written is watched
    world.tell(verb)

    world.step(2)

    assert not any(isinstance(step, EnableAutoMerge | Merge) for step in performed)
    assert name not in world.open_pulls()


def test_resumed_the_forge_merges_again(world: Arena) -> None:
    halt(world)
    world.ci.says = {}

    world.tell(Verb.RESUME)
    world.step()

    assert merging(world) >= {*world.wave(0), *world.wave(1)}


def test_resumed_and_halted_again_it_is_withdrawn_again(world: Arena) -> None:
    halt(world)
    world.tell(Verb.RESUME)
    world.step()
    assert merging(world) >= set(world.wave(1))
    world.ci.says = dict.fromkeys(world.forge.rooms, RED)

    world.until(State.HALTED)

    assert merging(world) == set()


def test_what_was_not_ordered_is_not_ordered_by_going_on(world: Arena) -> None:
    own = replace(world.rules.proposals, automerge=False)
    name = world.wave(1)[0]
    room = world.forge.rooms[name]
    number = world.targets()[name].number
    room.auto_merging.clear()
    room.change(number, lambda pull: replace(pull, was_auto_merged=False))
    halt(world)
    world.rules = replace(world.rules, proposals=own)

    world.tell(Verb.RESUME)
    world.step()

    assert room.auto_merging == set()
    with world.database.reading() as connection:
        assert deeds.of(connection, world.name) == frozenset()


def test_a_stop_leaves_the_rest_for_the_next_step(world: Arena) -> None:
    world.ci.says = dict.fromkeys(world.wave(1), RED)
    world.until(State.HALTED)
    with world.database.begin() as connection:
        for repo, number, deed in deeds.of(connection, world.name):
            deeds.forget(connection, world.name, (repo, number, deed))
    world.stop.set()

    world.step()

    with world.database.reading() as connection:
        assert deeds.of(connection, world.name) == frozenset()
    world.stop.clear()
    world.step()
    with world.database.reading() as connection:
        found = deeds.of(connection, world.name)
    assert {repo for repo, _, deed in found if deed is Deed.WITHDRAWN} == {
        *world.wave(0),
        *world.wave(1),
    }


def test_withdrawing_what_is_not_ordered_does_no_harm(world: Arena) -> None:
    room = world.forge.rooms[world.wave(0)[0]]
    room.auto_merging.clear()

    world.forge.perform(room.shown(), DisableAutoMerge(1))

    assert room.auto_merging == set()
