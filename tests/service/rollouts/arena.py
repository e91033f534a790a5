"""A rollout's whole world in memory: repos with a CI, time, and a state that is real."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from digestbot.files.dockerfile import read as read_dockerfile
from digestbot.forge.interface import Forge
from digestbot.forge.pull import PullState
from digestbot.forge.watching import ChecksOf, PullId, PullStatus, Review
from digestbot.image import Digest, ImageReference, ImageTag
from digestbot.policy.judge import followed_tag
from digestbot.proposals.run import Rules, Run
from digestbot.proposals.settings import ProposalSettings
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolution
from digestbot.rollout.gates import GateRules
from digestbot.rollout.machine import Standing, State, Verb
from digestbot.rollout.pacing import PaceRules
from digestbot.rollout.plan import Move, Plan, RolloutRules, make_plan
from digestbot.rollout.progress import Target, TargetState
from digestbot.rollout.selection import Place, Selection
from digestbot.rollout.waves import WaveRules
from digestbot.scan.forge_files import RepoFiles
from digestbot.service.rollouts.driver import Driver, Ways
from digestbot.service.rollouts.telling import Told, tell
from digestbot.store import rollouts
from digestbot.store.database import Database
from digestbot.store.location import Location
from digestbot.store.rollouts import Rollout
from tests.github.clock import VirtualClock
from tests.proposals.builders import PlainWriter, digest, dockerfile
from tests.proposals.memory import MemoryForge, MemoryRepo

IMAGE = "alpine:3.22"
MORNING = datetime(2026, 11, 21, 6, 5, tzinfo=UTC).timestamp()
_MORNING = datetime.fromtimestamp(MORNING, UTC)
OLD, NEW = digest(0), digest(1)
RULES = RolloutRules(
    waves=WaveRules(canary_count=2, shares=(0.3, 1.0)),
    gate=GateRules(soak=timedelta(hours=1), passed=0.9, failed=0.2),
    pace=PaceRules(per_minute=10_000, per_hour=100_000, pending=10_000),
)
GREEN = ChecksOf(passed=1)


@dataclass
class CI:
    """What checks say of pull requests: `says` by repo; who is not in it is green."""

    says: dict[str, ChecksOf] = field(default_factory=dict)
    base: dict[str, ChecksOf] = field(default_factory=dict)
    reviews: dict[str, Review] = field(default_factory=dict)
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass
class Arena:
    """`step()` is one step of the rollout; people and CI do what the test says in between."""

    database: Database
    forge: MemoryForge
    plan: Plan
    name: str
    ci: CI = field(default_factory=CI)
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(MORNING))
    rules: Rules = field(default_factory=lambda: Rules(proposals=ProposalSettings(labels=())))
    stop: threading.Event = field(default_factory=threading.Event)
    told: list[str] = field(default_factory=list)
    probe: Callable[[], bool | None] = lambda: None
    looks: int = 0
    may_merge: bool = False
    ended: dict[PullId, datetime] = field(default_factory=dict)

    def ways(self) -> Ways:
        return Ways(
            self.database,
            self._open,
            self,
            self._run_on,
            lambda _rollout, _count: self.probe(),
            lambda rollout, text: self.told.append(f"{rollout.standing.state}: {text}"),
            self.clock.as_clock(),
            self.may_merge,
        )

    def _open(self, name: str) -> Forge:
        room = self.forge.rooms.get(name)
        alone = MemoryForge({name: room} if room else {})
        alone.fault, self.forge.fault = self.forge.fault, None
        return alone

    def step(self, times: int = 1, minutes: int = 1) -> Standing:
        """So many steps, so many minutes apart."""
        for _ in range(times):
            Driver(self.ways(), self.rollout(), self.stop).step()
            self.clock.advance(60 * minutes)
        return self.rollout().standing

    def until(self, *states: State, most: int = 60) -> Standing:
        """Steps, ten minutes apart, until it is in one of these states."""
        for _ in range(most):
            if self.step(minutes=10).state in states:
                return self.rollout().standing
        raise AssertionError(f"it is still {self.rollout().standing}: {self.states()}")

    def tell(self, verb: Verb, repo: str = "", reason: str = "") -> Rollout:
        return tell(self.database, self.name, Told(verb, "ann", reason, repo), self.now())

    def rollout(self) -> Rollout:
        with self.database.reading() as connection:
            found = rollouts.get(connection, self.name)
        assert found is not None
        return found

    def targets(self, *, is_back: bool = False) -> dict[str, Target]:
        with self.database.reading() as connection:
            found = rollouts.targets(connection, self.name, is_back=is_back)
        return {target.repo: target for target in found}

    def states(self, *, is_back: bool = False) -> dict[str, TargetState]:
        return {name: one.state for name, one in self.targets(is_back=is_back).items()}

    def wave(self, number: int) -> list[str]:
        return [target.repo for target in self.plan.targets if target.wave == number]

    def merge(self, *names: str) -> None:
        """People merge what is open in these repos; in all of them where none is named."""
        for name in names or self.forge.rooms:
            repo = self.forge.rooms[name]
            for number, pull in list(repo.pulls.items()):
                if pull.state is PullState.OPEN and pull.is_own:
                    repo.merge(number)

    def pinned(self, name: str) -> bytes:
        return self.forge.rooms[name].files()["Dockerfile"]

    def open_pulls(self) -> dict[str, list[int]]:
        return {
            name: numbers
            for name, repo in self.forge.rooms.items()
            if (numbers := [n for n, pull in repo.pulls.items() if pull.state is PullState.OPEN])
        }

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now(), UTC)

    def statuses(self, pulls: Sequence[PullId]) -> Mapping[PullId, PullStatus]:
        """See `Watching.statuses`."""
        self.looks += 1
        return {one: self._status(one) for one in pulls if one.repo in self.forge.rooms}

    def _status(self, one: PullId) -> PullStatus:
        repo = self.forge.rooms[one.repo]
        pull = repo.pulls[one.number]
        return PullStatus(
            state=pull.state,
            head=pull.head,
            base=repo.branches[repo.default_branch],
            url=pull.url,
            ended_at=None if pull.state is PullState.OPEN else self._ended_at(one),
            mergeable=pull.mergeable,
            review=self.ci.reviews.get(one.repo, Review.NONE),
            labels=self.ci.labels.get(one.repo, ()),
            checks=self.ci.says.get(one.repo, GREEN),
            base_checks=self.ci.base.get(one.repo, ChecksOf()),
        )

    def _ended_at(self, one: PullId) -> datetime:
        return self.ended.setdefault(one, self.now())

    def _run_on(self, forge: Forge) -> Run:
        def rules_for(_files: RepoFiles) -> Rules:
            return self.rules

        return Run(
            forge=forge,
            resolver=_Nobody(),
            rules_for=rules_for,
            writer_for=lambda _repo, _settings: PlainWriter(),
        )


@dataclass(frozen=True)
class _Nobody:
    def resolve(self, query: Query) -> Resolution:
        raise RegistryError(f"{query} is asked about", code="not-recorded", host="")


def plan_for(
    names: Sequence[str], now: datetime, rules: RolloutRules = RULES, new: Digest = NEW
) -> Plan:
    image: ImageTag = tag(IMAGE)
    places = [Place(name, "Dockerfile", 1, image, OLD) for name in names]
    moves = [Move(image, new)]
    selection = Selection(str(image))
    return make_plan(places, moves, selection, rules, fleet=len(names) * 4, now=now, by="ann")


def tag(text: str) -> ImageTag:
    found = ImageReference.parse(text).followed
    assert found is not None
    return found


@contextmanager
def arena(folder: Path, repos: int = 20, rules: RolloutRules = RULES) -> Iterator[Arena]:
    """So many repos that pin an image at an old digest, and a rollout that was planned."""
    names = [f"acme/app{number:03}" for number in range(repos)]
    forge = MemoryForge.of(
        *(MemoryRepo.of({"Dockerfile": dockerfile(IMAGE, at=0)}, name) for name in names)
    )
    with _arena(folder, forge, plan_for(names, _MORNING, rules)) as found:
        yield found


@contextmanager
def arena_of(
    folder: Path, repos: Mapping[str, Mapping[str, bytes]], moves: Sequence[Move]
) -> Iterator[Arena]:
    """Repos with these files, and a rollout that was planned for whatever pins move."""
    forge = MemoryForge.of(*(MemoryRepo.of(files, name) for name, files in repos.items()))
    places = [place for name, files in repos.items() for place in places_in(name, files)]
    image, fleet = moves[0].image.image, len(repos) * 4
    plan = make_plan(places, moves, Selection(image), RULES, fleet=fleet, now=_MORNING, by="ann")
    with _arena(folder, forge, plan) as found:
        yield found


def places_in(repo: str, files: Mapping[str, bytes]) -> list[Place]:
    """The pins of a repo, as a cycle writes them down."""
    found = []
    for path, data in files.items():
        for one in read_dockerfile(path, data):
            image, reference = followed_tag(one), one.reference
            if image is not None and reference is not None and reference.digest is not None:
                at, platform = (one.line, one.column), one.steering.platform
                place = Place(repo, path, at[0], image, reference.digest, platform, column=at[1])
                found.append(place)
    return found


@contextmanager
def _arena(folder: Path, forge: MemoryForge, plan: Plan) -> Iterator[Arena]:
    database = Database.open(Location(folder=folder))
    try:
        with database.begin() as connection:
            name = rollouts.create(connection, plan)
        yield Arena(database, forge, plan, name)
    finally:
        database.close()


def with_gate(**changes: object) -> RolloutRules:
    """The usual rules, with another gate."""
    return replace(RULES, gate=replace(RULES.gate, **changes))  # type: ignore[arg-type]  # a table's
