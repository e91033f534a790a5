from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from digestbot.clock import Clock
from digestbot.image import Digest
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolution, Resolver
from digestbot.rollout.progress import Target
from digestbot.service.rollouts.checking import (
    ANSWER_S,
    ASKING_S,
    KEPT_FOR,
    MOST_AT_ONCE,
    MOST_KEPT,
    Checked,
    WayBack,
)
from digestbot.store import rollouts
from digestbot.store.database import Database
from tests.service.state import NOW, state
from tests.web import rollout_seeds


@dataclass
class Registries:
    """Hand out what they are asked for, but for what is lost; `meanwhile` happens at each."""

    lost: set[str] = field(default_factory=set)
    meanwhile: Callable[[], object] = lambda: None
    timeouts: list[float] = field(default_factory=list)
    is_open: bool = False

    @contextmanager
    def open(self, timeout_s: float) -> Iterator[Resolver]:
        self.timeouts.append(timeout_s)
        self.is_open = True
        yield self
        self.is_open = False

    def resolve(self, query: Query) -> Resolution:
        assert self.is_open
        self.meanwhile()
        if query.image.tag in self.lost:
            raise RegistryError(f"{query}: gone", code="not-found", host="docker.io")
        return Resolution(query, Digest.parse(query.image.tag))


@dataclass
class Watch:
    """A clock that is set by hand."""

    at: datetime = NOW
    waited: float = 0.0

    def wait(self, seconds: float) -> None:
        self.waited += seconds

    def tell(self) -> float:
        return self.at.timestamp()

    @property
    def wall(self) -> Clock:
        return Clock(wall=self.tell)

    @property
    def patience(self) -> Clock:
        return Clock(monotonic=lambda: self.waited)


@dataclass
class World:
    database: Database
    name: str
    registries: Registries = field(default_factory=Registries)
    watch: Watch = field(default_factory=Watch)

    def way_back(self) -> WayBack:
        watch = self.watch
        return WayBack(self.database, self.registries.open, watch.wall, watch.patience)

    @property
    def before(self) -> str:
        """What every repo had."""
        with self.database.reading() as connection:
            found = rollouts.get(connection, self.name)
        assert found is not None
        return str(found.plan.targets[0].edits[0].before)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A rollout is under way; some repos have what it brings."""
    with state(tmp_path) as database:
        yield World(database, rollout_seeds.running().write(database))


def test_what_can_be_had_is_said_and_remembered(world: World) -> None:
    back = world.way_back()

    checked = back.check(world.name)

    assert checked == Checked(NOW, 1)
    assert back.last(world.name) == checked
    assert world.registries.timeouts == [ANSWER_S]
    assert not world.registries.is_open


def test_what_is_lost_is_said_and_remembered(world: World) -> None:
    world.registries.lost = {world.before}
    back = world.way_back()

    checked = back.check(world.name)

    assert checked is not None
    (found,) = checked.lost
    assert (str(found.digest), found.code, len(found.repos)) == (world.before, "not-found", 12)
    assert back.last(world.name) == checked


@pytest.mark.parametrize("is_known", [True, False])
def test_where_nobody_goes_back_nobody_is_asked(world: World, is_known: bool) -> None:
    if is_known:
        with world.database.begin() as connection:
            waiting = [
                Target(one.repo, one.wave) for one in rollouts.targets(connection, world.name)
            ]
            rollouts.note_targets(connection, world.name, waiting)

    checked = world.way_back().check(world.name if is_known else "0" * 10)

    assert checked == Checked(NOW, 0)
    assert world.registries.timeouts == []


def test_it_is_forgotten_after_a_while(world: World) -> None:
    back = world.way_back()
    back.check(world.name)

    world.watch.at += KEPT_FOR - timedelta(seconds=1)
    assert back.last(world.name) is not None
    world.watch.at += timedelta(seconds=1)

    assert back.last(world.name) is None


def test_only_so_many_are_remembered(world: World) -> None:
    back = world.way_back()

    for number in range(MOST_KEPT + 2):
        back.check(f"{number:010}")

    kept = [number for number in range(MOST_KEPT + 2) if back.last(f"{number:010}") is not None]
    assert kept == list(range(2, MOST_KEPT + 2))


def test_whoever_waits_waits_so_long_and_no_longer(world: World) -> None:
    world.registries.meanwhile = lambda: world.watch.wait(ASKING_S)
    world.watch.wait(1000)
    back = world.way_back()

    first = back.check(world.name)
    # As if the state had been slow: no time is left when the first is asked.
    slow = Clock(monotonic=iter([0.0, ASKING_S]).__next__)
    late = WayBack(world.database, world.registries.open, world.watch.wall, slow).check(world.name)

    assert first is not None
    assert first.lost == ()
    assert late is not None
    assert [one.code for one in late.lost] == ["timeout"]


def test_registries_are_asked_about_one_rollout_once_at_a_time(world: World) -> None:
    back, again = world.way_back(), list[Checked | None]()

    def ask_again() -> None:
        world.registries.meanwhile = lambda: None
        again.append(back.check(world.name))

    world.registries.meanwhile = ask_again

    first = back.check(world.name)

    assert first == Checked(NOW, 1)
    assert again == [None]
    assert back.check(world.name) == Checked(NOW, 1)


def test_registries_are_asked_about_few_rollouts_at_a_time(world: World) -> None:
    names = [rollout_seeds.halted().write(world.database) for _ in range(MOST_AT_ONCE - 1)]
    full, free = threading.Barrier(MOST_AT_ONCE + 1), threading.Event()

    def hold() -> None:
        full.wait(10)
        free.wait(10)

    world.registries.meanwhile = hold
    back = world.way_back()
    threads = [threading.Thread(target=back.check, args=[one]) for one in (world.name, *names)]
    for one in threads:
        one.start()
    full.wait(10)

    one_more = back.check("0" * 10)
    free.set()
    for one in threads:
        one.join(10)

    assert one_more is None
    assert back.check("0" * 10) == Checked(NOW, 0)


def test_what_breaks_off_leaves_room_for_the_next(world: World) -> None:
    def broken(timeout_s: float) -> AbstractContextManager[Resolver]:
        raise OSError("no such file")

    back = WayBack(world.database, broken)
    for _ in range(MOST_AT_ONCE + 1):
        with pytest.raises(OSError, match="no such file"):
            back.check(world.name)
