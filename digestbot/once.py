"""Work that many threads want and one does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Once(Generic[K, V]):
    """Remembers one outcome per key, an error too; whoever comes meanwhile waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outcomes: dict[K, Future[V]] = {}

    def get(self, key: K, compute: Callable[[], V]) -> V:
        """The outcome for a key; `compute` is called by the first who asks.

        Raises:
            Exception: What `compute` raised, to everyone who asks.
        """
        with self._lock:
            outcome = self._outcomes.get(key)
            is_first = outcome is None
            if outcome is None:
                outcome = self._outcomes[key] = Future()
        if is_first:
            try:
                outcome.set_result(compute())
            except BaseException as error:
                # Whatever it was, nobody may wait for ever.
                outcome.set_exception(error)
                raise
        return outcome.result()
