from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from digestbot.config.models import Settings
from digestbot.forge.pull import PullState
from digestbot.image import Digest
from digestbot.policy.finding import Status
from digestbot.policy.holding import DENIED, ROLLOUT, Hold, HoldRules
from digestbot.registry.resolution import Query, Resolution
from digestbot.rollout.machine import Event, Verb
from digestbot.rollout.progress import TargetState
from digestbot.scan.engine import Policy
from digestbot.service.rollouts.gating import Denying, Leaving
from digestbot.service.rollouts.telling import Told, tell
from digestbot.store import findings, rollouts
from tests.proposals.builders import digest
from tests.service.rollouts.arena import IMAGE, NEW, OLD, arena, plan_for, tag
from tests.service.state import NOW
from tests.service.world import ServiceWorld, repo_with, service_world

OTHER = "debian:12"
QUERY, ELSE = Query(tag(IMAGE)), Query(tag(OTHER))


class Gate:
    """Denies one digest; all others pass."""

    denied = digest(9)

    def denies(self, digest: Digest) -> bool:
        return digest == self.denied

    def weigh(self, query: Query, pinned: Digest | None, found: Resolution) -> Digest | Hold:
        return found.digest


class TestLeaving:
    def gate(self) -> Leaving:
        return Leaving(Gate(), {QUERY: "0123456789"}, NOW)

    def test_what_a_rollout_brings_is_held_for_it(self) -> None:
        hold = self.gate().weigh(QUERY, OLD, Resolution(QUERY, NEW))

        assert hold == Hold(ROLLOUT, "rollout 0123456789 brings it to this repo", NOW)

    @pytest.mark.parametrize(
        "query, pinned",
        [(ELSE, OLD), (QUERY, NEW), (QUERY, Gate.denied)],
        ids=["another image", "a pin that is current", "a pin that is denied"],
    )
    def test_all_else_is_for_the_usual_gate(self, query: Query, pinned: Digest) -> None:
        assert self.gate().weigh(query, pinned, Resolution(query, NEW)) == NEW

    def test_what_is_denied_is(self) -> None:
        assert self.gate().denies(Gate.denied)
        assert not self.gate().denies(NEW)


class TestTakenBack:
    def gate(self) -> Leaving:
        return Leaving(Gate(), {}, NOW, {(QUERY, NEW): "0123456789"})

    def test_what_was_rolled_back_is_held(self) -> None:
        hold = self.gate().weigh(QUERY, OLD, Resolution(QUERY, NEW))

        assert hold == Hold(ROLLOUT, "rollout 0123456789 of this digest was rolled back", NOW)

    @pytest.mark.parametrize(
        "query, pinned, found",
        [(ELSE, OLD, NEW), (QUERY, NEW, NEW), (QUERY, OLD, digest(7)), (QUERY, Gate.denied, NEW)],
        ids=["another image", "a pin that has it", "a newer digest", "a pin that is denied"],
    )
    def test_all_else_is_for_the_usual_gate(
        self, query: Query, pinned: Digest, found: Digest
    ) -> None:
        assert self.gate().weigh(query, pinned, Resolution(query, found)) == found


class TestDenying:
    def test_whatever_is_not_denied_passes(self) -> None:
        assert Denying(Gate()).weigh(QUERY, OLD, Resolution(QUERY, NEW)) == NEW

    def test_what_is_denied_does_not(self) -> None:
        hold = Denying(Gate()).weigh(QUERY, OLD, Resolution(QUERY, Gate.denied))

        assert isinstance(hold, Hold)
        assert hold.reason == DENIED

    def test_a_rollout_brings_nothing_that_is_denied_by_now(self, tmp_path: Path) -> None:
        class NewIsDenied(Gate):
            denied = NEW

        with arena(tmp_path) as world:
            world.rules = replace(world.rules, policy=Policy(gate=NewIsDenied()))
            world.tell(Verb.START)

            world.step(2)

            assert world.open_pulls() == {}
            failed = {world.targets()[name].state for name in world.wave(0)}
            assert failed == {TargetState.FAILED}
            assert "deny list" in world.targets()[world.wave(0)[0]].why


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ServiceWorld]:
    """Two repos, of which a rollout is to reach one; nothing is held back for its age."""
    repos = [repo_with(IMAGE, OTHER, name="acme/in"), repo_with(IMAGE, name="acme/out")]
    with service_world(tmp_path / "state", *repos, tags={IMAGE: 0, OTHER: 0}) as made:
        made.config = Settings.model_validate({"labels": []})
        made.hold = HoldRules()
        made.cycle()
        yield made


def plan(world: ServiceWorld) -> str:
    """A rollout of another digest than the tag will have."""
    with world.database.begin() as connection:
        return rollouts.create(connection, plan_for(["acme/in"], world.now(), new=digest(5)))


