from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from digestbot.service.threads import DaemonPool

LONG_S = 30.0


def test_a_future_has_what_the_function_returned() -> None:
    pool = DaemonPool(2)

    found = [pool.submit(pow, 2, number) for number in range(10)]

    assert [one.result(LONG_S) for one in found] == [2**number for number in range(10)]
    pool.shutdown()


def test_a_future_has_what_the_function_raised_and_its_thread_goes_on() -> None:
    pool = DaemonPool(1)

    broken: Future[int] = pool.submit(int, "x")
    after = pool.submit(int, "7")

    with pytest.raises(ValueError, match="invalid literal"):
        broken.result(LONG_S)
    assert after.result(LONG_S) == 7
    pool.shutdown()


def test_no_thread_keeps_the_process_alive() -> None:
    pool = DaemonPool(1)

    assert pool.submit(lambda: threading.current_thread().daemon).result(LONG_S)
    pool.shutdown()


def test_what_was_submitted_before_the_end_is_done() -> None:
    pool, done = DaemonPool(1), list[int]()
    for number in range(20):
        pool.submit(done.append, number)

    pool.shutdown()

    assert done == list(range(20))


def test_the_end_may_be_asked_for_without_waiting() -> None:
    pool, let_go = DaemonPool(1), threading.Event()
    held = pool.submit(let_go.wait, LONG_S)

    pool.shutdown(wait=False)

    assert not held.done()
    let_go.set()
    pool.join()
    assert held.result(LONG_S)


def test_its_threads_are_gone_after_the_end() -> None:
    before = threading.active_count()

    pool = DaemonPool(5)
    assert threading.active_count() == before + 5
    pool.shutdown()

    assert threading.active_count() == before
