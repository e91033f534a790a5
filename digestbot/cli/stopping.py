"""SIGTERM and Ctrl-C as a wish to end: the first asks, the next ends at once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LOOK_S = 0.25


class _Asked(threading.Event):
    """An event that the handler of a signal sets, whatever the main thread does at that moment.

    A thread that waits for a lock does not hear a signal that came just before; and a handler
    would wait for ever for a lock that the thread has which it interrupts.
    """

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, or for so long; whether it is."""
        end = None if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            left = _LOOK_S if end is None else min(_LOOK_S, end - time.monotonic())
            if left <= 0:
                break
            time.sleep(left)
        return self.is_set()


@contextmanager
def stopping(say: Callable[[str], None]) -> Iterator[threading.Event]:
    """An event that is set once the process is asked to end; only in the main thread.

    Raises:
        KeyboardInterrupt: It was asked a second time.
    """
    event = _Asked()

    def handle(_number: int, _frame: FrameType | None) -> None:
        if event.is_set():
            raise KeyboardInterrupt
        event.set()
        say("ending: what is under way is finished; once more ends at once")

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
