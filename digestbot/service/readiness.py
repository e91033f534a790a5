"""Whether the service does its work: who asks is told, with reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from digestbot.clock import Clock
from digestbot.errors import DigestbotError
from digestbot.service.masking import masked

CYCLES = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the service is not ready: a stable slug, and a sentence."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """Looks at the state, the engine, and when a cycle last came to its end.

    Attributes:
        last_success: Reads that from the state; None before the first.
        is_running: Whether the engine takes jobs.
        next_cycle: When a cycle begins by the timetable after a time; None for never.
        started: When this process began: nobody expects more of it than of its own time.
        cycles: How many cycles in a row may come to nothing.
    """

    last_success: Callable[[], datetime | None]
    is_running: Callable[[], bool]
    next_cycle: Callable[[datetime], datetime | None]
    started: datetime
    cycles: int = CYCLES
    clock: Clock = field(default_factory=Clock)

    def reasons(self) -> tuple[Reason, ...]:
        """Why it is not ready; none where it is."""
        return tuple(self._reasons())

    def _reasons(self) -> Iterator[Reason]:
        if not self.is_running():
            yield Reason("engine-stopped", "the engine takes no jobs")
        try:
            last = self.last_success()
        except DigestbotError as error:
            yield Reason("state-unreachable", masked(str(error)))
            return
        if self._is_late(max(last or self.started, self.started)):
            when = f"{last:%Y-%m-%d %H:%M} UTC" if last else "never yet"
            yield Reason("cycle-late", f"a cycle last came to its end: {when}")

    def _is_late(self, since: datetime) -> bool:
        """Whether so many cycles began since then that one of them should be at its end."""
        due: datetime | None = since
        # The last of them may still be under way.
        for _ in range(self.cycles + 1):
            due = due and self.next_cycle(due)
        return due is not None and due < datetime.fromtimestamp(self.clock.wall(), UTC)
