"""How much GitHub may be asked: one limiter for all threads, that rather defers than sleeps long.

Source: docs.github.com, "Rate limits for the REST API", "Best practices for using the REST API".
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from digestbot.clock import Clock
from digestbot.forge.errors import DeferredError
from digestbot.forge.github.settings import Window

WRITE_POINTS = 5
SHORTEST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 24 * 3600.0
UNASKED_PAUSE_S = 60.0
RECOVERY_S = 3.0
_SHORTEST_SLEEP_S = 0.001
_MOST_DOUBLINGS = 6
_log = logging.getLogger(__name__)

OnAnswer = Callable[[str, str], None]
"""Told of each answer, from any thread: the host, and the HTTP status or the error's code."""
OnLeft = Callable[[str, str, float], None]
"""Told how much a host may still be asked: the host, the `resource` of a charge, and how much."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What a call costs: `resource` is `rest`, `graphql`, or `app` for what an App asks as such."""

    resource: str
    is_write: bool = False

    def amount(self, window: Window) -> int:
        """How much of a window it takes."""
        if window.counts == "writes":
            return int(self.is_write)
        if window.counts != self.resource:
            return 0
        return WRITE_POINTS if self.is_write else 1


class Patience:
    """The seconds that one call may still sleep."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self.left_s = seconds
        self._clock = clock

    def sleep(self, seconds: float, why: str, jitter_s: float = 0.0) -> None:
        """Sleep for so long, and up to `jitter_s` more.

        Raises:
            DeferredError: That is longer than is left.
        """
        if seconds > self.left_s + _SHORTEST_SLEEP_S:
            until = datetime.fromtimestamp(self._clock.wall() + seconds, UTC)
            raise DeferredError(
                f"{why}, until {until:%Y-%m-%d %H:%M:%S} UTC",
                code="rate-limited",
                until=until,
                hint="run again after that, or allow longer waits with --max-wait",
            )
        span = min(seconds + jitter_s * self._clock.jitter(), self.left_s)
        span = max(span, _SHORTEST_SLEEP_S)
        self.left_s = max(0.0, self.left_s - span)
        self._clock.sleep(span)


@dataclass(frozen=True, slots=True)
class _Hold:
    """Why nothing may be asked for some seconds."""

    seconds: float
    why: str
    jitter_s: float = 0.0


class _Ledger:
    """What was taken of one window, and when."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._taken: deque[tuple[float, int]] = deque()
        self._sum = 0

    def seconds_until(self, amount: int, now: float) -> float:
        """How long to wait for room; 0 where there is some."""
        while self._taken and self._taken[0][0] + self.window.span_s <= now:
            self._sum -= self._taken.popleft()[1]
        excess = self._sum + amount - self.window.limit
        if not amount or excess <= 0 or not self._taken:
            return 0.0
        for then, taken in self._taken:
            excess -= taken
            if excess <= 0:
                return then + self.window.span_s - now
        return self.window.span_s

    def take(self, amount: int, now: float) -> None:
        """Write down what is asked for now."""
        if amount:
            self._taken.append((now, amount))
            self._sum += amount


class Limiter:
    """Lets calls pass when no limit is hurt by them; shared by all threads of a run.

    `calls` counts those that it let pass; what came of them is told to `on_answer` and `on_left`.
    """

    def __init__(
        self,
        windows: Sequence[Window],
        concurrency: int,
        clock: Clock,
        *,
        on_answer: OnAnswer | None = None,
        on_left: OnLeft | None = None,
    ) -> None:
        self._clock = clock
        self._on_answer = on_answer
        self._on_left = on_left
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(concurrency)
        self._ledgers = [_Ledger(window) for window in windows]
        self._paused: dict[str, tuple[float, str]] = {}
        self._blocks = 0
        self.calls = 0

    @contextmanager
    def turn(self, charge: Charge, patience: Patience) -> Iterator[None]:
        """The time in which a call is made, once all limits have room for it.

        Raises:
            DeferredError: That is later than the caller has patience for.
        """
        self._enter(charge, patience)
        try:
            yield
        finally:
            self._slots.release()

    def pause(self, seconds: float, why: str, resource: str = "") -> None:
        """Ask nothing of a resource for so long, from any thread; empty is all resources."""
        seconds = min(max(seconds, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)
        until = self._clock.monotonic() + seconds
        with self._lock:
            if until > self._paused.get(resource, (0.0, ""))[0]:
                self._paused[resource] = (until, why)

    def block(self, why: str) -> None:
        """Pause everything for a minute, or twice as long as the last time if that was in vain."""
        with self._lock:
            if self._paused.get("", (0.0, ""))[0] > self._clock.monotonic():
                return
            seconds = UNASKED_PAUSE_S * 2 ** min(self._blocks, _MOST_DOUBLINGS)
            self._blocks += 1
        self.pause(seconds, why)

    def succeeded(self) -> None:
        """Note that GitHub answers again."""
        self._blocks = 0

    def answered(
        self, host: str, code: str, charge: Charge | None = None, left: float | None = None
    ) -> None:
        """Tell who wants to know what a call came to, and how many more there may be."""
        try:
            if self._on_answer is not None:
                self._on_answer(host, code)
            if self._on_left is not None and charge is not None and left is not None:
                self._on_left(host, charge.resource, left)
        except Exception:  # noqa: BLE001 - whoever counts must not cost anybody an answer
            _log.debug("an answer could not be counted", exc_info=True)

    def _enter(self, charge: Charge, patience: Patience) -> None:
        while True:
            # What really blocks is a real thread: its wait is of real seconds.
            if not self._slots.acquire(timeout=patience.left_s):
                patience.sleep(patience.left_s + 1, "too many requests are under way")
            hold = self._charge(charge)
            if hold is None:
                return
            # Nobody sleeps in a slot.
            self._slots.release()
            patience.sleep(hold.seconds, hold.why, hold.jitter_s)

    def _charge(self, charge: Charge) -> _Hold | None:
        with self._lock:
            now = self._clock.monotonic()
            holds = [*self._pauses(charge, now), *self._full(charge, now)]
            if holds:
                return max(holds, key=lambda hold: hold.seconds)
            for ledger in self._ledgers:
                ledger.take(charge.amount(ledger.window), now)
            self.calls += 1
            return None

    def _pauses(self, charge: Charge, now: float) -> Iterator[_Hold]:
        for resource in ("", charge.resource):
            until, why = self._paused.get(resource, (0.0, ""))
            if until > now:
                yield _Hold(until - now, why, RECOVERY_S)

    def _full(self, charge: Charge, now: float) -> Iterator[_Hold]:
        for ledger in self._ledgers:
            window = ledger.window
            seconds = ledger.seconds_until(charge.amount(window), now)
            if seconds > 0:
                what = "writes" if window.counts == "writes" else f"{window.counts} points"
                why = f"the limit of {window.limit} {what} in {window.span_s:.0f} s is used up"
                yield _Hold(seconds, why)
