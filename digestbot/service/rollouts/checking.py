"""What registries say of the way back of a rollout, asked while somebody waits for the answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from digestbot.clock import Clock
from digestbot.registry.pace import Deadline
from digestbot.registry.resolution import Resolver
from digestbot.service.rollouts.pullable import Lost, lost, previous
from digestbot.store import rollouts
from digestbot.store.database import Database

ASKING_S, ANSWER_S = 10.0, 7.0
"""Nothing is asked after the one, and no answer waited for longer than the other.

Together they are less than what a service that ends waits for its requests.
"""
MOST_AT_ONCE, MOST_KEPT = 2, 20
KEPT_FOR: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found when registries were asked.

    Attributes:
        wanted: So many digests.
        lost: Those of them that are not known to be there.
    """

    at: datetime
    wanted: int
    lost: tuple[Lost, ...] = ()


@dataclass(frozen=True, slots=True)
class WayBack:
    """Asks whether there is one, and remembers for a while what was said.

    Safe to use from many threads. What it remembers is to be looked at, and decides nothing.

    Attributes:
        open_resolver: Whom to ask; no lookup takes more than so many seconds.
        clock: Tells the time that people see.
        patience: Tells how long somebody waits.
    """

    database: Database
    open_resolver: Callable[[float], AbstractContextManager[Resolver]]
    clock: Clock = field(default_factory=Clock)
    patience: Clock = field(default_factory=Clock)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _asking: set[str] = field(default_factory=set)
    _found: dict[str, Checked] = field(default_factory=dict)

    def check(self, name: str) -> Checked | None:
        """Ask now, by the whole id of a rollout; None where too much is being asked already.

        Raises:
            StoreError: The state cannot be read.
        """
        with self._turn(name) as is_ours:
            if not is_ours:
                return None
            checked = self._ask(name)
        with self._lock:
            self._found.pop(name, None)
            self._found[name] = checked
            while len(self._found) > MOST_KEPT:
                del self._found[next(iter(self._found))]
        return checked

    def last(self, name: str) -> Checked | None:
        """What was found a moment ago, if somebody asked."""
        with self._lock:
            found = self._found.get(name)
        return found if found is not None and self._now() - found.at < KEPT_FOR else None

    @contextmanager
    def _turn(self, name: str) -> Iterator[bool]:
        with self._lock:
            is_ours = name not in self._asking and len(self._asking) < MOST_AT_ONCE
            if is_ours:
                self._asking.add(name)
        try:
            yield is_ours
        finally:
            if is_ours:
                with self._lock:
                    self._asking.discard(name)

    def _ask(self, name: str) -> Checked:
        """No connection to the state is held while registries are asked."""
        with self.database.reading() as connection:
            rollout = rollouts.get(connection, name)
            targets = rollouts.targets(connection, name)
        wanted = len(previous(rollout.plan, targets)) if rollout is not None else 0
        if rollout is None or not wanted:
            return Checked(self._now(), wanted)
        until = Deadline.after(ASKING_S, self.patience)
        with self.open_resolver(ANSWER_S) as resolver:
            found = lost(rollout.plan, targets, resolver, until)
        return Checked(self._now(), wanted, tuple(found))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.wall(), UTC)
