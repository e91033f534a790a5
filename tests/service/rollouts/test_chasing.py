from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from digestbot.forge.errors import RefusedError
from digestbot.forge.pull import PullState
from digestbot.forge.watching import ChecksOf, Review
from digestbot.rollout.machine import Verb
from digestbot.rollout.plan import Deadlines
from digestbot.rollout.progress import TargetState
from digestbot.service.rollouts.chasing import MOST_AT_ONCE
from digestbot.store import deeds
from tests.proposals.builders import dockerfile
from tests.proposals.memory import Fault
from tests.service.rollouts.arena import IMAGE, RULES, Arena, arena, plan_for, with_gate

DAY = timedelta(days=1)
COMMENT = Deadlines(comment=DAY)
MERGE = Deadlines(merge=DAY)
PENDING = ChecksOf(pending=1)


@contextmanager
def open_for(folder: Path, deadlines: Deadlines, hours: int = 25, **gate: float) -> Iterator[Arena]:
    """A rollout whose canary is open for so long."""
    with arena(folder, rules=replace(with_gate(**gate), deadlines=deadlines)) as world:
        world.ci.reviews = dict.fromkeys(world.forge.rooms, Review.REQUIRED)
        world.may_merge = True
        world.tell(Verb.START)
        world.step(2)
        world.clock.advance(hours * 3600)
        yield world


def comments(world: Arena) -> dict[str, tuple[str, ...]]:
    """What was said in the canary's pull requests."""
    targets = world.targets()
    return {
        name: world.forge.rooms[name].pulls[targets[name].number].comments for name in world.wave(0)
    }


def merged(world: Arena) -> set[str]:
    rooms = world.forge.rooms
    return {
        name
        for name in world.wave(0)
        if any(one.state is PullState.MERGED for one in rooms[name].pulls.values())
    }


class TestComments:
    def test_before_the_deadline_nothing_is_said(self, tmp_path: Path) -> None:
        with open_for(tmp_path, COMMENT, hours=23) as world:
            world.step()

            assert set(comments(world).values()) == {()}

    def test_after_it_that_it_waits_is_said_once(self, tmp_path: Path) -> None:
        with open_for(tmp_path, COMMENT) as world:
            world.step(3)

            for said in comments(world).values():
                (text,) = said
                assert f"rollout `{world.name}` waits for it" in text
                assert "open for 25 h" in text
                assert "a review is required" in text

    def test_what_was_said_but_not_kept_is_not_said_again(self, tmp_path: Path) -> None:
        with open_for(tmp_path, COMMENT) as world:
            world.step()
            with world.database.begin() as connection:
                for done in deeds.of(connection, world.name):
                    deeds.forget(connection, world.name, done)

            world.step()

            assert {len(said) for said in comments(world).values()} == {1}

    def test_names_of_checks_mention_nobody(self, tmp_path: Path) -> None:
        with open_for(tmp_path, COMMENT, failed=1.0) as world:
            shy = world.wave(0)[0]
            world.ci.says = {shy: ChecksOf(failing=("@acme/all <img src=x>",))}

            world.step()

            (text,) = comments(world)[shy]
            assert "@acme" not in text
            assert "<img" not in text

    def test_others_are_left_in_peace(self, tmp_path: Path) -> None:
        with arena(tmp_path, rules=replace(RULES, deadlines=COMMENT)) as world:
            name = world.wave(0)[0]
            room = world.forge.rooms[name]
            number = room.open("renovate/alpine", {"Dockerfile": dockerfile(IMAGE, at=1)})
            world.tell(Verb.START)
            world.step()
            world.clock.advance(2 * DAY.total_seconds())

            world.step()

            assert room.pulls[number].comments == ()

    def test_paused_nothing_is_said(self, tmp_path: Path) -> None:
        with open_for(tmp_path, COMMENT) as world:
            world.tell(Verb.PAUSE)

            world.step()

            assert set(comments(world).values()) == {()}

    def test_many_are_late_together_and_get_theirs_step_by_step(self, tmp_path: Path) -> None:
        rules = replace(RULES, deadlines=COMMENT, waves=replace(RULES.waves, canary_count=30))
        with arena(tmp_path, repos=30, rules=rules) as world:
            world.tell(Verb.START)
            world.step()
            world.clock.advance(2 * DAY.total_seconds())

            world.step()
            assert sum(map(len, comments(world).values())) == MOST_AT_ONCE
            world.step()
            assert sum(map(len, comments(world).values())) == 30


