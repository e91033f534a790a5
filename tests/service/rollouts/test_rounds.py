from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from digestbot.forge.errors import ForgeError, RefusedError
from digestbot.forge.watching import ChecksOf
from digestbot.image import Digest
from digestbot.registry.resolution import Query, Resolution
from digestbot.rollout.machine import State, Verb
from digestbot.service.notify.kinds import Recipient
from digestbot.service.notify.message import Message, Turn
from digestbot.service.notify.notices import Notices
from digestbot.service.rollouts.rounds import Ledger, Rounds, Tools
from digestbot.service.rollouts.telling import Told, tell
from digestbot.service.site import Site
from digestbot.store import conditions, images, rollouts
from tests.proposals.builders import digest
from tests.service.rollouts.arena import IMAGE, NEW, OLD, Arena, arena, plan_for, tag

RED = ChecksOf(failing=("build", "lint"))
LEDGER = "acme/platform"


@dataclass
class Issues:
    """Issues as a forge keeps them; `writes` counts what was written."""

    bodies: dict[int, tuple[str, str]] = field(default_factory=dict)
    writes: int = 0
    error: ForgeError | None = None

    def track(self, repo: str, number: int, title: str, body: str) -> int:
        if self.error is not None:
            raise self.error
        assert repo == LEDGER
        self.writes += 1
        known = number or len(self.bodies) + 1
        self.bodies[known] = (title, body)
        return known


@dataclass
class Listener:
    """Hears all messages."""

    name: str = "ops"
    heard: list[Message] = field(default_factory=list)

    def send(self, message: Message, /) -> None:
        self.heard.append(message)

    def lines(self) -> list[tuple[Turn, str, str]]:
        return [(one.turn, one.state, one.message) for each in self.heard for one in each.news]


@dataclass
class Service:
    world: Arena
    rounds: Rounds
    issues: Issues
    listener: Listener

    def step(self, times: int = 1, minutes: int = 1) -> None:
        for _ in range(times):
            self.rounds.all(self.world.stop)
            self.world.clock.advance(60 * minutes)

    def until(self, state: State) -> None:
        for _ in range(2000):
            self.step(minutes=10)
            if self.world.rollout().standing.state is state:
                return
        raise AssertionError(f"it is {self.world.rollout().standing.state}")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with arena(tmp_path) as world:
        issues, listener = Issues(), Listener()
        notices = Notices(
            world.database,
            [Recipient(listener, frozenset({"rollout"}))],
            world.clock.as_clock(),
        )

        @contextmanager
        def tools() -> Iterator[Tools]:
            yield Tools(world.ways(), Ledger(LEDGER, issues))

        rounds = Rounds(world.database, tools, lambda: notices.tell(""))
        yield Service(world, rounds, issues, listener)


def warnings(caplog: pytest.LogCaptureFixture, word: str) -> list[str]:
    return [text for text in map(str, (one.msg for one in caplog.records)) if word in text]


class TestNews:
    def test_each_change_of_state_is_told_once(self, service: Service) -> None:
        service.world.tell(Verb.START)
        service.step(3)

        ((turn, state, message),) = service.listener.lines()
        assert (turn, state) == (Turn.NEW, "running")
        assert f"rollout {service.world.name} of docker.io/library/alpine:3.22" in message

    def test_halted_the_failing_checks_are_told_by_name(self, service: Service) -> None:
        service.world.tell(Verb.START)
        service.step(8, minutes=10)
        service.world.ci.says = dict.fromkeys(service.world.wave(1), RED)
        service.until(State.HALTED)
        service.step(5)

        turn, state, message = service.listener.lines()[-1]
        assert (turn, state) == (Turn.CHANGED, "halted")
        failing = len(service.world.wave(1))
        assert f"build in {failing} repos (acme/" in message
        assert f"lint in {failing} repos" in message
        assert "repos fail" in message
        assert len(service.listener.lines()) == 2

    def test_what_people_do_is_told_too(self, service: Service) -> None:
        service.world.tell(Verb.START)
        service.step()

        service.world.tell(Verb.PAUSE, reason="lunch")
        service.step()

        assert service.listener.lines()[-1][1:] == (
            "paused",
            f"rollout {service.world.name} of docker.io/library/alpine:3.22: paused; lunch by ann",
        )

    def test_the_end_comes_with_its_report(self, service: Service) -> None:
        service.world.tell(Verb.START)
        service.until(State.WATCHING)
        service.world.merge()

        service.until(State.CLOSED)
        service.step(3)

        lines = service.listener.lines()
        assert [one[:2] for one in lines] == [
            (Turn.NEW, "running"),
            (Turn.CHANGED, "watching"),
            (Turn.RESOLVED, "closed"),
        ]
        assert "20 of 20 repos have the digest; half of them within" in lines[-1][2]

    def test_a_cycle_ends_none_of_it(self, service: Service) -> None:
        service.world.tell(Verb.START)
        service.step()

        with service.world.database.begin() as connection:
            conditions.note(connection, [], service.world.now(), but="rollout")
        service.step()

        assert [one[:2] for one in service.listener.lines()] == [(Turn.NEW, "running")]

    def test_who_goes_on_after_its_end_is_news_again(self, service: Service) -> None:
        service.world.tell(Verb.START)
        service.until(State.WATCHING)
        service.world.merge()
        service.until(State.CLOSED)

        service.world.tell(Verb.ROLLBACK)
        service.step()

        assert [one[:2] for one in service.listener.lines()[-2:]] == [
            (Turn.NEW, "rolling-back"),
            (Turn.RESOLVED, "rolled-back"),
        ]