def say(world: ServiceWorld, name: str, verb: Verb) -> None:
    tell(world.database, name, Told(verb, "ann"), world.now())


def statuses(world: ServiceWorld) -> dict[tuple[str, str], tuple[Status, str]]:
    with world.database.reading() as connection:
        found = [*findings.held(connection), *findings.counts(connection)]
    return {
        (one.repo, one.image): (one.status, one.reason)
        for one in found
        if isinstance(one, findings.StoredFinding)
    }


def own_pulls(world: ServiceWorld, name: str) -> list[str]:
    """The files of open pull requests in a repo, as text."""
    repo = world.forge.rooms[name]
    return [
        repo.files(pull.branch)["Dockerfile"].decode()
        for pull in repo.pulls.values()
        if pull.state is PullState.OPEN
    ]


def test_a_cycle_leaves_to_a_rollout_what_is_its(world: ServiceWorld) -> None:
    name = plan(world)
    say(world, name, Verb.START)
    world.registry.tags |= {IMAGE: 1, OTHER: 1}

    world.cycle()

    (text,) = own_pulls(world, "acme/in")
    assert str(digest(0)) in text.splitlines()[0]
    assert str(digest(1)) in text.splitlines()[1]
    assert own_pulls(world, "acme/out")
    assert statuses(world) == {
        ("acme/in", str(tag(IMAGE))): (Status.HELD, ROLLOUT),
    }


def test_it_says_which_one_and_looks_again(world: ServiceWorld) -> None:
    name = plan(world)
    say(world, name, Verb.START)
    world.registry.tags[IMAGE] = 1
    world.cycle()

    with world.database.reading() as connection:
        (held,) = findings.held(connection)

    assert f"rollout {name} brings it" in held.message
    assert held.until is not None
    assert held.until > world.now()


@pytest.mark.parametrize("state", ["planned", "aborted"])
def test_of_one_that_is_not_under_way_nothing_is_held(world: ServiceWorld, state: str) -> None:
    name = plan(world)
    if state == "aborted":
        say(world, name, Verb.START)
        say(world, name, Verb.ABORT)
    world.registry.tags[IMAGE] = 1

    world.cycle()

    assert statuses(world) == {}
    assert own_pulls(world, "acme/in")


def test_an_open_pull_request_of_ours_stays_as_it_is(world: ServiceWorld) -> None:
    world.registry.tags[IMAGE] = 1
    world.cycle()
    before = own_pulls(world, "acme/in")
    assert before

    say(world, plan(world), Verb.START)
    world.registry.tags[IMAGE] = 2
    world.cycle()

    assert own_pulls(world, "acme/in") == before


def test_once_it_is_over_the_cycle_sees_to_it_again(world: ServiceWorld) -> None:
    name = plan(world)
    say(world, name, Verb.START)
    world.registry.tags[IMAGE] = 1
    world.cycle()
    assert not own_pulls(world, "acme/in")

    say(world, name, Verb.ABORT)
    world.wait(timedelta(hours=4))
    world.cycle()

    assert own_pulls(world, "acme/in")


def test_what_was_rolled_back_is_not_proposed_again_until_the_tag_moves_on(
    world: ServiceWorld,
) -> None:
    with world.database.begin() as connection:
        name = rollouts.create(connection, plan_for(["acme/in"], world.now(), new=digest(1)))
    say(world, name, Verb.START)
    say(world, name, Verb.ROLLBACK)
    world.registry.tags[IMAGE] = 1

    world.cycle()
    assert not own_pulls(world, "acme/in")
    assert own_pulls(world, "acme/out")

    with world.database.begin() as connection:
        rollout = rollouts.get(connection, name)
        assert rollout is not None
        rollouts.append(connection, rollout, Event(Verb.RETURNED, world.now()))
    world.wait(timedelta(hours=4))
    world.cycle()
    assert not own_pulls(world, "acme/in")

    world.registry.tags[IMAGE] = 2
    world.cycle()
    assert own_pulls(world, "acme/in")


def test_neither_the_tag_that_a_repo_had_nor_the_one_that_it_gets_is_for_the_cycle(
    world: ServiceWorld,
) -> None:
    rollout = plan_for(["acme/in"], world.now(), new=digest(5))
    to = (replace(rollout.moves[0], to=tag(OTHER)),)
    with world.database.begin() as connection:
        name = rollouts.create(connection, replace(rollout, moves=to))
    say(world, name, Verb.START)
    world.registry.tags |= {IMAGE: 1, OTHER: 1}

    world.cycle()

    assert own_pulls(world, "acme/in") == []
    assert own_pulls(world, "acme/out")
    held = (Status.HELD, ROLLOUT)
    assert statuses(world) == {
        ("acme/in", str(tag(IMAGE))): held,
        ("acme/in", str(tag(OTHER))): held,
    }
