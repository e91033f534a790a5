"""SIGTERM and Ctrl-C as a wish to end: the first asks, the next ends at once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOP_S = 18.0
"""Whoever asks a process to end waits for 20 seconds."""
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
def stopping(say: Callable[[str], None], limit_s: float | None = None) -> Iterator[threading.Event]:
    """An event that is set once the process is asked to end; only in the main thread.

    Raises:
        KeyboardInterrupt: It was asked a second time, or it has not ended `limit_s` later.
    """
    event = _Asked()

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    def handle(_number: int, _frame: FrameType | None) -> None:
        if event.is_set():
            raise KeyboardInterrupt
        event.set()
        if limit_s is not None:
            signal.setitimer(signal.ITIMER_REAL, limit_s)
        say("ending: what is under way is finished; once more ends at once")

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, give_up)
    try:
        yield event
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