class TestIssue:
    def test_each_rollout_has_one(self, service: Service) -> None:
        service.world.tell(Verb.START)
        service.until(State.WATCHING)

        assert list(service.issues.bodies) == [1]
        assert service.world.rollout().issue == 1
        title, body = service.issues.bodies[1]
        assert title == f"Rollout {service.world.name}: docker.io/library/alpine:3.22"
        assert body.startswith(f"<!-- digestbot:rollout:{service.world.name} -->\n")

    def test_it_links_to_the_dashboard_where_that_is_known(self, service: Service) -> None:
        service.world.tell(Verb.START)
        service.step()
        name, before = service.world.name, service.issues.bodies[1][1]

        service.rounds.site = Site("https://dash.corp")
        service.step(minutes=10)
        service.step()

        page = f"https://dash.corp/rollouts/{name}"
        assert "dash.corp" not in before
        assert service.issues.bodies[1][1].startswith(
            f"<!-- digestbot:rollout:{name} -->\n[All of it on the dashboard]({page})\n\n**Rollout"
        )

    def test_it_is_written_anew_at_most_every_few_minutes(self, service: Service) -> None:
        service.world.tell(Verb.START)

        service.step(10)

        assert service.issues.writes == 2

    def test_and_at_once_when_the_state_is_another(self, service: Service) -> None:
        service.world.tell(Verb.START)
        service.step()

        service.world.tell(Verb.PAUSE)
        service.step()

        assert service.issues.writes == 2
        assert "paused" in service.issues.bodies[1][1]

    def test_where_it_cannot_be_written_all_else_goes_on(self, service: Service) -> None:
        service.issues.error = RefusedError("no issues here", code="gone")
        service.world.tell(Verb.START)

        service.step()

        assert sorted(service.world.open_pulls()) == sorted(service.world.wave(0))
        service.issues.error = None
        service.step()
        assert list(service.issues.bodies) == [1]


class TestMoves:
    def move(self, service: Service, to: Digest) -> None:
        query = Query(tag(IMAGE))
        with service.world.database.begin() as connection:
            found = Resolution(query, to)
            images.note_resolution(connection, query, found, service.world.now())

    def test_a_tag_that_moves_is_warned_of_once_and_changes_nothing(
        self, service: Service, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.move(service, OLD)
        service.world.tell(Verb.START)
        service.step(2)
        assert warnings(caplog, "tag_moved") == []
        self.move(service, digest(7))

        service.step(3)

        (text,) = warnings(caplog, "tag_moved")
        assert str(digest(7)) in text
        service.until(State.WATCHING)
        service.world.merge()
        for name in service.world.forge.rooms:
            assert str(NEW).encode() in service.world.pinned(name)

    def test_the_digest_of_the_plan_is_no_move(
        self, service: Service, caplog: pytest.LogCaptureFixture
    ) -> None:
        service.world.clock.advance(60)
        self.move(service, NEW)
        service.world.tell(Verb.START)

        service.step(2)

        assert warnings(caplog, "tag_moved") == []


def test_one_that_fails_does_not_keep_another_from_its_step(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    world = service.world
    world.tell(Verb.START)
    service.step()
    names = ["acme/app900"]
    world.forge.rooms[names[0]] = world.forge.rooms.pop("acme/app000")
    world.forge.rooms[names[0]].name = names[0]
    with world.database.begin() as connection:
        other = rollouts.create(connection, plan_for(names, world.now()))
    tell(world.database, other, Told(Verb.START, "ann"), world.now())
    real = world.statuses

    def broken(pulls: object) -> object:
        raise ForgeError("it is down", code="unreachable")

    world.statuses = broken  # type: ignore[method-assign, assignment]
    service.step()
    world.statuses = real  # type: ignore[method-assign]

    assert names[0] in world.open_pulls()
    assert warnings(caplog, "rollout.failed")


def test_there_is_no_step_of_what_is_not_there(service: Service) -> None:
    assert service.rounds.step("0123456789", service.world.stop) is None


def test_a_stop_begins_no_further_step(service: Service) -> None:
    service.world.tell(Verb.START)
    service.world.stop.set()

    service.step()

    assert service.world.open_pulls() == {}
    assert service.issues.writes == 0
