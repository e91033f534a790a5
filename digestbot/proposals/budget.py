"""How many new pull requests a whole run may open, shared by all threads."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Room:
    """How many more there may be, and why no more than that."""

    count: int
    reason: str = ""


class Budget:
    """Counts what is left; without limits there is always room."""

    def __init__(self, *rooms: Room) -> None:
        self._lock = threading.Lock()
        self._left = min(rooms, key=lambda room: room.count, default=None)

    def left(self) -> Room | None:
        """What is left now; None is no limit."""
        with self._lock:
            return self._left

    def take(self, count: int) -> bool:
        """Whether there was room for so many; then it is taken."""
        with self._lock:
            if self._left is None:
                return True
            if count > self._left.count:
                return False
            self._left = Room(self._left.count - count, self._left.reason)
            return True
