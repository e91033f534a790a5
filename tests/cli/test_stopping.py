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


def test_it_is_heard_though_another_thread_took_the_signal() -> None:
    """As where it comes just before the main thread sleeps, which nothing then wakes."""
    with stopping(nothing) as stop:
        late = threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGTERM))
        late.start()
        # The threads of before have the mask of before.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            assert stop.wait(5)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        late.join()


def test_nobody_waits_longer_than_said() -> None:
    with stopping(nothing) as stop:
        assert not stop.wait(0.01)
        assert not stop.wait(0)


def test_who_does_not_end_in_time_is_ended() -> None:
    with stopping(nothing, limit_s=0.05) as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(10)
        with pytest.raises(KeyboardInterrupt):
            threading.Event().wait(30)


def test_who_ends_in_time_hears_no_more_of_it() -> None:
    with stopping(nothing, limit_s=3600) as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(10)

    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_afterwards_signals_mean_what_they_meant() -> None:
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = [signal.getsignal(one) for one in signals]

    with stopping(nothing):
        pass

    assert [signal.getsignal(one) for one in signals] == before
