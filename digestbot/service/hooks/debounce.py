"""From hints to jobs: many hints about the same thing are one job, a little later."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from digestbot.clock import Clock
from digestbot.service.hooks.delivery import Hint, ImageHint, ListHint
from digestbot.service.jobs import Engine, Job, Stop, Work
from digestbot.service.scheduler import CYCLE

IMAGE, REPO = "image", "repo"
DELAY_S = 5.0
"""The images of an index are pushed before it, and each of them may be announced."""
PAUSE_S = 15.0
"""A burst that goes on does not have the same thing looked at more often than this."""
CYCLE_PAUSE_S = 600.0
"""A cycle lists all repos: hints have no more of them than this, and for half of the time."""
MOST_WAITING = 1000


class Debounce:
    """Plans what hints are about; a hint is followed by a look that begins after it.

    Safe to use from many threads.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        delay_s: float = DELAY_S,
        most: int = MOST_WAITING,
    ) -> None:
        """Begin with nothing.

        Args:
            clock: Tells the time.
            delay_s: How long after a hint the job begins, at the earliest.
            most: So many jobs may wait; beyond, one cycle stands for all.
        """
        self._clock = clock or Clock()
        self._delay_s = delay_s
        self._most = most
        self._lock = threading.Lock()
        # By the key of the job, in seconds of the monotonic clock.
        self._waiting: dict[str, float] = {}
        self._begun: dict[str, float] = {}
        self._cycle_at = float("-inf")
        self._cycle_took = 0.0

    @property
    def waiting(self) -> int:
        """How many jobs of images and repos wait."""
        with self._lock:
            return len(self._waiting)

    def take(self, engine: Engine, hint: Hint, by: str = "") -> float:
        """Have the engine look at what a hint is about, soon; `by` says who gave it.

        Returns:
            In how many seconds it does, at the earliest; 0 where that is left to a cycle, as
            others may have one begin at any time.
        """
        job = _job(hint)
        with self._lock:
            if job is None or self._is_full(job.key):
                job, at = CYCLE, self._plan_cycle()
            else:
                at = self._plan(job.key)
        ahead = at - self._clock.monotonic()
        asked = job.asked_by(by) if by else job
        # Also where it waits already: the engine makes one of the two.
        engine.submit(asked, datetime.fromtimestamp(self._clock.wall() + ahead, UTC))
        return 0.0 if job is CYCLE else ahead

    def watched(self, work: Work) -> Work:
        """The same work, which says when it begins and ends; that of each kind of job needs it.

        Without it, jobs are counted as waiting for ever.
        """

        def begin(job: Job, stop: Stop) -> None:
            self._note_begun(job.key)
            began = self._clock.monotonic()
            try:
                work(job, stop)
            finally:
                if job.name == CYCLE.name:
                    self._cycle_took = self._clock.monotonic() - began

        return begin

    def _is_full(self, key: str) -> bool:
        return key not in self._waiting and len(self._waiting) >= self._most

    def _plan(self, key: str) -> float:
        at = self._waiting.get(key)
        if at is None:
            begun = self._begun.get(key, float("-inf"))
            at = max(self._clock.monotonic() + self._delay_s, begun + PAUSE_S)
            self._waiting[key] = at
        return at

    def _plan_cycle(self) -> float:
        now = self._clock.monotonic()
        if self._cycle_at <= now:
            pause = max(CYCLE_PAUSE_S, 2 * self._cycle_took)
            self._cycle_at = max(now + self._delay_s, self._cycle_at + pause)
        return self._cycle_at

    def _note_begun(self, key: str) -> None:
        now = self._clock.monotonic()
        with self._lock:
            self._waiting.pop(key, None)
            self._begun.pop(key, None)
            self._begun[key] = now
            # The oldest stand first.
            while now - self._begun[oldest := next(iter(self._begun))] >= PAUSE_S:
                del self._begun[oldest]


def _job(hint: Hint) -> Job | None:
    """What looks at it; None where only a cycle does."""
    if isinstance(hint, ImageHint):
        return Job(IMAGE, f"{IMAGE}:{hint.image}", {IMAGE: str(hint.image)})
    if isinstance(hint, ListHint):
        return None
    return Job(REPO, f"{REPO}:{hint.name}", {REPO: hint.name})
