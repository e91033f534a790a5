"""Time on the test GitHub: it stands still until somebody moves it."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

from digestbot.clock import Clock


class VirtualClock:
    """Seconds since the epoch, moved by `advance`, or by whoever sleeps on `as_clock()`.

    With `is_running`, real time passes as well: for a process under test that has clocks of
    its own.
    """

    def __init__(self, start: float | None = None, *, is_running: bool = False) -> None:
        self._born = time.monotonic() if is_running else None
        self._now = time.time() if start is None else start
        self._lock = threading.Lock()

    def now(self) -> float:
        passed = 0.0 if self._born is None else time.monotonic() - self._born
        return self._now + passed

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._now += max(0.0, seconds)
        time.sleep(0)

    def as_clock(self) -> Clock:
        """For the code under test: a sleep takes no time, and moves this clock."""
        return Clock(monotonic=self.now, wall=self.now, sleep=self.advance, jitter=lambda: 0.0)


def stamp(seconds: float) -> str:
    """As GitHub writes times: `2026-11-21T06:58:00Z`."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
