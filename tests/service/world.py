"""A service's whole world in memory: repos, a registry, time; the state alone is real."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from digestbot.config.models import Settings
from digestbot.forge.interface import Forge
from digestbot.policy.finding import Status
from digestbot.policy.holding import HoldRules
from digestbot.proposals.budget import Budget, Limits
from digestbot.proposals.outcome import RepoOutcome
from digestbot.proposals.rules import Rulebook
from digestbot.proposals.run import Rules, Run
from digestbot.proposals.settings import ProposalSettings
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolution
from digestbot.scan.engine import Policy
from digestbot.scan.forge_files import RepoFiles
from digestbot.scan.gate import RegistryGate
from digestbot.service.cycle import Cycle, CycleResult
from digestbot.service.fleet import Fleet
from digestbot.service.heeding import Heeding
from digestbot.service.scope import Scope
from digestbot.service.watch import Histories, Watch
from digestbot.store import findings
from digestbot.store.database import Database
from digestbot.store.location import Location
from digestbot.store.runs import Requests
from tests.github.clock import VirtualClock
from tests.proposals.builders import PlainWriter, digest, dockerfile, full
from tests.proposals.memory import MemoryForge, MemoryRepo

TARGET = "github:acme"
MORNING = datetime(2026, 11, 21, 6, 5, tzinfo=UTC).timestamp()


def repo_with(*images: str, name: str = "acme/app", at: object = 0) -> MemoryRepo:
    """A repo with one Dockerfile that pins these images at their digest of a name."""
    return MemoryRepo.of({"Dockerfile": dockerfile(*images, at=at)}, name)


@dataclass
class TestRegistry:
    """What each tag has now: a name that stands for a digest, or the code of a refusal."""

    __test__ = False
    tags: dict[str, object] = field(default_factory=dict)
    failing: dict[str, str] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def resolve(self, query: Query) -> Resolution:
        name = str(query)
        with self._lock:
            self.asked[name] += 1
        answers = {full(image): digest(at) for image, at in self.tags.items()}
        refused = {full(image): code for image, code in self.failing.items()}
        if name in refused or name not in answers:
            code = refused.get(name, "not-found-or-no-access")
            raise RegistryError(f"{name}: {code}", code=code, host=query.image.registry)
        return Resolution(query, answers[name])


@dataclass
class ServiceWorld:
    """`cycle()` is one cycle of the service over this world.

    With `config`, it and what people asked for say what holds in each repo.
    """

    database: Database
    forge: MemoryForge
    registry: TestRegistry
    # Early on a day, as another day has other rules.
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(MORNING))
    settings: ProposalSettings = field(default_factory=lambda: ProposalSettings(labels=()))
    hold: HoldRules = field(default_factory=HoldRules)
    limits: Limits = field(default_factory=Limits)
    rules: Rules = field(default_factory=Rules)
    rules_key: str = "1"
    config: Settings | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    jobs: int = 2
    outcomes: list[RepoOutcome] = field(default_factory=list)
    on_outcome: Callable[[RepoOutcome], object] = lambda _outcome: None
    requests: Callable[[], Requests | None] = lambda: None

    def cycle(self, scope: Scope | None = None, by: Sequence[str] = ()) -> CycleResult:
        self.outcomes.clear()
        histories = Histories(self.database)
        clock = self.clock.as_clock()
        gate = RegistryGate(self.hold, histories, None, clock)
        watch = Watch(self.database, self.registry, gate.offer_text, self.now)
        rules = replace(self.rules, policy=Policy(gate=gate), proposals=self.settings)

        def rules_for(files: RepoFiles) -> Rules:
            if self.config is None:
                return rules
            heeding = Heeding(self.database, gate, self.now)
            book = Rulebook(self.config, rules.policy, clock=clock, asked_in=heeding)
            return book.rules_for(files)

        def open_run(forge: Forge, budget: Budget) -> Run:
            return Run(
                forge=forge,
                resolver=watch,
                rules_for=rules_for,
                writer_for=lambda _repo, _settings: PlainWriter(),
                budget=budget,
                today=self.now().date(),
            )

        fleet = Fleet(
            database=self.database,
            targets={TARGET: lambda: self.forge},
            rules=self.rules_key,
            open_repo=lambda name: MemoryForge({name: self.forge.rooms[name]}),
            limits=self.limits,
            lookups=self.jobs,
            jobs=self.jobs,
            clock=clock,
        )
        return Cycle(fleet, watch, open_run, self.stop, self._told, scope, self.requests, by).run()

    def _told(self, outcome: RepoOutcome) -> None:
        self.outcomes.append(outcome)
        self.on_outcome(outcome)

    @property
    def worked_on(self) -> list[str]:
        """The repos that the last cycle worked on."""
        return [outcome.name for outcome in self.outcomes]

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now(), UTC)

    def wait(self, span: timedelta) -> None:
        self.clock.advance(span.total_seconds())

    def statuses(self) -> dict[Status, int]:
        with self.database.reading() as connection:
            counted: Mapping[Status, int] = findings.counts(connection)
        return {status: count for status, count in counted.items() if count}


@contextmanager
def service_world(
    folder: Path, *repos: MemoryRepo, tags: Mapping[str, object] | None = None
) -> Iterator[ServiceWorld]:
    """These repos, a registry with these tags, and an empty state in SQLite."""
    database = Database.open(Location(folder=folder))
    try:
        registry = TestRegistry(dict(tags or {}))
        yield ServiceWorld(database, MemoryForge.of(*repos), registry)
    finally:
        database.close()
