"""Days of 1,440 minutes on a virtual clock: nothing wrong is proposed, all is right in the end.

What may be proposed is told here once more, from the answers that the registry gave alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from unittest import mock

import pytest
from sqlalchemy import select

from digestbot.forge.pull import Pull, PullState
from digestbot.forge.repo import Repo
from digestbot.forge.steps import EditPull, OpenPull, Step
from digestbot.policy.holding import HoldRules
from digestbot.proposals.budget import HOUR, Limits
from digestbot.proposals.marker import read_marker
from digestbot.proposals.outcome import RepoOutcome
from digestbot.proposals.settings import ProposalSettings
from digestbot.service import cycle
from digestbot.store import proposals
from digestbot.store.database import Database
from digestbot.store.location import Location
from digestbot.store.tables import FINDINGS, REPOS
from tests.github.clock import VirtualClock
from tests.proposals.builders import digest, full
from tests.proposals.memory import MemoryRepo
from tests.service.day import DENIED, START, Day, Pins, pins_of
from tests.service.unruly import Forge, Registry
from tests.service.world import ServiceWorld

REPOS_IN_THE_MORNING = 25
MINUTES, CALM_MINUTES = 1440, 360
SETTLE = timedelta(hours=3)
QUICKER = 0.02
"""How often somebody is quicker than a step."""
DENIED_PIN = str(digest(DENIED))

Verdict = tuple[str, str | None]
"""The status of a pin, and the digest that is to be proposed in its place."""


@dataclass(frozen=True)
class Variant:
    """A kind of day."""

    seed: int
    group: str = "repo"
    min_age: timedelta = timedelta()
    limits: Limits = field(default_factory=Limits)
    labels: tuple[str, ...] = ()


@dataclass
class Onlooker:
    """Knows what the bot was told, and what it may make of it; keeps what it did wrong."""

    day: Day
    hold: HoldRules
    limits: Limits
    wrongs: list[str] = field(default_factory=list)
    opened: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.day.world.now()

    def on_step(self, repo: MemoryRepo, step: Step) -> None:
        """Whether a proposal says nothing that must not be said."""
        if not self.day.is_calm and self.day.chance.random() < QUICKER:
            self.day.people_event(repo)
        if isinstance(step, OpenPull):
            self._check_room(repo)
        if isinstance(step, OpenPull) or (isinstance(step, EditPull) and is_open(repo, step)):
            marker = read_marker(step.body)
            for key in marker.keys if marker else ("nothing",):
                self.wrongs += [
                    f"{self.now} {repo.name} {key}: {wrong}" for wrong in self._why_not(repo, key)
                ]

    def on_outcome(self, outcome: RepoOutcome) -> None:
        """Nothing that strangers do is a fault of the program."""
        problems = [one for one in outcome.problems if one.scope != "registry"]
        if problems:
            # Where the work on a repo breaks off, nobody is told what was opened before.
            self.opened = [one for one in self.opened if one != (self.now, outcome.name)]
        self.wrongs += [f"{self.now} {one}" for one in problems if one.code == "internal"]

    def check(self) -> None:
        """Nothing went wrong, and no branch has two open pull requests."""
        for repo in self.day.forge.rooms.values():
            ours = (one for one in repo.pulls.values() if one.is_own)
            branches = [one.branch for one in ours if one.state is PullState.OPEN]
            if len(branches) > len(set(branches)):
                self.wrongs.append(f"{self.now} {repo.name} has two of {branches}")
        assert (self.wrongs, self.day.failures) == ([], [])

    def _check_room(self, repo: MemoryRepo) -> None:
        rooms = self.day.forge.rooms.values()
        are_open = sum(len(one.open_pulls()) for one in rooms if not one.left_out)
        if self.limits.open is not None and are_open >= self.limits.open:
            self.wrongs.append(f"{self.now} {are_open} are open")
        recent = [moment for moment, _ in self.opened if moment > self.now - HOUR]
        if self.limits.per_hour is not None and len(recent) >= self.limits.per_hour:
            self.wrongs.append(f"{self.now} {len(recent)} were opened in an hour")
        self.opened.append((self.now, repo.name))

    def _why_not(self, repo: MemoryRepo, key: str) -> Iterator[str]:
        image, _, pin = key.partition("@")
        told = self.day.registry.answers.get(image, [])
        if not told or told[-1][0] != self.now or told[-1][1] is None:
            yield "nobody knows what the tag has now"
        if pin == DENIED_PIN:
            yield "it is denied"
        if key in rejected(repo):
            yield "it was rejected"
        if pin not in self.ripe(image, timedelta()):
            yield "it is not settled"
        pinned = {
            old
            for data in repo.files().values()
            for one, old in pins_of(data)
            if full(one) == image
        }
        if DENIED_PIN not in pinned and pin not in self.ripe(image, self.hold.min_age):
            yield "it is too new"

    def sightings(self, image: str) -> list[tuple[str, datetime, datetime]]:
        """For how long the tag had what, as the bot was told."""
        found: list[tuple[str, datetime, datetime]] = []
        for moment, pin in self.day.registry.answers.get(image, []):
            if pin is None:
                continue
            if found and found[-1][0] == pin:
                found[-1] = (pin, found[-1][1], moment)
            else:
                found.append((pin, moment, moment))
        return found

    def ripe(self, image: str, min_age: timedelta) -> list[str]:
        """What has been the tag's for long enough, what it had last first."""
        seen = self.sightings(image)
        settled = {pin for pin, first, last in seen if last - first >= self.hold.settle}
        old = {pin for pin, first, _ in seen if first + min_age <= self.now}
        newest_first = dict.fromkeys(pin for pin, _, _ in reversed(seen))
        return [one for one in newest_first if one in settled & old and one != DENIED_PIN]

    def verdict(self, image: str, pinned: str) -> Verdict:
        """What is right of a pin."""
        seen = self.sightings(image)
        candidates = self.ripe(image, self.hold.min_age)
        if pinned == DENIED_PIN:
            candidates += self.ripe(image, timedelta())
        elif seen[-1][0] == pinned:
            return "current", None
        births = {pin: first for pin, first, _ in reversed(seen)}
        for candidate in candidates:
            is_older = pinned in births and births[candidate] < births[pinned]
            if candidate == pinned or (is_older and pinned != DENIED_PIN):
                break
            return "stale", candidate
        return "held", None


