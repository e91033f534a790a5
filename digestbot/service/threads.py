"""A pool of threads that does not keep the process alive."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class DaemonPool(Executor):
    """Threads that the end of the process does not wait for.

    Those of `concurrent.futures.ThreadPoolExecutor` are joined when Python ends, even where
    the pool was shut down without waiting: one host that hangs would keep the process for ever.
    """

    def __init__(self, workers: int) -> None:
        """Start all of the threads, so that there is none that cannot be started later."""
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._serve, name=f"digestbot-worker-{number}", daemon=True)
            for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a function called in one of the threads."""
        future: Future[T] = Future()

        def task() -> None:
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - whoever holds the future gets it
                future.set_exception(error)

        self._tasks.put(task)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - so the interface wants it
        """End the threads, each after what was submitted before."""
        for _ in self._threads:
            self._tasks.put(None)
        if wait:
            self.join()

    def join(self) -> None:
        """Wait until all threads ended; only after a shutdown."""
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()
            del task  # Or what it holds would live on until the next one.
