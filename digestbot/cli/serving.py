"""What `digestbot serve` and `digestbot run` work with, put together from the configuration."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digestbot import __version__
from digestbot.cli.answers import open_resolver
from digestbot.cli.forges import ForgeOptions, ForgeWords, forge_options, open_forge
from digestbot.cli.runs import Runs, inquiry_of
from digestbot.cli.settings import check_trust, given_keys, load
from digestbot.cli.targets import GITHUB, parse_target
from digestbot.clock import Clock
from digestbot.config.load import LoadedSettings
from digestbot.config.models import Settings
from digestbot.errors import UsageError
from digestbot.forge.interface import Forge
from digestbot.proposals.budget import Budget, Limits
from digestbot.proposals.evidence import Inquiry
from digestbot.proposals.outcome import RepoOutcome
from digestbot.proposals.proposal import Writer
from digestbot.proposals.rules import Rulebook
from digestbot.proposals.run import Run
from digestbot.registry.resolution import Resolver
from digestbot.registry.resolver import RegistryResolver
from digestbot.scan.forge_files import INTEREST
from digestbot.scan.gate import RegistryGate
from digestbot.scan.setup import Setup, make_setup
from digestbot.service.after import Aftermath
from digestbot.service.cycle import Cycle, CycleResult
from digestbot.service.fleet import Fleet
from digestbot.service.heeding import Heeding
from digestbot.service.jobs import Stop
from digestbot.service.notify.delivery import Delivery
from digestbot.service.notify.kinds import recipients
from digestbot.service.notify.notices import Notices
from digestbot.service.notify.tally import ProposalTally
from digestbot.service.requests import RequestRecorder, each
from digestbot.service.scope import Scope
from digestbot.service.site import Site
from digestbot.service.tracing import start_tracing, stop_tracing
from digestbot.service.watch import Histories, Watch
from digestbot.store import runs
from digestbot.store.database import Database
from digestbot.store.location import location_of

if TYPE_CHECKING:
    from digestbot.service.metrics import Metrics  # `run` has none

# Of the settings these change nothing about what is proposed.
_APART = {
    "service",
    "notify",
    "hooks",
    "dashboard",
    "rollout",
    "state",
    "cache",
    "jobs",
    "timeout",
    "targets",
    "requires",
}
_MAX_WAIT_S = 15.0

OnOutcome = Callable[[RepoOutcome, Writer | None], None]


@dataclass(frozen=True, slots=True)
class Serving:
    """A fleet and its state, both for this process alone.

    Attributes:
        digests: A file with answers in place of registries.
        metrics: What counts along; None where nobody looks.
        requests: Counts what each cycle asks of others.
    """

    loaded: LoadedSettings
    setup: Setup
    forges: ForgeOptions
    database: Database
    aftermath: Aftermath
    digests: Path | None = None
    metrics: Metrics | None = None
    requests: RequestRecorder = field(default_factory=RequestRecorder)
    clock: Clock = field(default_factory=Clock)

    @property
    def settings(self) -> Settings:
        """The configuration."""
        return self.loaded.settings

    def cycle(
        self,
        stop: Stop,
        on_outcome: OnOutcome = lambda _outcome, _writer: None,
        scope: Scope | None = None,
        asked_by: Sequence[str] = (),
    ) -> CycleResult:
        """One cycle, and what follows it; about everything, where there is no scope.

        `on_outcome` is told what became of each repo, and who found the words for it.

        Raises:
            StoreError: The state cannot be read or written.
        """
        tally = ProposalTally()
        self.requests.begin()
        with self.resolver() as resolver:
            watch, shared = self.watched(resolver)
            inquiry = self.inquiry(resolver)

            def open_run(forge: Forge, budget: Budget) -> Run:
                run = shared.run_on(forge, watch, inquiry, has_pulls=True)
                # As the rules, days are those of UTC.
                return replace(run, budget=budget, today=self.now().date())

            def told(outcome: RepoOutcome) -> None:
                tally.note(outcome)
                on_outcome(outcome, shared.writers.pop(outcome.name, None))

            counted = self.requests.requests
            cycle = Cycle(self._fleet(), watch, open_run, stop, told, scope, counted, asked_by)
            try:
                cycle.run()
            finally:
                self._follow(cycle.result(), tally)
        return cycle.result()

    def resolver(self) -> AbstractContextManager[Resolver]:
        """Whom to ask for digests."""
        metrics = self.metrics
        return open_resolver(
            self.setup.registries,
            self.digests,
            on_answer=each(self.requests.registry, metrics.lookups if metrics else None),
            on_left=each(self.requests.left, metrics.remaining if metrics else None),
        )

    def brief_resolver(self, timeout_s: float) -> AbstractContextManager[Resolver]:
        """Whom to ask while somebody waits; no cycle is told of it."""
        registries, metrics = self.setup.registries, self.metrics
        return open_resolver(
            replace(registries, timeout_s=min(registries.timeout_s, timeout_s)),
            None,
            on_answer=metrics.lookups if metrics else None,
            on_left=metrics.remaining if metrics else None,
        )

    def watched(self, resolver: Resolver) -> tuple[Watch, Runs]:
        """The resolver that writes down what it learns, and the rules by which it is used."""
        asked = _registries(resolver)
        gate = RegistryGate(self.setup.hold, Histories(self.database), asked, self.clock)
        metrics = self.metrics
        watch = Watch(self.database, resolver, gate.offer_text, self.now)
        if metrics is not None:
            watch = replace(watch, on_move=lambda _found: metrics.tag_moved())
        policy = replace(self.setup.policy, gate=gate)
        heeding = Heeding(self.database, gate, self.now)
        fixed = given_keys(self.loaded)
        rulebook = Rulebook(self.settings, policy, fixed, self.clock, heeding)
        return watch, Runs(self.forges, rulebook.rules_for, exclude=self.setup.exclude)

    def inquiry(self, resolver: Resolver) -> Inquiry:
        """What is asked of the registries beside digests."""
        return inquiry_of(_registries(resolver))

    def open_repo(self, name: str) -> Forge:
        """The forge of one repo; close it in the end."""
        return open_forge(parse_target(f"{GITHUB}{name}"), self.forges)

    def now(self) -> datetime:
        """The time."""
        return datetime.fromtimestamp(self.clock.wall(), UTC)

    def note_deliveries(self, deliveries: Iterable[Delivery]) -> None:
        """Count what became of messages."""
        for delivery in deliveries:
            if self.metrics is not None:
                self.metrics.notified(delivery.notifier, "ok" if delivery.is_ok else "failed")

    def _fleet(self) -> Fleet:
        settings = self.settings
        return Fleet(
            database=self.database,
            targets={
                word: partial(open_forge, parse_target(word), self.forges)
                for word in dict.fromkeys(settings.targets)
            },
            rules=rules_key(settings),
            open_repo=self.open_repo,
            limits=Limits(settings.limits.open, settings.limits.per_hour),
            lookups=settings.jobs,
            jobs=settings.service.jobs,
            clock=self.clock,
        )

    def _follow(self, result: CycleResult, tally: ProposalTally) -> None:
        self.note_deliveries(self.aftermath.follow(result, tally))


@contextmanager
def serving(
    context: click.Context,
    *,
    config: Path | None,
    digests: Path | None = None,
    make_metrics: Callable[[Database, Settings], Metrics] | None = None,
) -> Iterator[Serving]:
    """The configured fleet with its state, which no other process uses until the block ends.

    Raises:
        ConfigError: The configuration is wrong, or was merely found.
        UsageError: It names no targets, or no state.
        StoreError: The state cannot be opened, or another process uses it.
    """
    loaded = load(context, config=config, no_config=False, keys={})
    check_trust(context, loaded)
    settings = loaded.settings
    if not settings.targets or settings.state is None:
        raise _lacking(loaded)
    setup = make_setup(settings, os.environ)
    told = recipients(settings.notify, os.environ)
    words = ForgeWords(is_proposing=True, max_wait=_MAX_WAIT_S)
    database = Database.open(location_of(settings.state, os.environ))
    with ExitStack() as stack:
        stack.enter_context(closing(database))
        stack.enter_context(database.alone())
        with database.begin() as connection:
            runs.note_lost(connection, datetime.fromtimestamp(Clock().wall(), UTC))
        start_tracing()
        stack.callback(stop_tracing)
        metrics = make_metrics(database, settings) if make_metrics else None
        requests = RequestRecorder()
        forges = forge_options(
            settings,
            words,
            on_answer=each(requests.forge, metrics.forge_calls if metrics else None),
            on_left=each(requests.left, metrics.remaining if metrics else None),
        )
        notices = Notices(database, told, site=Site(settings.dashboard.origin))
        aftermath = Aftermath(database, notices, settings.deny)
        yield Serving(loaded, setup, forges, database, aftermath, digests, metrics, requests)


def _registries(resolver: Resolver) -> RegistryResolver | None:
    return resolver if isinstance(resolver, RegistryResolver) else None


def rules_key(settings: Settings) -> str:
    """A text that changes with whatever decides what is found and proposed."""
    told = settings.model_dump_json(exclude=_APART)
    return hashlib.sha256(f"{__version__}\n{INTEREST.key}\n{told}".encode()).hexdigest()[:16]


def _lacking(loaded: LoadedSettings) -> UsageError:
    """All that is to be written, at once, with an example of each."""
    settings, file = loaded.settings, loaded.path
    told = [_NEEDED["targets"]] if not settings.targets else []
    told += [_NEEDED["state"]] if settings.state is None else []
    what = " and ".join(what for what, _ in told)
    lines = " and ".join(line for _, line in told)
    where = f"write in {file}:" if file else "name a file with --config, and write in it:"
    return UsageError(f"{file or 'the configuration'} names {what}", hint=f"{where} {lines}")


_NEEDED = {
    "targets": (
        "no targets to watch",
        "`targets: [github:acme]` (an owner; `github:acme/app` is one repo)",
    ),
    "state": (
        "no state to keep what it saw in",
        "`state: {folder: /var/lib/digestbot}`",
    ),
}
