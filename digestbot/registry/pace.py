"""How fast one host is asked: slots, a pause that all threads keep, and an end of patience."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from digestbot.clock import Clock
from digestbot.registry.errors import RegistryError

FAILURES_IN_A_ROW = 3
SLOW_S = 3.0
"""An answer that takes longer costs patience."""
PATIENCE_S = 600.0
"""The seconds of slow answers and of pauses that a host gets which nobody configured."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a lookup gives up."""

    until: float
    clock: Clock = field(default_factory=Clock)

    @classmethod
    def after(cls, seconds: float, clock: Clock) -> Deadline:
        """A deadline this many seconds from now."""
        return cls(clock.monotonic() + seconds, clock)

    @property
    def left(self) -> float:
        """The seconds left; never below 0."""
        return max(0.0, self.until - self.clock.monotonic())


class Pace:
    """Shared by all threads that ask one host.

    `patience_s` is for how long it may keep everybody waiting in a run: any file may name a
    host that is slow on purpose, and thousands of its images.
    """

    def __init__(self, host: str, slots: int, clock: Clock, patience_s: float = PATIENCE_S) -> None:
        self._host = host
        self._patience_s = patience_s
        self._slots = threading.BoundedSemaphore(slots)
        self._clock = clock
        self._lock = threading.Lock()
        self._paused_until = 0.0
        self._failures = 0
        self._has_answered = False
        self._given_up: RegistryError | None = None

    @contextmanager
    def slot(self, deadline: Deadline) -> Iterator[None]:
        """One of the slots, after any pause.

        Raises:
            RegistryError: The host has been given up, or the deadline comes first.
        """
        while True:
            self._wait(deadline)
            if not self._slots.acquire(timeout=deadline.left):
                raise self._too_late()
            if self._paused_until <= self._clock.monotonic():
                break
            # Somebody was asked to wait while this thread stood in line.
            self._slots.release()
        try:
            self.check()
            yield
        finally:
            self._slots.release()

    def check(self) -> None:
        """Do nothing, unless the host has been given up.

        Raises:
            RegistryError: The reason for which it was given up.
        """
        if self._given_up is not None:
            raise self._given_up

    def pause(self, seconds: float) -> None:
        """Ask nothing for this long, from any thread."""
        with self._lock:
            until = self._clock.monotonic() + seconds
            longer = until - max(self._paused_until, self._clock.monotonic())
            self._paused_until = max(self._paused_until, until)
        self._spend(longer)

    def waited(self, seconds: float) -> None:
        """Note how long an answer took; a host is given up that is slow for too long in all."""
        if seconds > SLOW_S:
            self._spend(seconds)

    def _spend(self, seconds: float) -> None:
        with self._lock:
            self._patience_s -= max(0.0, seconds)
            is_enough = self._patience_s < 0
        if is_enough:
            message = f"{self._host} was slow, or asked for pauses, for too long in this run"
            hint = f"if it is yours, name it in the configuration: registries.{self._host}"
            self.give_up(RegistryError(message, code="timeout", host=self._host, hint=hint))

    def give_up(self, error: RegistryError) -> None:
        """Ask nothing any more; every later question fails at once, with this error."""
        with self._lock:
            self._given_up = self._given_up or error

    def succeeded(self) -> None:
        """Note that the host answered."""
        self._failures = 0
        self._has_answered = True

    def failed(self, error: RegistryError, *, is_silent: bool) -> None:
        """Note that a question was asked as often as is useful, in vain.

        A host is given up after a few of these in a row, and at once where it never said
        anything (`is_silent`): one broken image must not sink the others, but a host that
        hangs must not cost its time again for each of them.
        """
        with self._lock:
            self._failures += 1
            self._has_answered = self._has_answered or not is_silent
            is_hopeless = self._failures >= FAILURES_IN_A_ROW or not self._has_answered
        if is_hopeless:
            self.give_up(error)

    def _wait(self, deadline: Deadline) -> None:
        while (wait := self._paused_until - self._clock.monotonic()) > 0:
            self.check()
            if wait > deadline.left:
                raise self._too_late()
            self._clock.sleep(wait)

    def _too_late(self) -> RegistryError:
        self.check()
        message = f"{self._host} was not asked in time: it is slow, or asks for pauses"
        hint = "ask fewer at a time (concurrency), or allow more time (timeout)"
        return RegistryError(message, code="timeout", host=self._host, hint=hint)
