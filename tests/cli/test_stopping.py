"""A wish to end is heard, whenever it comes."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from digestbot.cli.stopping import stopping


def nothing(_text: str) -> None:
    """Say nothing."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_asks_and_the_next_ends_at_once(number: signal.Signals) -> None:
    said: list[str] = []

    with stopping(said.append) as stop:
        os.kill(os.getpid(), number)
        assert stop.wait(10)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)

    assert len(said) == 1


@pytest.mark.parametrize("timeout", [None, 10.0])
def test_it_is_heard_whatever_the_thread_does_at_that_moment(timeout: float | None) -> None:
    for number in range(12):
        with stopping(nothing) as stop:
            pause = number / 20_000
            late = threading.Timer(pause, os.kill, (os.getpid(), signal.SIGTERM))
            late.start()
            assert stop.wait(timeout)
            late.join()


def test_nobody_waits_longer_than_said() -> None:
    with stopping(nothing) as stop:
        assert not stop.wait(0.01)
        assert not stop.wait(0)


def test_afterwards_signals_mean_what_they_meant() -> None:
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]

    with stopping(nothing):
        pass

    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before
