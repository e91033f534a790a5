from __future__ import annotations

from digestbot.web.throttle import MOST_EACH, MOST_OVERALL, WINDOW_S, Throttle
from tests.web.visits import Time


def tried(throttle: Throttle, who: str, times: int) -> int:
    """How often they were let."""
    let = 0
    for _ in range(times):
        if throttle.wait(who) == 0:
            throttle.note(who)
            let += 1
    return let


def test_who_fails_too_often_waits_and_others_do_not() -> None:
    throttle = Throttle(Time().clock)

    assert tried(throttle, "a", 1000) == MOST_EACH
    assert throttle.wait("a") == WINDOW_S
    assert throttle.wait("b") == 0


def test_who_waited_may_try_again() -> None:
    time = Time()
    throttle = Throttle(time.clock)
    tried(throttle, "a", 1000)

    time.now += WINDOW_S - 1
    still = throttle.wait("a")
    time.now += 1

    assert still == 1
    assert throttle.wait("a") == 0
    assert tried(throttle, "a", 1000) == MOST_EACH


def test_asking_costs_nothing() -> None:
    throttle = Throttle(Time().clock)

    assert {throttle.wait("a") for _ in range(1000)} == {0}
    assert len(throttle) == 0


def test_many_who_fail_a_little_are_too_many() -> None:
    throttle = Throttle(Time().clock)

    let = sum(tried(throttle, str(number), 1) for number in range(10_000))

    assert let == MOST_OVERALL
    assert throttle.wait("somebody else") > 0


def test_no_more_are_remembered_than_failed() -> None:
    time = Time()
    throttle = Throttle(time.clock)

    for number in range(10_000):
        tried(throttle, str(number), 1)
    most = len(throttle)
    time.now += WINDOW_S
    throttle.wait("a")

    assert (most, len(throttle)) == (MOST_OVERALL, 0)
