"""What people asked for, and rollouts bring, as it holds in a repo while that is worked on."""

from __future__ import annotations

import glob
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from digestbot.proposals.rules import Asked
from digestbot.scan.gate import Gate, RegistryGate
from digestbot.service.again import ADOPTED_FOR
from digestbot.service.rollouts.gating import Leaving
from digestbot.store import asks, ignores, rollouts
from digestbot.store.database import Database
from digestbot.store.ignores import IgnoreRow


@dataclass(frozen=True, slots=True)
class Ignored:
    """A rule that one person made: this image, with its tag, everywhere in a repo."""

    image: str
    until: date
    reason: str
    by: str
    path: None = None

    @classmethod
    def of(cls, row: IgnoreRow) -> Ignored:
        """The rule that a row stands for; what is a glob in it is none."""
        return cls(glob.escape(row.image), row.until, row.reason, row.who)


@dataclass(frozen=True, slots=True)
class Heeding:
    """Reads for each repo what holds in it; safe to use from many threads.

    Attributes:
        gate: What holds back where nobody asked for anything.
        now: The time.
    """

    database: Database
    gate: RegistryGate
    now: Callable[[], datetime]

    def __call__(self, repo: str) -> Asked:
        """What holds in a repo; in all of them, where it has no name.

        Raises:
            StoreError: The state cannot be read.
        """
        with self.database.reading() as connection:
            rows = ignores.holding_in(connection, repo, self.now().date())
            asked = asks.asked_of(connection, repo)
            left = rollouts.brought_to(connection, repo)
            back = rollouts.taken_back_from(connection, repo)
        gate: Gate | None = None
        if asked.waived_at is not None:
            gate = self.gate.waiving(asked.waived_at)
        if left or back:
            gate = Leaving(gate or self.gate, left, self.now() + ADOPTED_FOR, back)
        return Asked(tuple(map(Ignored.of, rows)), gate, asked.is_to_propose)
