from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from digestbot.forge.errors import DeferredError, ForgeError, RefusedError
from digestbot.forge.interface import Forge
from digestbot.forge.pull import PullState
from digestbot.forge.repo import Mode
from digestbot.forge.watching import ChecksOf, Review
from digestbot.proposals.settings import ProposalSettings
from digestbot.rollout.machine import State, Verb
from digestbot.rollout.progress import TargetState
from digestbot.rollout.waves import WaveRules
from digestbot.service.rollouts.work import MOST_IN_VAIN
from digestbot.store import rollouts
from tests.proposals.builders import digest, dockerfile
from tests.proposals.memory import Fault
from tests.service.rollouts.arena import IMAGE, NEW, OLD, RULES, Arena, arena, with_gate

RED = ChecksOf(failing=("build",))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Arena]:
    with arena(tmp_path) as found:
        yield found


def counted(world: Arena, meanwhile: Callable[[str], object] = lambda _name: None) -> list[str]:
    """The repos that are opened from now on, in order; something happens with each."""
    asked: list[str] = []
    real = world._open

    def opened(name: str) -> Forge:
        asked.append(name)
        meanwhile(name)
        return real(name)

    world._open = opened  # type: ignore[method-assign]  # who is asked is counted
    return asked


class TestWaves:
    def test_nothing_happens_before_it_is_started(self, world: Arena) -> None:
        assert world.step().state is State.PLANNED
        assert world.open_pulls() == {}

    def test_the_canary_alone_comes_first(self, world: Arena) -> None:
        world.tell(Verb.START)

        world.step(3)

        assert sorted(world.open_pulls()) == sorted(world.wave(0))
        assert len(world.wave(0)) == 2

    def test_each_pull_request_brings_the_planned_digest(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.step()

        world.merge()

        for name in world.wave(0):
            assert str(NEW).encode() in world.pinned(name)

    def test_the_next_wave_waits_for_the_soak(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.step()
        world.merge()

        assert world.step(5, minutes=10).wave == 0
        assert world.step(2, minutes=10).wave == 1

    def test_green_is_enough_and_everybody_gets_there(self, world: Arena) -> None:
        world.tell(Verb.START)

        world.until(State.WATCHING)

        assert len(world.open_pulls()) == 20
        assert set(world.states().values()) == {TargetState.GREEN}

    def test_somebody_may_skip_the_soak(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.step(5)

        world.tell(Verb.PROMOTE)

        assert world.step().wave == 1

    def test_it_closes_itself_after_a_week_of_watching(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.until(State.WATCHING)
        world.merge()

        world.clock.advance(timedelta(days=7).total_seconds())

        assert world.step(2).state is State.CLOSED
        assert world.rollout().is_settled is False or world.step().state is State.CLOSED
        assert set(world.states().values()) == {TargetState.MERGED}

    def test_an_approval_is_waited_for(self, tmp_path: Path) -> None:
        with arena(tmp_path, rules=with_gate(needs_approval=True)) as world:
            world.tell(Verb.START)
            assert world.step(9, minutes=10).wave == 0

            world.tell(Verb.APPROVE)

            assert world.step(1).wave == 1
            assert world.step(9, minutes=10).wave == 1

    def test_after_the_last_wave_nothing_is_left_to_approve(self, tmp_path: Path) -> None:
        with arena(tmp_path, rules=with_gate(needs_approval=True)) as world:
            world.tell(Verb.START)
            while world.rollout().standing.wave + 1 < world.plan.waves:
                world.tell(Verb.APPROVE)
                world.step(8, minutes=10)

            assert world.until(State.WATCHING).state is State.WATCHING

    def test_what_was_adopted_a_moment_ago_soaks_too(self, world: Arena) -> None:
        for name in world.wave(0):
            room = world.forge.rooms[name]
            room.open("renovate/alpine", {"Dockerfile": dockerfile(IMAGE, at=1)})
        world.tell(Verb.START)

        assert world.step(5, minutes=10).wave == 0
        assert world.step(3, minutes=10).wave == 1

    @pytest.mark.parametrize(
        "answer, wave", [(True, 1), (False, 0), (None, 0)], ids=["yes", "no", "silence"]
    )
    def test_a_webhook_is_asked_once_all_else_is_well(
        self, tmp_path: Path, answer: bool | None, wave: int
    ) -> None:
        asked: list[int] = []

        def probe() -> bool | None:
            asked.append(1)
            return answer

        with arena(tmp_path, rules=with_gate(probe=True)) as world:
            world.probe = probe
            world.tell(Verb.START)
            world.step(5, minutes=10)
            assert asked == []

            assert world.step(2, minutes=10).wave == wave
            assert asked


class TestChecks:
    def test_too_many_failures_halt_it_and_say_which(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.step(8, minutes=10)
        world.ci.says = dict.fromkeys(world.wave(1), RED)

        standing = world.until(State.HALTED)

        assert standing.wave == 1
        assert not set(world.open_pulls()) & set(world.wave(2))
        assert world.targets()[world.wave(1)[0]].failing == ("build",)
        assert any("fail" in text for text in world.told)

    def test_one_failing_repo_of_the_canary_halts_it(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.ci.says = {world.wave(0)[0]: RED}

        standing = world.until(State.HALTED)

        assert standing.wave == 0
        assert sorted(world.open_pulls()) == sorted(world.wave(0))
        assert any("1 of 2 repos fail" in text for text in world.told)

    def test_one_failing_repo_of_a_later_wave_halts_nothing(self, tmp_path: Path) -> None:
        with arena(tmp_path, rules=with_gate(failed=0.0)) as world:
            world.tell(Verb.START)
            world.step(8, minutes=10)
            world.ci.says = {world.wave(1)[0]: RED}

            standing = world.step(8, minutes=10)

            assert standing.state is State.RUNNING
            assert TargetState.RED in world.states().values()

    def test_in_the_step_that_halts_it_nothing_more_is_opened(self, tmp_path: Path) -> None:
        rules = replace(RULES, pace=replace(RULES.pace, pending=4))
        with arena(tmp_path, 40, rules) as world:
            world.tell(Verb.START)
            while not set(world.open_pulls()) & set(world.wave(2)):
                world.step(minutes=10)
            begun = world.open_pulls()
            assert len(begun) < len(world.forge.rooms)
            world.ci.says = dict.fromkeys(begun, RED)

            assert world.step().state is State.HALTED

            assert world.open_pulls() == begun

    def test_what_failed_on_the_base_before_halts_nothing(self, world: Arena) -> None:
        world.ci.says = dict.fromkeys(world.forge.rooms, ChecksOf(failing=("lint",), passed=3))
        world.ci.base = dict.fromkeys(world.forge.rooms, ChecksOf(failing=("lint",)))
        world.tell(Verb.START)

        world.until(State.WATCHING)

        assert set(world.states().values()) == {TargetState.GREEN}

    def test_what_was_just_opened_is_not_green_yet(self, world: Arena) -> None:
        world.tell(Verb.START)

        world.step(2)
        assert {world.states()[name] for name in world.wave(0)} == {TargetState.PENDING}

        world.step(3)
        assert {world.states()[name] for name in world.wave(0)} == {TargetState.GREEN}

    def test_without_checks_nothing_goes_on_by_itself(self, world: Arena) -> None:
        world.ci.says = dict.fromkeys(world.forge.rooms, ChecksOf())
        world.tell(Verb.START)

        assert world.step(20, minutes=10).wave == 0
        assert set(world.states().values()) == {TargetState.UNKNOWN, TargetState.WAITING}

    def test_merged_counts_where_nothing_checks(self, world: Arena) -> None:
        world.ci.says = dict.fromkeys(world.forge.rooms, ChecksOf())
        world.tell(Verb.START)
        world.step()

        world.merge()

        assert world.step(7, minutes=10).wave == 1

    def test_whoever_resumes_goes_on_with_what_failed(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.step(8, minutes=10)
        broken = world.wave(1)[:3]
        world.ci.says = dict.fromkeys(broken, RED)
        world.until(State.HALTED)

        world.tell(Verb.RESUME)

        assert world.step().accepted == 3
        world.ci.says = {}
        assert world.until(State.WATCHING).accepted == 0

    def test_what_failed_while_it_was_halted_does_not_halt_it_again(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.step(8, minutes=10)
        world.ci.says = dict.fromkeys(world.wave(1)[:3], RED)
        world.until(State.HALTED)
        world.ci.says = dict.fromkeys([*world.wave(0), *world.wave(1)], RED)
        world.step()

        world.tell(Verb.RESUME)

        assert world.step(3).state is State.RUNNING

    def test_what_was_mended_before_it_goes_on_is_no_credit(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.step(8, minutes=10)
        world.ci.says = dict.fromkeys(world.wave(1), RED)
        world.until(State.HALTED)
        world.ci.says = {}
        world.step()
        world.tell(Verb.RESUME)
        while world.step(minutes=10).wave < 2:
            pass

        world.ci.says = dict.fromkeys(world.wave(2)[:5], RED)

        assert world.step(2).state is State.HALTED

    def test_where_all_that_checks_failed_before_nothing_is_known(self, world: Arena) -> None:
        world.ci.says = dict.fromkeys(world.forge.rooms, ChecksOf(failing=("lint",)))
        world.ci.base = world.ci.says
        world.tell(Verb.START)

        assert world.step(9, minutes=10).wave == 0
        assert set(world.states().values()) == {TargetState.UNKNOWN, TargetState.WAITING}

    def test_without_checks_it_goes_on_where_somebody_approves(self, world: Arena) -> None:
        world.ci.says = dict.fromkeys(world.forge.rooms, ChecksOf())
        world.tell(Verb.START)
        world.step(9, minutes=10)

        world.tell(Verb.APPROVE)

        assert world.step(2, minutes=10).wave == 1

    def test_a_repo_that_fails_may_be_skipped(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.step(8, minutes=10)
        broken = world.wave(1)[0]
        world.ci.says = {broken: RED}
        world.step()

        world.tell(Verb.SKIP, repo=broken)
        world.until(State.WATCHING)

        assert world.states()[broken] is TargetState.SKIPPED

    def test_a_review_that_is_missing_is_no_failure(self, world: Arena) -> None:
        world.ci.reviews = dict.fromkeys(world.forge.rooms, Review.REQUIRED)
        world.tell(Verb.START)

        world.until(State.WATCHING)

        assert {one.why for one in world.targets().values()} == {"a review is required"}


class TestPeople:
    def test_paused_it_opens_nothing_and_goes_on_when_told(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.step(5)

        world.tell(Verb.PAUSE)
        assert world.step(20, minutes=10).wave == 0

        world.tell(Verb.RESUME)
        assert world.step(2).wave == 1

    @pytest.mark.parametrize("verb", [Verb.PAUSE, Verb.ABORT, Verb.ROLLBACK])
    def test_what_is_said_in_the_midst_of_a_step_ends_it(self, world: Arena, verb: Verb) -> None:
        world.tell(Verb.START)
        asked = counted(world, lambda _name: world.tell(verb) if len(asked) == 1 else None)

        world.step()

        assert len(asked) == 1
        assert len(world.open_pulls()) == 1

    def test_a_pull_request_that_somebody_closed_is_a_no(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.step(2)
        shy = world.wave(0)[0]
        world.forge.rooms[shy].close(world.targets()[shy].number)

        world.until(State.WATCHING)

        assert world.states()[shy] is TargetState.REJECTED
        assert shy not in world.open_pulls()

    def test_a_pull_request_that_is_opened_again_takes_part_again(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.step(2)
        shy = world.wave(0)[0]
        room, number = world.forge.rooms[shy], world.targets()[shy].number
        room.close(number)
        world.step()
        assert world.states()[shy] is TargetState.REJECTED

        room.change(number, lambda pull: replace(pull, state=PullState.OPEN))
        world.step(4)
        assert world.states()[shy] is TargetState.GREEN
        room.merge(number)
        world.step()

        assert world.states()[shy] is TargetState.MERGED

    def test_one_that_the_forge_does_not_show_is_neither_green_nor_red(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.step(2, minutes=10)
        gone, broken = world.wave(0)
        world.ci.says = {broken: RED}
        world.step()
        rooms = {name: world.forge.rooms.pop(name) for name in (gone, broken)}

        world.step()

        assert world.states()[gone] is TargetState.BLOCKED
        assert world.states()[broken] is TargetState.RED
        world.forge.rooms |= rooms
        world.step()
        assert world.states()[gone] is TargetState.GREEN

    def test_a_label_leaves_a_repo_out(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.step()
        shy = world.wave(0)[0]

        world.ci.labels = {shy: ("digestbot/hold",)}
        world.step()

        assert world.states()[shy] is TargetState.SKIPPED

    def test_a_repo_that_takes_no_part_is_left_out(self, world: Arena) -> None:
        world.rules = replace(world.rules, proposals=ProposalSettings(enabled=False))
        world.tell(Verb.START)

        world.step()

        assert {world.states()[name] for name in world.wave(0)} == {TargetState.SKIPPED}
        assert world.open_pulls() == {}

    def test_a_closed_schedule_is_waited_for(self, world: Arena) -> None:
        world.rules = replace(world.rules, closed="it is night")
        world.tell(Verb.START)
        world.step(3)
        assert world.open_pulls() == {}

        world.rules = replace(world.rules, closed="")
        world.step()

        assert sorted(world.open_pulls()) == sorted(world.wave(0))

    def test_of_those_that_have_to_wait_a_few_are_asked_at_a_time_and_each_in_its_turn(
        self, tmp_path: Path
    ) -> None:
        rules = replace(RULES, waves=WaveRules(canary_count=0, shares=(1.0,)))
        with arena(tmp_path, 35, rules) as world:
            world.rules = replace(world.rules, closed="it is night")
            asked = counted(world)
            world.tell(Verb.START)

            for _ in range(8):
                before = len(asked)
                world.step()
                assert len(asked) - before <= MOST_IN_VAIN

            assert set(asked) == set(world.forge.rooms)
            world.rules = replace(world.rules, closed="")
            world.step()
            assert len(world.open_pulls()) == 35

    def test_a_pull_request_of_somebody_else_is_adopted(self, world: Arena) -> None:
        name = world.wave(0)[0]
        number = world.forge.rooms[name].open(
            "renovate/alpine", {"Dockerfile": dockerfile(IMAGE, at=1)}
        )
        world.tell(Verb.START)

        world.step()

        target = world.targets()[name]
        assert (target.number, target.is_adopted) == (number, True)
        assert world.open_pulls()[name] == [number]

    def test_a_repo_that_has_the_digest_by_now_is_done(self, world: Arena) -> None:
        name = world.wave(0)[0]
        world.forge.rooms[name].push({"Dockerfile": dockerfile(IMAGE, at=1)})
        world.tell(Verb.START)

        world.step()

        assert world.states()[name] is TargetState.MERGED
        assert name not in world.open_pulls()

    @pytest.mark.parametrize("gone", ["the image", "the repo"])
    def test_what_is_gone_by_now_is_left_out(self, world: Arena, gone: str) -> None:
        name = world.wave(0)[0]
        if gone == "the repo":
            world.forge.rooms[name].left_out = ("archived", "it is archived")
        else:
            world.forge.rooms[name].push({"Dockerfile": b"FROM scratch\n"})
        world.tell(Verb.START)

        world.step()

        assert world.states()[name] is TargetState.SKIPPED

    def test_a_repo_is_tried_again_when_somebody_says_so(self, world: Arena) -> None:
        name = world.wave(0)[0]
        world.forge.rooms[name].modes["Dockerfile"] = Mode.SYMLINK
        world.tell(Verb.START)
        world.step()
        assert name not in world.open_pulls()

        del world.forge.rooms[name].modes["Dockerfile"]
        world.tell(Verb.RETRY, repo=name)
        world.step()

        assert name in world.open_pulls()

    def test_tried_again_what_others_opened_and_closed_is_ours(self, world: Arena) -> None:
        name = world.wave(0)[0]
        room = world.forge.rooms[name]
        theirs = room.open("renovate/alpine", {"Dockerfile": dockerfile(IMAGE, at=1)})
        world.tell(Verb.START)
        world.step()
        world.tell(Verb.RETRY, repo=name)
        room.close(theirs)

        world.step(2)

        target = world.targets()[name]
        assert not target.is_adopted
        assert world.open_pulls()[name] == [target.number] != [theirs]


class TestTheWayOut:
    def test_aborted_it_closes_what_is_open(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.step()
        first, second = world.wave(0)
        world.merge(first)

        world.tell(Verb.ABORT)
        world.step(2)

        assert world.open_pulls() == {}
        assert world.states()[first] is TargetState.MERGED
        assert world.states()[second] is TargetState.CLOSED
        assert world.rollout().is_settled

    def test_aborted_it_leaves_alone_what_others_opened(self, world: Arena) -> None:
        name = world.wave(0)[0]
        world.forge.rooms[name].open("renovate/alpine", {"Dockerfile": dockerfile(IMAGE, at=1)})
        world.tell(Verb.START)
        world.step()

        world.tell(Verb.ABORT)
        world.step(2)

        assert list(world.open_pulls()) == [name]

    def test_rolled_back_each_repo_gets_what_it_had(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.step()
        world.merge()
        world.step()

        world.tell(Verb.ROLLBACK)
        world.until(State.ROLLED_BACK)
        world.merge()

        for name in world.wave(0):
            assert str(OLD).encode() in world.pinned(name)
        assert len(world.targets(is_back=True)) == 2

    def test_rolled_back_before_anything_was_merged_nothing_is_offered(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.step()

        world.tell(Verb.ROLLBACK)
        world.until(State.ROLLED_BACK)

        assert world.open_pulls() == {}
        assert world.targets(is_back=True) == {}


class TestTheForge:
    def test_a_refusal_halves_the_pace_and_the_rest_waits(self, world: Arena) -> None:
        world.tell(Verb.START)
        refusal = DeferredError("too much", code="rate-limited")
        world.forge.fault = Fault(0, refusal)

        world.step()

        assert world.rollout().pace.share == 0.5
        assert set(world.states().values()) == {TargetState.WAITING}
        world.step()
        assert sorted(world.open_pulls()) == sorted(world.wave(0))

    @pytest.mark.parametrize("code", ["unavailable", "timeout", "malformed", "unreachable"])
    def test_an_outage_is_no_failure_of_a_repo(self, world: Arena, code: str) -> None:
        world.tell(Verb.START)
        world.forge.fault = Fault(0, ForgeError("GitHub answers 502", code=code))

        world.step()

        assert TargetState.FAILED not in world.states().values()
        world.step()
        assert sorted(world.open_pulls()) == sorted(world.wave(0))

    def test_what_goes_wrong_in_looking_for_a_number_makes_nothing_unopened(
        self, world: Arena
    ) -> None:
        world.tell(Verb.START)
        world.step()
        name = world.wave(0)[0]
        lost = replace(world.targets()[name], number=0)
        with world.database.begin() as connection:
            rollouts.note_targets(connection, world.name, [lost])

        def away(repo: str) -> None:
            if repo == name:
                raise RefusedError("no", code="forbidden")

        counted(world, away)

        world.step()

        assert world.states()[name] is TargetState.PENDING

    def test_the_digest_stays_the_planned_one_when_the_tag_moves(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.until(State.WATCHING)
        world.merge()

        for name in world.forge.rooms:
            assert str(NEW).encode() in world.pinned(name)
            assert str(digest(2)).encode() not in world.pinned(name)

    def test_a_stop_leaves_the_rest_for_later(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.stop.set()
        world.step()
        assert world.open_pulls() == {}

        world.stop.clear()
        world.step()

        assert sorted(world.open_pulls()) == sorted(world.wave(0))

    def test_many_are_looked_at_with_one_question(self, world: Arena) -> None:
        world.tell(Verb.START)
        world.until(State.WATCHING)
        world.looks = 0

        world.step()

        assert world.looks == 1

    def test_each_repo_has_one_pull_request_however_often_it_is_done_again(
        self, world: Arena
    ) -> None:
        world.tell(Verb.START)
        world.step(3, minutes=10)

        for name in world.wave(0):
            pulls = world.forge.rooms[name].pulls.values()
            assert [pull.state for pull in pulls] == [PullState.OPEN]
