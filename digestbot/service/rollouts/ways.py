"""What a rollout is driven with: the state, the forge, time, and whoever is asked or told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from digestbot.clock import Clock
from digestbot.forge.interface import Forge
from digestbot.forge.watching import Watching
from digestbot.proposals.run import Run
from digestbot.rollout.gates import WaveCount
from digestbot.store.database import Database
from digestbot.store.rollouts import Rollout

LOOK_S = 60.0
"""How long after a step the next one is worth making, in seconds."""

Probe = Callable[[Rollout, WaveCount], bool | None]
"""Asks a webhook whether the next wave may begin; None where it does not answer."""
Tell = Callable[[Rollout, str], None]
"""Tells somebody what a rollout came to."""


@dataclass(frozen=True, slots=True)
class Ways:
    """What a rollout is driven with.

    Attributes:
        open_repo: Opens the forge of one repo, by the repo's name.
        watching: Tells how pull requests fare.
        run_on: What a repo of this forge is updated by.
        probe: Asked where the gate's rules say so.
        may_merge: Whether a deadline may have a pull request merged.
    """

    database: Database
    open_repo: Callable[[str], Forge]
    watching: Watching
    run_on: Callable[[Forge], Run]
    probe: Probe = lambda _rollout, _count: None
    tell: Tell = lambda _rollout, _text: None
    clock: Clock = field(default_factory=Clock)
    may_merge: bool = False

    def now(self) -> datetime:
        """The time."""
        return datetime.fromtimestamp(self.clock.wall(), UTC)