class TestReviewers:
    @pytest.mark.parametrize(
        "owners, asked",
        [
            (("@acme/platform",), ("acme/platform",)),
            (("@ann",), ("ann",)),
            (("ann@example.org", "@ann", "@acme/web"), ("ann", "acme/web")),
            (("ann@example.org",), None),
            ((), None),
        ],
        ids=["a team", "a person", "several", "an address", "nobody"],
    )
    def test_owners_are_asked_once(
        self, tmp_path: Path, owners: tuple[str, ...], asked: tuple[str, ...] | None
    ) -> None:
        with open_for(tmp_path, Deadlines(reviewers=DAY)) as world:
            targets = tuple(replace(one, owners=owners) for one in world.plan.targets)
            plan, real = replace(world.plan, targets=targets), world.rollout
            world.rollout = lambda: replace(real(), plan=plan)  # type: ignore[method-assign]

            world.step(2)

            name = world.wave(0)[0]
            found = world.forge.rooms[name].reviewers.get(world.targets()[name].number)
            assert found == asked


class TestMerging:
    def test_what_is_green_is_merged_past_a_review(self, tmp_path: Path) -> None:
        with open_for(tmp_path, MERGE) as world:
            world.step(2)

            assert merged(world) == set(world.wave(0))
            assert {world.states()[name] for name in world.wave(0)} == {TargetState.MERGED}

    def test_not_before_its_time(self, tmp_path: Path) -> None:
        with open_for(tmp_path, MERGE, hours=20) as world:
            world.step(2)

            assert merged(world) == set()

    def test_not_where_nobody_allowed_it(self, tmp_path: Path) -> None:
        with open_for(tmp_path, MERGE) as world:
            world.may_merge = False

            world.step(2)

            assert merged(world) == set()

    @pytest.mark.parametrize(
        "says",
        [ChecksOf(failing=("build",)), PENDING, ChecksOf()],
        ids=["it fails", "it runs", "nothing checks it"],
    )
    def test_not_what_is_not_green(self, tmp_path: Path, says: ChecksOf) -> None:
        with open_for(tmp_path, MERGE) as world:
            world.ci.says = dict.fromkeys(world.forge.rooms, says)

            world.step(2)

            assert merged(world) == set()

    def test_not_past_somebody_who_asks_for_changes(self, tmp_path: Path) -> None:
        with open_for(tmp_path, MERGE) as world:
            world.ci.reviews = dict.fromkeys(world.forge.rooms, Review.CHANGES)

            world.step(2)

            assert merged(world) == set()

    def test_what_was_pending_is_merged_once_it_is_green(self, tmp_path: Path) -> None:
        with open_for(tmp_path, MERGE) as world:
            world.ci.says = dict.fromkeys(world.forge.rooms, PENDING)
            world.step()

            world.ci.says = {}
            world.step()

            assert merged(world) == set(world.wave(0))

    def test_what_somebody_pushed_to_is_theirs_to_merge(self, tmp_path: Path) -> None:
        with open_for(tmp_path, MERGE) as world:
            theirs, ours = world.wave(0)
            room = world.forge.rooms[theirs]
            (branch,) = [name for name in room.branches if name.startswith("digestbot-rollout/")]
            head = room.push({"evil.sh": b"rm -rf /"}, branch)
            number = world.targets()[theirs].number
            room.change(number, lambda pull: replace(pull, head=head))

            world.step(2)

            assert merged(world) == {ours}

    @pytest.mark.parametrize(
        "change", [{"base": "release"}, {"is_draft": True}], ids=["sent elsewhere", "a draft"]
    )
    def test_what_somebody_held_back_or_sent_elsewhere_is_theirs_to_merge(
        self, tmp_path: Path, change: dict[str, Any]
    ) -> None:
        with open_for(tmp_path, MERGE) as world:
            theirs, ours = world.wave(0)
            room = world.forge.rooms[theirs]
            room.branches["release"] = room.branches[room.default_branch]
            number = world.targets()[theirs].number
            room.change(number, lambda pull: replace(pull, **change))

            world.step(2)

            assert merged(world) == {ours}

    def test_what_the_forge_refuses_is_not_tried_again(self, tmp_path: Path) -> None:
        with open_for(tmp_path, MERGE) as world:
            refusal = RefusedError("a rule holds it back", code="not-mergeable")
            name = world.wave(0)[0]
            real = world._open

            def opened(asked: str) -> object:
                forge = real(asked)
                if asked == name:
                    forge.fault = Fault(0, refusal)  # type: ignore[attr-defined]  # a memory forge
                return forge

            world._open = opened  # type: ignore[method-assign, assignment]
            world.step()
            world._open = real  # type: ignore[method-assign]

            world.step(2)

            assert merged(world) == {world.wave(0)[1]}


def test_a_plan_says_when(tmp_path: Path) -> None:
    with arena(tmp_path) as world:
        assert plan_for(["acme/app"], world.now()).rules.deadlines == Deadlines()
