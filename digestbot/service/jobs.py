"""What the service does, as data, and who sees to it that it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Protocol

MOST_ASKERS: Final = 5


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do; losing one costs time, never correctness.

    Attributes:
        name: Which work it is.
        key: Jobs of one key never run at the same time; while one waits, more of it are the
            same one, which runs at the earliest of their times.
        arguments: What the work is told; short texts, so that a job can lie in a database.
        by: Who asked for it, in words: `ann (scan now)`, `webhook harbor`; nobody where it is by
            the timetable. It makes no other job of it.
    """

    name: str
    key: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    by: tuple[str, ...] = field(default=(), compare=False)

    def asked_by(self, *names: str) -> Job:
        """The same job, for which these asked, too; as many are told as a person reads."""
        return replace(self, by=tuple(dict.fromkeys((*self.by, *names)))[:MOST_ASKERS])


class Stop(Protocol):
    """Says whether to leave off."""

    def is_set(self) -> bool:
        """Whether the process is about to end: work hands back what it has not begun."""


Work = Callable[[Job, Stop], None]
"""Does a job; what it raises is logged and counted, and never ends the engine."""


class Engine(Protocol):
    """Has jobs done, in this process or in others."""

    def submit(self, job: Job, at: datetime | None = None) -> None:
        """Have a job done: at that time, or as soon as may be. Safe to call from any thread."""

    def stop(self, timeout_s: float) -> bool:
        """Begin nothing more, ask what runs to leave off, wait; whether all of it did."""
