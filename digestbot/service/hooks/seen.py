"""What was there a moment ago: for a time, and so much of it."""

from __future__ import annotations

from collections.abc import Hashable

from digestbot.clock import Clock

MOST = 10_000


class Seen:
    """Remembers keys for a while; of too many, those that came first are forgotten."""

    def __init__(self, clock: Clock, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._until: dict[Hashable, float] = {}

    def __contains__(self, key: Hashable) -> bool:
        return self._clock.monotonic() < self._until.get(key, float("-inf"))

    def __len__(self) -> int:
        return len(self._until)

    def add(self, key: Hashable, seconds: float) -> None:
        """Remember it for so long from now on."""
        self._until.pop(key, None)
        while len(self._until) >= self._most:
            del self._until[next(iter(self._until))]
        self._until[key] = self._clock.monotonic() + seconds
