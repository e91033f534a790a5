"""A value that is made anew at most every few seconds, however many ask for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from digestbot.clock import Clock

T = TypeVar("T")


class Kept(Generic[T]):
    """Call it for the value; safe to call from many threads, of which one makes it."""

    def __init__(self, make: Callable[[], T], seconds: float, clock: Clock | None = None) -> None:
        self._make = make
        self._seconds = seconds
        self._clock = clock or Clock()
        self._lock = threading.Lock()
        self._value: T | None = None
        self._until = float("-inf")

    def __call__(self) -> T:
        """The value, at most so many seconds old."""
        with self._lock:
            if self._value is None or self._clock.monotonic() >= self._until:
                self._value = self._make()
                self._until = self._clock.monotonic() + self._seconds
            return self._value
