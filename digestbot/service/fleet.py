"""What a service watches, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from digestbot.clock import Clock
from digestbot.forge.interface import Forge
from digestbot.proposals.budget import Limits
from digestbot.store.database import Database

OpenForge = Callable[[], Forge]


@dataclass(frozen=True, slots=True)
class Fleet:
    """What a cycle works on, and with what.

    Attributes:
        targets: By name, how their forge is opened.
        open_repo: Opens the forge of one repo, by the repo's name.
        rules: A text that changes when what holds in the repos may have changed.
        limits: How many proposals there may be.
        lookups: How many lookups may run at a time.
        jobs: How many repos are worked on at a time.
    """

    database: Database
    targets: Mapping[str, OpenForge]
    rules: str
    open_repo: Callable[[str], Forge]
    limits: Limits = field(default_factory=Limits)
    lookups: int = 16
    jobs: int = 8
    clock: Clock = field(default_factory=Clock)

    def now(self) -> datetime:
        """The time."""
        return datetime.fromtimestamp(self.clock.wall(), UTC)
