"""How many new pull requests a whole run may open, shared by all threads."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from digestbot.forge.repo import Repo

HOUR = timedelta(hours=1)


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

    def narrow(self, room: Room) -> None:
        """Let there be no more than this from now on."""
        with self._lock:
            if self._left is None or room.count < self._left.count:
                self._left = room

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


@dataclass(frozen=True, slots=True)
class Limits:
    """How many proposals there may be over all repos of a target; None is no limit.

    Attributes:
        open: At the same time.
        per_hour: New ones in any hour.
    """

    open: int | None = None
    per_hour: int | None = None

    def __bool__(self) -> bool:
        return self.open is not None or self.per_hour is not None

    def rooms_of(self, repos: Iterable[Repo], now: datetime) -> list[Room]:
        """What is left of the limits, given what is open in these repos."""
        listed = list(repos)
        begin = now - HOUR
        new = sum(opened > begin for repo in listed for opened in repo.opened)
        return self.rooms(sum(repo.open_pulls for repo in listed), new)

    def rooms(self, are_open: int, are_new: int) -> list[Room]:
        """What is left of the limits, given how many are open and were opened in the last hour."""
        rooms = []
        if self.open is not None:
            reason = f"no more than {self.open} may be open (limits.open)"
            rooms.append(Room(max(0, self.open - are_open), reason))
        if self.per_hour is not None:
            reason = f"no more than {self.per_hour} an hour may be opened (limits.per_hour)"
            rooms.append(Room(max(0, self.per_hour - are_new), reason))
        return rooms
