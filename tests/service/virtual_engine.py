"""An engine on a clock that stands still: jobs are done in order, in the caller's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

from digestbot.service.jobs import Job, Work
from tests.github.clock import VirtualClock


class VirtualEngine:
    """Does jobs when told to; the same submissions always come to the same.

    Of two that are due at the same time the one goes first that was submitted first.
    """

    def __init__(
        self,
        work: Mapping[str, Work],
        *,
        clock: VirtualClock,
        on_error: Callable[[Job, BaseException], None],
    ) -> None:
        self._work = dict(work)
        self._clock = clock
        self._on_error = on_error
        self._stop = threading.Event()
        self._numbers = count()
        self._waiting: dict[str, tuple[datetime, int, Job]] = {}

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)

    @property
    def waiting(self) -> list[tuple[datetime, Job]]:
        """What waits, and for when, the next first."""
        return [(at, job) for at, _, job in sorted(self._waiting.values(), key=_order)]

    def submit(self, job: Job, at: datetime | None = None) -> None:
        if job.name not in self._work:
            raise ValueError(f"there is no work named {job.name!r}")
        if self._stop.is_set():
            return
        moment, number = at or self.now(), next(self._numbers)
        if known := self._waiting.get(job.key):
            moment, number = min((moment, number), known[:2])
            job = replace(job, by=known[2].asked_by(*job.by).by)
        self._waiting[job.key] = (moment, number, job)

    def run_until(self, moment: datetime) -> None:
        """Let time pass until then, and do what is due on the way."""
        while self._waiting and not self._stop.is_set():
            at, _, job = min(self._waiting.values(), key=_order)
            if at > moment:
                break
            self._advance(at)
            del self._waiting[job.key]
            try:
                self._work[job.name](job, self._stop)
            except Exception as error:  # noqa: BLE001 - as the real one
                self._on_error(job, error)
        self._advance(moment)

    def idle(self, timeout_s: float) -> bool:
        """Do what is due now."""
        self.run_until(self.now())
        return True

    def stop(self, timeout_s: float) -> bool:
        self._stop.set()
        self._waiting.clear()
        return True

    def _advance(self, moment: datetime) -> None:
        self._clock.advance((moment - self.now()).total_seconds())


def _order(entry: tuple[datetime, int, Job]) -> tuple[datetime, int]:
    return entry[:2]
