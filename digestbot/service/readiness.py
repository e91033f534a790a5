"""Whether the service does its work: who asks is told, with reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from digestbot.clock import Clock
from digestbot.errors import DigestbotError
from digestbot.service.logs import Event, get_log

CYCLES = 3
# Everybody may ask, and need not know where the state is, nor as whom it is reached.
_NO_STATE = "the state cannot be read; the log says why, and `digestbot status`"
_log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the service is not ready: a stable slug, and a sentence."""

    reason: str
    message: str


@dataclass(slots=True)
class Readiness:
    """Looks at the state, the engine, and when a cycle last came to its end.

    Why the state cannot be read is for the log, once for each cause: it names places.

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
    _logged: str = field(default="", init=False, repr=False)

    def reasons(self) -> tuple[Reason, ...]:
        """Why it is not ready; none where it is."""
        return tuple(self._reasons())

    def _reasons(self) -> Iterator[Reason]:
        if not self.is_running():
            yield Reason("engine-stopped", "the engine takes no jobs")
        try:
            last = self.last_success()
        except DigestbotError as error:
            self._log_once(error)
            yield Reason("state-unreachable", _NO_STATE)
            return
        self._logged = ""
        if self._is_late(max(last or self.started, self.started)):
            when = f"{last:%Y-%m-%d %H:%M} UTC" if last else "never yet"
            yield Reason("cycle-late", f"a cycle last came to its end: {when}")

    def _log_once(self, error: DigestbotError) -> None:
        problem = str(error)
        if problem != self._logged:
            self._logged = problem
            _log.error(Event.STATE_FAILED, problem=problem, hint=error.hint)

    def _is_late(self, since: datetime) -> bool:
        """Whether so many cycles began since then that one of them should be at its end."""
        due: datetime | None = since
        # The last of them may still be under way.
        for _ in range(self.cycles + 1):
            due = due and self.next_cycle(due)
        return due is not None and due < datetime.fromtimestamp(self.clock.wall(), UTC)
