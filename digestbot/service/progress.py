"""How far a run has come, written down while it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from digestbot.clock import Clock
from digestbot.store import runs
from digestbot.store.database import Database

EVERY_S = 2.0
"""So often it is written at most."""


@dataclass
class Progress:
    """Writes down how far one run has come; for one thread."""

    database: Database
    run_id: str
    clock: Clock
    _next_s: float = float("-inf")

    def note(self, counts: Mapping[str, int], problem_count: int) -> None:
        """Write it down, unless that was done a moment ago.

        Raises:
            StoreError: The state cannot be written.
        """
        now = self.clock.monotonic()
        if now < self._next_s:
            return
        self._next_s = now + EVERY_S
        with self.database.begin() as connection:
            runs.note_progress(connection, self.run_id, counts, problem_count)
