"""What a rollout promises, over the test GitHub: the digest is frozen, and green is green."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from digestbot.forge.github.settings import GitHubSettings
from digestbot.registry.resolution import Query, Resolution
from digestbot.rollout.machine import State, Verb
from digestbot.rollout.progress import TargetState
from digestbot.secret import Secret
from digestbot.service.logs import start_logging, stop_logging
from digestbot.service.rollouts.driver import Ways
from digestbot.service.rollouts.rounds import Rounds, Tools
from digestbot.store import images
from tests.proposals.builders import digest
from tests.service.rollouts.arena import IMAGE, tag
from tests.service.rollouts.town import GREEN, NEW, Town, town
from tests.service.rollouts.wheel import ways_over

REPOS = 10


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    found = io.StringIO()
    start_logging(json=True, verbosity=0, stream=found)
    yield found
    stop_logging()


class Place:
    """A town, and rounds that are made in it."""

    def __init__(self, world: Town, ways: Ways) -> None:
        @contextmanager
        def tools() -> Iterator[Tools]:
            yield Tools(ways)

        self.world = world
        self.rounds = Rounds(world.database, tools)

    def until(self, *states: State, most: int = 400) -> State:
        """Rounds, a minute apart, until it is in one of these states, or so many are made."""
        for _ in range(most):
            self.rounds.all(threading.Event())
            self.world.live()
            if self.world.state in states:
                break
            self.world.github.clock.advance(60)
        return self.world.state

    def sees(self, name: object) -> None:
        """A cycle finds that the tag has this digest now."""
        with self.world.database.begin() as connection:
            found = Resolution(Query(tag(IMAGE)), digest(name))
            images.note_resolution(connection, found.query, found, self.world.now())

    def states(self) -> set[TargetState]:
        return {one.state for one in self.world.targets().values()}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with town(tmp_path / "state", REPOS) as world:
        url, token = world.github.url, world.github.token().value
        settings = GitHubSettings(api_url=url, token=Secret(token))
        clock = world.github.clock.as_clock()
        with ways_over(world.database, settings, clock, tmp_path / "cache") as ways:
            yield Place(world, ways)


def test_a_tag_that_moves_meanwhile_changes_nothing_but_is_told(
    place: Place, log: io.StringIO
) -> None:
    place.sees("new")
    place.world.tell(Verb.START)
    place.until(State.WATCHING, most=2)
    assert "rollout.tag_moved" not in log.getvalue()

    place.sees("newer")
    place.until(State.WATCHING)
    place.until(State.CLOSED, most=200)

    assert place.states() == {TargetState.MERGED}
    for name in place.world.repos:
        assert place.world.pinned(name) == place.world.pins.after(name)
        assert len(place.world.github.pulls(name)) == 1
    warned = [line for line in log.getvalue().splitlines() if "rollout.tag_moved" in line]
    assert len(warned) == 1
    assert str(digest("newer")) in warned[0]
    assert str(NEW) in warned[0]


def test_what_failed_on_the_base_commit_before_halts_nothing(place: Place) -> None:
    for name in place.world.repos:
        place.world.github.ci(
            name, {"build": None, "lint": "FAILURE"}, {"build": GREEN, "lint": "FAILURE"}
        )
    place.world.merge_after = None
    place.world.tell(Verb.START)

    state = place.until(State.WATCHING, State.HALTED)

    assert state is State.WATCHING
    assert place.states() == {TargetState.GREEN}


def test_what_fails_and_did_not_before_halts_it_beside_what_did(place: Place) -> None:
    for name in place.world.repos:
        place.world.github.ci(
            name, {"build": None, "lint": "FAILURE"}, {"build": GREEN, "lint": "FAILURE"}
        )
    place.world.broken = dict.fromkeys(place.world.repos, ("build",))
    place.world.tell(Verb.START)

    state = place.until(State.WATCHING, State.HALTED)

    assert state is State.HALTED
    red = [one for one in place.world.targets().values() if one.state is TargetState.RED]
    assert {one.failing for one in red} == {("build",)}


def test_repos_without_ci_make_nothing_green(place: Place) -> None:
    for name in place.world.repos:
        place.world.github.ci(name, {})
    place.world.merge_after = None
    place.world.tell(Verb.START)

    state = place.until(State.WATCHING, State.HALTED, most=300)

    assert (state, place.world.rollout().standing.wave) == (State.RUNNING, 0)
    assert place.states() == {TargetState.UNKNOWN, TargetState.WAITING}


def test_a_repo_without_ci_is_not_counted_among_those_that_are_green(place: Place) -> None:
    shy, fine = place.world.wave(0)
    place.world.github.ci(shy, {})
    place.world.merge_after = None
    place.world.tell(Verb.START)

    state = place.until(State.WATCHING, State.HALTED, most=300)

    assert (state, place.world.rollout().standing.wave) == (State.RUNNING, 0)
    assert place.world.targets()[shy].state is TargetState.UNKNOWN
    assert place.world.targets()[fine].state is TargetState.GREEN


def test_a_repo_that_is_gone_holds_up_no_other(place: Place) -> None:
    gone = place.world.wave(0)[0]
    del place.world.github.world.repos[gone]
    place.world.plan = replace(
        place.world.plan,
        targets=tuple(one for one in place.world.plan.targets if one.repo != gone),
    )
    place.world.tell(Verb.START)

    place.until(State.WATCHING, most=5)

    found = place.world.targets()
    assert found[gone].state is TargetState.FAILED
    assert found[place.world.wave(0)[0]].state is TargetState.PENDING


def test_pull_requests_say_what_they_are_part_of(place: Place) -> None:
    place.world.merge_after = (0.0, 0.0)
    name = place.world.wave(0)[0]
    place.world.tell(Verb.START)
    place.until(State.WATCHING, most=20)
    place.world.tell(Verb.ROLLBACK)
    place.until(State.ROLLED_BACK)

    (there,), (back,) = (place.world.pulls(name, is_back=one) for one in (False, True))

    rollout = place.world.name
    assert there.title.startswith("Update ")
    assert back.title == "Roll back alpine to the digest before"
    assert (there.body or "").startswith(f"Rollout `{rollout}` brings one digest to all repos")
    assert (back.body or "").startswith(
        f"Rollout `{rollout}` is rolled back, and this repo gets again"
    )
    assert "has a new digest" not in f"{there.body}{back.body}"
