"""Where `digestbot demo rollout` plays: a fleet, a registry, a state, and a clock of its own."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir, closing, contextmanager, redirect_stderr
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import click

from digestbot.cli import main
from digestbot.cli.demo_forge import DemoForge
from digestbot.cli.exits import Exit
from digestbot.cli.forges import ForgeOptions
from digestbot.cli.serving import Serving
from digestbot.clock import Clock
from digestbot.config.load import load_settings
from digestbot.errors import UsageError
from digestbot.forge.interface import Forge
from digestbot.proposals.budget import Budget
from digestbot.proposals.run import Run
from digestbot.scan.setup import make_setup
from digestbot.service.after import Aftermath
from digestbot.service.cycle import Cycle
from digestbot.service.fleet import Fleet
from digestbot.service.notify.notices import Notices
from digestbot.service.rollouts.rounds import Rounds, Tools
from digestbot.service.rollouts.ways import Ways
from digestbot.store import rollouts
from digestbot.store.database import Database
from digestbot.store.location import location_of
from digestbot.store.runs import RunState

NAME: Final = "digestbot.yaml"
VARIABLE: Final = "DEMO_TOKEN"
"""The variable that holds the token of the dashboard."""
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
        served: What `digestbot serve` would work with, but for its forge.
        color: Whether commands print in colour.
    """

    served: Serving
    forge: DemoForge
    clock: DemoClock
    color: bool
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def database(self) -> Database:
        """The state."""
        return self.served.database

    def look(self) -> None:
        """One cycle over the fleet, as `digestbot run` does one.

        Raises:
            UsageError: It did not go well.
        """
        served, target = self.served, self.served.settings.targets[0]
        with served.resolver() as resolver:
            watch, shared = served.watched(resolver)

            def open_run(forge: Forge, budget: Budget) -> Run:
                run = shared.run_on(forge, watch, served.inquiry(resolver), has_pulls=True)
                return replace(run, budget=budget, today=self.clock.now().date())

            opened = {target: lambda: self.forge}
            fleet = Fleet(
                self.database, opened, "demo", self.forge.alone, jobs=1, clock=served.clock
            )
            result = Cycle(fleet, watch, open_run, self.stop).run()
        if result.state is not RunState.DONE:
            raise UsageError(f"the demo broke off: {result.problems}")

    def drive(self, minutes: int) -> None:
        """One step of each rollout, as `digestbot serve` does one; then so many minutes pass."""
        with self.database.reading() as connection:
            names = rollouts.unfinished(connection)
        rounds = Rounds(self.database, self._tools)
        for name in names:
            rounds.step(name, self.stop)
        self.clock.pass_by(60 * minutes)

    @contextmanager
    def _tools(self) -> Iterator[Tools]:
        served = self.served
        with served.resolver() as resolver:
            watch, shared = served.watched(resolver)
            inquiry = served.inquiry(resolver)
            yield Tools(
                Ways(
                    self.database,
                    self.forge.alone,
                    self.forge,
                    lambda forge: shared.run_on(forge, watch, inquiry, has_pulls=True),
                    clock=served.clock,
                )
            )

    def merge(self, after: timedelta = timedelta()) -> None:
        """People merge what does not fail, and is open for so long."""
        now = self.clock.now()
        for room in self.forge.rooms.values():
            for pull in room.open_pulls():
                is_old = now - room.opened[pull.number] >= after
                if is_old and not room.status(pull.number, now).new_failures:
                    room.merge(pull.number, now)

    def type(self, *words: str) -> int:
        """Have a command line run, as if somebody typed it; its exit code.

        Raises:
            KeyboardInterrupt: Ctrl-C ended it.
        """
        shown = " ".join(_quoted(word) for word in words)
        click.secho(f"$ digestbot {shown}", bold=self.color, color=self.color)
        color = "always" if self.color else "never"
        with redirect_stderr(sys.stdout):
            code = main.run([*words, "--color", color], self.clock.as_clock())
        if code == Exit.INTERRUPTED:
            raise KeyboardInterrupt
        return code


@contextmanager
def staged(
    config: str, forge: DemoForge, clock: DemoClock, token: str, *, color: bool
) -> Iterator[Stage]:
    """A stage in a temporary folder, which is gone after the block.

    `config` configures it; whoever has the token is the operator of its dashboard.

    Raises:
        StoreError: There can be no state in the folder.
    """
    with ExitStack() as stack:
        made = tempfile.TemporaryDirectory(prefix="digestbot-demo-")
        folder = Path(stack.enter_context(made))
        (folder / NAME).write_text(config, encoding="utf-8")
        own = {"DIGESTBOT_CONFIG": NAME, "DIGESTBOT_BY": "ann", VARIABLE: token}
        stack.enter_context(_environment({**own, "DOCKER_CONFIG": str(folder)}))
        # What commands print of their files is the same on all machines.
        stack.enter_context(chdir(folder))
        loaded = load_settings(Path(NAME))
        settings = loaded.settings
        if settings.state is None:
            raise UsageError("a stage needs a state")
        location = location_of(settings.state, os.environ)
        database = stack.enter_context(closing(Database.open(location)))
        aftermath = Aftermath(database, Notices(database, []), settings.deny)
        setup = make_setup(settings, os.environ)
        served = Serving(loaded, setup, ForgeOptions(), database, aftermath, clock=clock.as_clock())
        yield Stage(served, forge, clock, color)


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
