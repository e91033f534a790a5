"""How `digestbot demo rollout` is told: what somebody types, and what becomes of the repos."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import click

from digestbot.cli.demo_stage import Stage
from digestbot.cli.exits import Exit
from digestbot.errors import UsageError
from digestbot.rollout.machine import State
from digestbot.rollout.progress import Target, TargetState
from digestbot.store import rollouts

WIDTH: Final = 80
STEP: Final = 10
"""Minutes that pass between two looks at the repos."""
_SO_LONG: Final = 40


@dataclass
class Play:
    """One telling of it.

    Attributes:
        name: What the rollout is called; empty before there is one.
        number: How many acts have begun.
        known: What was last told of each repo.
    """

    stage: Stage
    name: str = ""
    number: int = 0
    known: dict[str, Target] = field(default_factory=dict)

    def tell(self, text: str) -> None:
        """What the next lines show."""
        self.number += 1
        _print(f"{self.number}. ", text)
        click.echo()

    def aside(self, text: str) -> None:
        """What nobody types, and happens."""
        _print("  ", text)

    def type(self, *words: str, expected: int = Exit.OK) -> None:
        """A command line, with what it prints.

        Raises:
            UsageError: It ended otherwise than it should.
        """
        code = self.stage.type("rollout", *words)
        click.echo(f"(exit code {code})\n")
        if code != expected:
            raise UsageError(f"the demo broke off: expected exit code {expected}, got {code}")

    def plan(self, *words: str) -> None:
        """A plan is made, and the rollout is from now on the one that this is about."""
        self.type("plan", *words, expected=Exit.FINDINGS)
        with self.stage.database.reading() as connection:
            self.name = rollouts.latest(connection, limit=1)[0].id

    def until(self, is_so: Callable[[], bool]) -> None:
        """Let time pass until something is so; what becomes of repos is told.

        Raises:
            UsageError: That takes too long.
        """
        for _ in range(_SO_LONG):
            at = self.stage.clock.now()
            self.stage.drive(STEP)
            for line in self._news():
                _print(f"  {at:%H:%M}  ", line)
            if is_so():
                click.echo()
                return
        raise UsageError(f"the demo broke off: rollout {self.name} does not get on")

    def state(self) -> State:
        """What the rollout is doing."""
        with self.stage.database.reading() as connection:
            rollout = rollouts.get(connection, self.name)
        return State.PLANNED if rollout is None else rollout.standing.state

    def targets(self, *, is_back: bool = False) -> list[Target]:
        """What became of its repos."""
        with self.stage.database.reading() as connection:
            return rollouts.targets(connection, self.name, is_back=is_back)

    def count(self, state: TargetState, *, is_back: bool = False) -> int:
        """How many repos are in this state."""
        return sum(one.state is state for one in self.targets(is_back=is_back))

    def has_begun(self, wave: int) -> bool:
        """Whether a wave has pull requests."""
        return any(one.wave == wave and one.number for one in self.targets())

    def _news(self) -> Iterator[str]:
        """What became of repos since this was last asked."""
        found: dict[str, list[str]] = {}
        for way, targets in (("", self.targets()), ("back: ", self.targets(is_back=True))):
            for one in targets:
                before = self.known.get(way + one.repo, Target(one.repo, one.wave))
                self.known[way + one.repo] = one
                if one.state is not before.state:
                    found.setdefault(way + _state(one), []).append(one.repo.rpartition("/")[2])
        for told, names in found.items():
            yield f"{told}: {', '.join(names)}"


def _state(target: Target) -> str:
    is_clear = target.state is TargetState.PENDING or not target.why
    return f"{target.state}" if is_clear else f"{target.state} ({target.why})"


def _print(first: str, text: str) -> None:
    click.echo(textwrap.fill(first + text, WIDTH, subsequent_indent=" " * len(first)))