def is_open(repo: MemoryRepo, step: EditPull) -> bool:
    return repo.pulls[step.number].state is PullState.OPEN


def rejected(repo: MemoryRepo) -> set[str]:
    """What people have closed."""
    closed = [one for one in repo.pulls.values() if one.state is PullState.CLOSED and one.is_own]
    markers = [read_marker(pull.body) for pull in closed]
    return {key for one in markers if one and not one.is_obsolete for key in one.keys}


def checked_repo(looking: Onlooker, repo: MemoryRepo) -> dict[tuple[str, int], Verdict]:
    """The verdicts on all pins of a repo, once it is certain that its proposals are right."""
    verdicts: dict[tuple[str, int], Verdict] = {}
    wanted: set[str] = set()
    files: dict[str, Pins] = {}
    no = rejected(repo)
    for path, data in repo.files().items():
        pins = []
        for number, (image, pinned) in enumerate(pins_of(data)):
            _, new = verdicts[path, number + 3] = looking.verdict(full(image), pinned)
            is_wanted = new is not None and f"{full(image)}@{new}" not in no
            wanted |= {f"{full(image)}@{new}"} if is_wanted else set()
            pins.append((image, new if is_wanted and new else pinned))
        files[path] = pins
    pulls = repo.open_pulls()
    assert proposed(pulls) == sorted(wanted), (repo.name, pulls)
    merged = deepcopy(repo)
    for pull in pulls:
        merged.merge(pull.number)
    assert {path: pins_of(data) for path, data in merged.files().items()} == files
    return verdicts


def proposed(pulls: Iterable[Pull]) -> list[str]:
    """The keys in pull requests, each as often as it is there."""
    markers = [read_marker(pull.body) for pull in pulls]
    return sorted(key for marker in markers if marker for key in marker.keys)


def stored_findings(database: Database) -> dict[tuple[str, str, int], Verdict]:
    query = select(REPOS.c.name, FINDINGS).join(REPOS, FINDINGS.c.repo_id == REPOS.c.id)
    with database.reading() as connection:
        rows = connection.execute(query).all()
    return {(row.name, row.path, row.line): (row.status, row.new_digest) for row in rows}


def stored_proposals(database: Database) -> list[tuple[str, str, int]]:
    with database.reading() as connection:
        found = proposals.open_ones(connection, 1000)
    return sorted((one.repo, one.branch, one.number) for one in found)


VARIANTS = [
    pytest.param(Variant(1), id="one-proposal-per-repo"),
    pytest.param(Variant(2, group="image", labels=("digestbot",)), id="one-per-image-with-labels"),
    pytest.param(Variant(3, min_age=timedelta(hours=5)), id="with-a-least-age"),
    pytest.param(Variant(4, group="image", limits=Limits(20, 6)), id="within-limits"),
]


def one_by_one(
    work: Callable[[Repo], RepoOutcome | None], things: Iterable[Repo], *, jobs: int
) -> Iterator[RepoOutcome | None]:
    """In place of threads, which take turns as they like."""
    assert jobs == 1
    return (work(thing) for thing in things)


@contextmanager
def beginning(variant: Variant, folder: Path) -> Iterator[Onlooker]:
    """A morning, and who looks on."""
    with (
        mock.patch.object(cycle, "in_order", one_by_one),
        closing(Database.open(Location(folder=folder))) as database,
    ):
        clock = VirtualClock(START)
        forge, registry = Forge({}), Registry(clock=clock)
        hold = HoldRules(SETTLE, variant.min_age, deny=frozenset({digest(DENIED)}))
        world = ServiceWorld(
            database,
            forge,
            registry,
            clock,
            ProposalSettings(labels=variant.labels, group=variant.group),
            hold,
            variant.limits,
            jobs=1,
        )
        day = Day(world, forge, registry, random.Random(variant.seed))
        looking = Onlooker(day, hold, variant.limits)
        forge.on_step, world.on_outcome = looking.on_step, looking.on_outcome
        day.begin(REPOS_IN_THE_MORNING)
        yield looking


@pytest.mark.parametrize("variant", VARIANTS)
def test_after_a_day_of_troubles_all_is_right_and_nothing_wrong_was_ever_proposed(
    variant: Variant, tmp_path: Path
) -> None:
    with beginning(variant, tmp_path) as looking:
        day, world = looking.day, looking.day.world

        for _ in range(MINUTES):
            day.minute()
            looking.check()
        day.calm_down()
        looking.limits = world.limits = Limits()
        for _ in range(CALM_MINUTES):
            day.minute()
            looking.check()

        rooms = day.forge.rooms.values()
        verdicts = {
            (repo.name, *place): verdict
            for repo in rooms
            for place, verdict in checked_repo(looking, repo).items()
        }
        assert stored_findings(world.database) == verdicts
        assert stored_proposals(world.database) == sorted(
            (repo.name, pull.branch, pull.number) for repo in rooms for pull in repo.open_pulls()
        )
        performed = len(day.forge.performed)
        world.cycle()
        world.cycle()
        assert (len(day.forge.performed), world.worked_on) == (performed, [])
