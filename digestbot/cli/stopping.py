"""SIGTERM and Ctrl-C as a wish to end: the first asks, the next ends at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopping(say: Callable[[str], None]) -> Iterator[threading.Event]:
    """An event that is set once the process is asked to end; only in the main thread.

    Raises:
        KeyboardInterrupt: It was asked a second time.
    """
    event = threading.Event()

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
