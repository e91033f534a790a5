"""Work on many things at a time, in threads, with the outcomes in the order of the things."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
# How far the threads may run ahead of whoever takes the outcomes.
_AHEAD = 4


def in_order(work: Callable[[T], R], things: Iterable[T], *, jobs: int) -> Generator[R, None, None]:
    """The outcome of `work` for each thing; at most a few per thread are held at a time.

    `things` is read in the caller's thread, as outcomes are taken. The threads are daemons,
    so that Ctrl-C does not have to wait for a host that hangs.

    Raises:
        Exception: What `work` raised, in place of its outcome.
    """
    tasks: SimpleQueue[tuple[T, Future[R]] | None] = SimpleQueue()
    context = copy_context()
    threads = 0
    waiting: deque[Future[R]] = deque()
    try:
        for thing in things:
            if threads < jobs:
                threads += 1
                # What a log is told of the run is known in its threads, too.
                serve = partial(context.copy().run, _serve, work, tasks)
                threading.Thread(target=serve, daemon=True).start()
            future: Future[R] = Future()
            waiting.append(future)
            tasks.put((thing, future))
            if len(waiting) >= jobs * _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for _ in range(threads):
            tasks.put(None)


def _serve(work: Callable[[T], R], tasks: SimpleQueue[tuple[T, Future[R]] | None]) -> None:
    while (task := tasks.get()) is not None:
        thing, future = task
        try:
            # In a copy: what is bound for one thing is not meant for the next.
            future.set_result(copy_context().run(work, thing))
        except BaseException as error:  # noqa: BLE001 - whoever takes the outcome gets it
            future.set_exception(error)
