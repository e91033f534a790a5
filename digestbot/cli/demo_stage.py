"""Where `digestbot demo rollout` plays: a fleet, a registry, a state, and a clock of its own."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, redirect_stderr
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from digestbot.cli import main
from digestbot.cli.demo_forge import DemoForge
from digestbot.cli.forges import ForgeOptions
from digestbot.cli.runs import Runs, inquiry_of
from digestbot.clock import Clock
from digestbot.config.load import LoadedSettings, load_settings
from digestbot.errors import UsageError
from digestbot.forge.interface import Forge
from digestbot.proposals.budget import Budget
from digestbot.proposals.rules import Rulebook
from digestbot.proposals.run import Run
from digestbot.registry.recorded import RecordedResolver
from digestbot.registry.resolution import Resolver
from digestbot.registry.resolver import RegistryResolver
from digestbot.scan.gate import RegistryGate
from digestbot.scan.setup import make_setup
from digestbot.service.cycle import Cycle
from digestbot.service.fleet import Fleet
from digestbot.service.rollouts.driver import Driver, Ways
from digestbot.service.watch import Histories, Watch
from digestbot.store import rollouts
from digestbot.store.database import Database
from digestbot.store.location import location_of
from digestbot.store.runs import RunState

TARGET: Final = "github:acme"
MORNING: Final = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@dataclass
class DemoClock:
    """Time that passes when it is told to."""

    at: float = MORNING.timestamp()

    def tell(self) -> float:
        """Seconds since the epoch."""
        return self.at

    def pass_by(self, seconds: float) -> None:
        """So many seconds later."""
        self.at += seconds

    def now(self) -> datetime:
        """The time."""
        return datetime.fromtimestamp(self.at, UTC)

    def as_clock(self) -> Clock:
        """For code that uses one."""
        return Clock(self.tell, self.tell, self.pass_by, lambda: 0.0)


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that a rollout needs, on this machine alone.

    Attributes:
        color: Whether commands print in colour.
    """

    loaded: LoadedSettings
    database: Database
    forge: DemoForge
    clock: DemoClock
    color: bool
    stop: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """One cycle over the fleet, as `digestbot run` does one.

        Raises:
            UsageError: It did not go well.
        """
        setup = make_setup(self.loaded.settings, os.environ)
        with RegistryResolver(setup.registries) as registries:
            clock = self.clock.as_clock()
            gate = RegistryGate(setup.hold, Histories(self.database), registries, clock)
            watch = Watch(self.database, registries, gate.offer_text, self.clock.now)

            def open_run(forge: Forge, budget: Budget) -> Run:
                return replace(self._run_on(forge, watch), budget=budget)

            fleet = Fleet(
                self.database,
                {TARGET: lambda: self.forge},
                "demo",
                self.forge.alone,
                jobs=1,
                clock=clock,
            )
            result = Cycle(fleet, watch, open_run, self.stop).run()
        if result.state is not RunState.DONE:
            raise UsageError(f"the demo broke off: {result.problems}")

    def drive(self, minutes: int = 10) -> None:
        """One step of each rollout, as `digestbot serve` does one, and so many minutes."""
        with self.database.reading() as connection:
            found = [rollouts.get(connection, name) for name in rollouts.unfinished(connection)]
        for rollout in found:
            if rollout is not None:
                Driver(self._ways(), rollout, self.stop).step()
        self.clock.pass_by(60 * minutes)

    def type(self, *words: str) -> int:
        """Have a command line run, as if somebody typed it; its exit code."""
        shown = " ".join(_quoted(word) for word in words)
        click.secho(f"$ digestbot {shown}", bold=self.color, color=self.color)
        color = "always" if self.color else "never"
        with redirect_stderr(sys.stdout):
            return main.run([*words, "--color", color], self.clock.as_clock())

    def _ways(self) -> Ways:
        return Ways(
            self.database,
            self.forge.alone,
            self.forge,
            lambda forge: self._run_on(forge, RecordedResolver({})),
            clock=self.clock.as_clock(),
        )

    def _run_on(self, forge: Forge, resolver: Resolver) -> Run:
        settings = self.loaded.settings
        setup = make_setup(settings, os.environ)
        rulebook = Rulebook(settings, setup.policy, clock=self.clock.as_clock())
        runs = Runs(ForgeOptions(), rulebook.rules_for)
        return runs.run_on(forge, resolver, inquiry_of(None), has_pulls=True)


@contextmanager
def staged(config: str, forge: DemoForge, clock: DemoClock, *, color: bool) -> Iterator[Stage]:
    """A stage in a temporary folder, which is gone after the block; `config` configures it.

    Raises:
        StoreError: There can be no state in the folder.
    """
    with ExitStack() as stack:
        made = tempfile.TemporaryDirectory(prefix="digestbot-demo-")
        folder = Path(stack.enter_context(made))
        path = folder / "digestbot.yaml"
        path.write_text(config, encoding="utf-8")
        own = {"DIGESTBOT_CONFIG": str(path), "DOCKER_CONFIG": str(folder)}
        stack.enter_context(_environment(own))
        loaded = load_settings(path)
        if loaded.settings.state is None:
            raise UsageError("a stage needs a state")
        location = location_of(loaded.settings.state, os.environ)
        database = stack.enter_context(closing(Database.open(location)))
        yield Stage(loaded, database, forge, clock, color)


@contextmanager
def _environment(own: Mapping[str, str]) -> Iterator[None]:
    """Until the block ends, commands have these variables, and none of the user's settings."""
    before = dict(os.environ)
    for name in before:
        if "DIGESTBOT" in name:
            del os.environ[name]
    os.environ.update(own)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word
