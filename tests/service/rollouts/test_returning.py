"""The way back of a rollout, and what its way out leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from digestbot.forge.errors import DeferredError, RefusedError
from digestbot.forge.interface import Forge
from digestbot.forge.pull import PullState
from digestbot.rollout.machine import State, Verb
from digestbot.rollout.pacing import PaceRules
from digestbot.rollout.progress import OPEN, Target, TargetState
from digestbot.service.rollouts.work import MOST_IN_VAIN
from digestbot.store import rollouts
from digestbot.store.rollouts import OVER
from tests.proposals.builders import dockerfile
from tests.proposals.memory import Fault
from tests.service.rollouts.arena import IMAGE, NEW, OLD, RULES, Arena, arena


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Arena]:
    with arena(tmp_path) as found:
        yield found


@pytest.fixture
def merged(tmp_path: Path) -> Iterator[Arena]:
    """Ten pull requests may be opened in an hour, and all of twelve repos have the digest."""
    pace = PaceRules(per_minute=1000, per_hour=50, pending=4)
    with arena(tmp_path, 12, replace(RULES, pace=pace)) as found:
        found.tell(Verb.START)
        while set(found.states().values()) != {TargetState.MERGED}:
            found.step(minutes=10)
            found.merge()
        found.clock.advance(3600)
        yield found


def test_the_way_back_goes_no_faster_than_the_way_there(merged: Arena) -> None:
    merged.tell(Verb.ROLLBACK)
    opened: list[int] = []

    for _ in range(12):
        before = sum(len(room.pulls) for room in merged.forge.rooms.values())
        merged.step(minutes=5)
        merged.merge()
        opened.append(sum(len(room.pulls) for room in merged.forge.rooms.values()) - before)

    assert max(opened) == 4
    assert sum(opened) == 10


def test_what_was_opened_a_moment_ago_on_the_way_there_counts_along(world: Arena) -> None:
    rules = replace(RULES, pace=PaceRules(per_minute=10, per_hour=1000))
    world.plan = replace(world.plan, rules=rules)
    with world.database.begin() as connection:
        world.name = rollouts.create(connection, world.plan)
    world.tell(Verb.START)
    world.step(minutes=0)
    world.merge()

    world.tell(Verb.ROLLBACK)
    world.step(minutes=0)

    assert set(world.states(is_back=True).values()) == {TargetState.WAITING}


def test_offers_are_looked_at_until_they_are_answered(merged: Arena) -> None:
    merged.tell(Verb.ROLLBACK)
    merged.until(State.ROLLED_BACK)
    assert merged.step().state is State.ROLLED_BACK
    assert not merged.rollout().is_settled

    merged.merge()
    merged.step()

    assert set(merged.states(is_back=True).values()) == {TargetState.MERGED}
    assert merged.rollout().is_settled


def test_offers_that_nobody_answers_are_left_after_the_time_of_watching(merged: Arena) -> None:
    merged.tell(Verb.ROLLBACK)
    merged.until(State.ROLLED_BACK)

    merged.clock.advance(timedelta(days=7).total_seconds())
    merged.step()

    assert merged.rollout().is_settled


def test_a_repo_whose_merge_nobody_wrote_down_goes_back_too(world: Arena) -> None:
    world.tell(Verb.START)
    world.step()
    world.merge()
    name = world.wave(0)[0]
    with world.database.begin() as connection:
        rollouts.note_targets(connection, world.name, [Target(name, 0)])
    world.step()
    assert world.targets()[name].opened_at is None

    world.tell(Verb.ROLLBACK)
    world.until(State.ROLLED_BACK)
    world.merge()

    assert str(OLD).encode() in world.pinned(name)


def test_a_repo_that_had_the_digest_before_keeps_it(world: Arena) -> None:
    name = world.wave(0)[0]
    world.forge.rooms[name].push({"Dockerfile": dockerfile(IMAGE, at=1)})
    world.tell(Verb.START)
    world.step()
    world.merge()

    world.tell(Verb.ROLLBACK)
    world.until(State.ROLLED_BACK)
    world.merge()

    assert str(NEW).encode() in world.pinned(name)
    assert world.states(is_back=True)[name] is TargetState.SKIPPED


def test_a_refusal_on_the_way_back_halves_the_pace_and_the_rest_waits(merged: Arena) -> None:
    merged.tell(Verb.ROLLBACK)
    merged.forge.fault = Fault(0, DeferredError("too much", code="rate-limited"))

    merged.step()

    assert merged.rollout().pace.share == 0.5
    assert set(merged.states(is_back=True).values()) == {TargetState.WAITING}
    assert merged.until(State.ROLLED_BACK).state is State.ROLLED_BACK


def test_one_that_cannot_go_back_holds_up_no_other(merged: Arena) -> None:
    merged.tell(Verb.ROLLBACK)
    merged.forge.fault = Fault(0, RefusedError("no", code="forbidden"))

    merged.until(State.ROLLED_BACK)
    merged.merge()
    merged.step()

    found = list(merged.states(is_back=True).values())
    assert found.count(TargetState.FAILED) == 1
    assert found.count(TargetState.MERGED) == 11


def forget(world: Arena, name: str) -> None:
    """A repo as it was before somebody wrote down that something was opened there."""
    with world.database.begin() as connection:
        rollouts.note_targets(connection, world.name, [Target(name, world.targets()[name].wave)])


def test_ended_on_its_way_back_nothing_stays_open(merged: Arena) -> None:
    merged.tell(Verb.ROLLBACK)
    merged.step()
    assert merged.open_pulls()

    merged.tell(Verb.ABORT)
    merged.step(3)

    assert merged.open_pulls() == {}
    assert merged.rollout().is_settled
    assert set(merged.states(is_back=True).values()) == {TargetState.CLOSED}


def test_ended_on_its_way_back_and_sent_back_again_all_of_it_goes_back(merged: Arena) -> None:
    merged.tell(Verb.ROLLBACK)
    merged.step()
    merged.tell(Verb.ABORT)
    merged.step(3)

    merged.tell(Verb.ROLLBACK)
    while merged.until(State.ROLLED_BACK, State.ROLLING_BACK).state is not State.ROLLED_BACK:
        merged.merge()
    merged.merge()

    assert all(str(OLD).encode() in merged.pinned(name) for name in merged.forge.rooms)


def replace_open(world: Arena, name: str) -> Target:
    """A repo as it was before somebody wrote down that it was closed."""
    return replace(world.targets()[name], state=TargetState.GREEN, ended_at=None)


@pytest.mark.parametrize("verb", [Verb.ABORT, Verb.ROLLBACK])
class TestTheWayOut:
    def test_what_is_open_in_repos_that_were_left_out_is_closed_too(
        self, world: Arena, verb: Verb
    ) -> None:
        world.tell(Verb.START)
        world.step()
        left = world.wave(0)[0]
        world.tell(Verb.SKIP, left)
        world.step()
        assert world.states()[left] is TargetState.SKIPPED

        world.tell(verb)
        world.step(2)

        assert world.open_pulls() == {}
        assert world.states()[left] is TargetState.CLOSED

    def test_what_people_hold_stays_as_it_is(self, world: Arena, verb: Verb) -> None:
        world.tell(Verb.START)
        world.step()
        held = world.wave(0)[0]
        world.ci.labels = {held: ("digestbot/hold",)}
        world.step()

        world.tell(verb)
        world.step(2)

        assert list(world.open_pulls()) == [held]
        assert world.states()[held] is TargetState.SKIPPED

    def test_what_was_closed_before_a_step_broke_off_is_closed_to_the_end(
        self, world: Arena, verb: Verb
    ) -> None:
        world.tell(Verb.START)
        world.step(2)
        half = world.wave(0)[0]
        world.tell(verb)
        world.forge.rooms[half].close(world.targets()[half].number)

        world.step(2)

        assert world.states()[half] is TargetState.CLOSED
        assert list(world.forge.rooms[half].branches) == ["main"]

    def test_what_is_closed_says_why_once_and_keeps_what_it_said(
        self, world: Arena, verb: Verb
    ) -> None:
        world.tell(Verb.START)
        world.step(2)
        half = world.wave(0)[0]
        number = world.targets()[half].number
        before = world.forge.rooms[half].pulls[number].body
        world.tell(verb)

        world.step()
        with world.database.begin() as connection:
            rollouts.note_targets(connection, world.name, [replace_open(world, half)])
        world.step()

        said = world.forge.rooms[half].pulls[number].body
        assert said.startswith("The rollout ")
        assert said.endswith(f".\n\n{before}")
        assert said.count("The rollout ") == 1

    def test_what_is_tried_again_when_it_ends_is_closed_too(self, world: Arena, verb: Verb) -> None:
        world.tell(Verb.START)
        world.step(2)
        world.tell(Verb.PAUSE)
        world.tell(Verb.RETRY, world.wave(0)[0])
        world.step()

        world.tell(verb)
        world.step(3)

        assert world.open_pulls() == {}

    def test_what_was_opened_before_a_step_broke_off_is_closed_too(
        self, world: Arena, verb: Verb
    ) -> None:
        world.tell(Verb.START)
        world.step()
        forget(world, world.wave(0)[0])

        world.tell(verb)
        world.step(3)

        assert world.open_pulls() == {}

    def test_what_somebody_pushed_to_a_branch_stays(self, world: Arena, verb: Verb) -> None:
        world.tell(Verb.START)
        world.step(2)
        room = world.forge.rooms[world.wave(0)[0]]
        branch = next(name for name in room.branches if name != room.default_branch)
        head = room.push({"Dockerfile": b"FROM scratch\n"}, branch)

        world.tell(verb)
        world.step(3)

        assert world.open_pulls() == {}
        assert room.branches[branch] == head

    def test_what_is_merged_just_before_it_would_be_closed_is_merged(
        self, world: Arena, verb: Verb
    ) -> None:
        world.tell(Verb.START)
        world.step(2)
        name = world.wave(0)[0]
        number = world.targets()[name].number
        world.tell(verb)
        real = world._open

        def opened(repo: str) -> Forge:
            room = world.forge.rooms[name]
            if room.pulls[number].state is PullState.OPEN:
                room.merge(number)
            return real(repo)

        world._open = opened  # type: ignore[method-assign, assignment]  # the forge is faster

        world.step(3)

        assert world.states()[name] is TargetState.MERGED
        assert (name in world.targets(is_back=True)) is (verb is Verb.ROLLBACK)

    def test_a_repo_that_is_gone_holds_up_the_end_for_a_day_at_most(
        self, world: Arena, verb: Verb
    ) -> None:
        world.tell(Verb.START)
        world.step(2)
        gone = world.wave(0)[0]
        real = world._open

        def opened(name: str) -> Forge:
            if name == gone:
                raise RefusedError("there is none", code="not-found-or-no-access")
            return real(name)

        world._open = opened  # type: ignore[method-assign]  # the forge does not know it
        world.tell(verb)
        world.step(3)
        assert world.states()[gone] in OPEN

        world.clock.advance(timedelta(days=1).total_seconds())
        world.step(2)

        assert world.states()[gone] is TargetState.CLOSED
        assert world.rollout().standing.state in OVER

    def test_a_no_of_before_stays_a_no(self, world: Arena, verb: Verb) -> None:
        world.tell(Verb.START)
        world.step(2)
        shy = world.wave(0)[0]
        world.forge.rooms[shy].close(world.targets()[shy].number)
        world.step()

        world.tell(verb)
        world.step(2)

        assert world.states()[shy] is TargetState.REJECTED


def test_what_was_merged_though_it_was_left_out_goes_back_too(world: Arena) -> None:
    world.tell(Verb.START)
    world.step()
    left = world.wave(0)[0]
    world.tell(Verb.SKIP, left)
    world.step()
    world.merge(left)

    world.tell(Verb.ROLLBACK)
    world.until(State.ROLLED_BACK)
    world.merge()

    assert str(OLD).encode() in world.pinned(left)


def test_on_the_way_back_a_few_that_have_to_wait_are_asked_at_a_time(merged: Arena) -> None:
    merged.rules = replace(merged.rules, closed="it is night")
    asked: list[str] = []
    real = merged._open

    def opened(name: str) -> Forge:
        asked.append(name)
        return real(name)

    merged._open = opened  # type: ignore[method-assign]  # who is asked is counted
    merged.tell(Verb.ROLLBACK)

    merged.step()
    assert len(asked) == MOST_IN_VAIN < len(merged.forge.rooms)

    merged.step(2)
    assert set(asked) == set(merged.forge.rooms)
