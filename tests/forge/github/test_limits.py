"""The limiter on a virtual clock: no window is exceeded, nobody sleeps long, all go on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digestbot.clock import Clock
from digestbot.forge.errors import DeferredError
from digestbot.forge.github.limits import Charge, Limiter, Patience
from digestbot.forge.github.settings import WINDOWS, Window

START = 1_790_000_000.0
READ, WRITE = Charge("rest"), Charge("rest", is_write=True)
QUERY, MUTATION = Charge("graphql"), Charge("graphql", is_write=True)


class FakeTime:
    """A clock that stands still until somebody sleeps."""

    def __init__(self, jitter: float = 0.0) -> None:
        self.now = START
        self.slept: list[float] = []
        self._lock = threading.Lock()
        self.clock = Clock(
            monotonic=lambda: self.now,
            wall=lambda: self.now,
            sleep=self.sleep,
            jitter=lambda: jitter,
        )

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds


def call(limiter: Limiter, time: FakeTime, charge: Charge, max_wait_s: float = 1e9) -> float:
    """Make one call; when it was made."""
    with limiter.turn(charge, Patience(max_wait_s, time.clock)):
        return time.now


def most_in_a_window(calls: list[tuple[float, int]], span_s: float) -> int:
    """The largest sum in any window [t, t + span_s), by brute force."""
    return max(
        (sum(amount for at, amount in calls if start <= at < start + span_s) for start, _ in calls),
        default=0,
    )


charges = st.sampled_from([READ, WRITE, QUERY, MUTATION])
windows = st.builds(
    Window, st.sampled_from(["writes", "rest", "graphql"]), st.integers(5, 12), st.floats(0.5, 50)
)


@given(
    st.lists(windows, max_size=4),
    st.lists(st.tuples(charges, st.floats(0, 20)), max_size=60),
)
def test_no_window_is_ever_exceeded(
    limits: list[Window], asked: list[tuple[Charge, float]]
) -> None:
    time = FakeTime()
    limiter = Limiter(limits, 100, time.clock)
    made: list[tuple[float, Charge]] = []

    for charge, pause in asked:
        time.now += pause
        made.append((call(limiter, time, charge), charge))

    for window in limits:
        counted = [(at, charge.amount(window)) for at, charge in made]
        assert most_in_a_window(counted, window.span_s - 1e-6) <= window.limit


@given(st.lists(charges, max_size=200), st.floats(0, 40))
def test_no_call_sleeps_longer_than_it_may(asked: list[Charge], max_wait_s: float) -> None:
    time = FakeTime(jitter=1.0)
    limiter = Limiter([Window("writes", 3, 10.0), Window("rest", 9, 7.0)], 100, time.clock)

    for charge in asked:
        time.slept.clear()
        with suppress(DeferredError):
            call(limiter, time, charge, max_wait_s)
        assert sum(time.slept) <= max_wait_s + 0.01


@settings(max_examples=20)
@given(st.lists(st.lists(charges, max_size=15), min_size=2, max_size=6))
def test_threads_share_the_windows_and_all_go_on(asked: list[list[Charge]]) -> None:
    time = FakeTime()
    limits = [Window("writes", 4, 10.0), Window("rest", 20, 5.0), Window("graphql", 20, 5.0)]
    limiter = Limiter(limits, 2, time.clock)
    made: list[tuple[float, Charge]] = []
    lock = threading.Lock()

    def work(mine: list[Charge]) -> None:
        for charge in mine:
            with limiter.turn(charge, Patience(1e9, time.clock)), lock:
                made.append((time.now, charge))

    run_all([partial(work, mine) for mine in asked])

    assert len(made) == sum(map(len, asked))
    # Time goes on between the permission and the note of it, so that only the sums are exact.
    took = time.now - START
    for window in limits:
        spent = sum(charge.amount(window) for _, charge in made)
        assert spent <= window.limit * (took // window.span_s + 1)


def run_all(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


def test_no_more_than_so_many_are_under_way() -> None:
    time = FakeTime()
    limiter = Limiter([], 3, time.clock)
    most, under_way, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal most, under_way
        for _ in range(30):
            with limiter.turn(READ, Patience(1e6, time.clock)):
                with lock:
                    under_way += 1
                    most = max(most, under_way)
                with lock:
                    under_way -= 1

    run_all([work] * 10)

    assert 0 < most <= 3


def test_call_that_fails_gives_its_place_back() -> None:
    time = FakeTime()
    limiter = Limiter([], 1, time.clock)
    with pytest.raises(OSError, match="lost"), limiter.turn(READ, Patience(0, time.clock)):
        raise OSError("lost")

    assert call(limiter, time, READ, 0) == START


@pytest.mark.parametrize(
    "counts, per_minute, per_hour",
    [("writes", 80, 500), ("rest", 900, None), ("graphql", 2000, None)],
)
def test_default_windows_are_within_what_github_allows(
    counts: str, per_minute: int, per_hour: int | None
) -> None:
    known = {window.span_s: window.limit for window in WINDOWS if window.counts == counts}

    assert known[15.0] * 4 <= per_minute
    assert known.get(3600.0) == per_hour


def test_many_writes_in_a_row_are_spread_without_long_sleeps() -> None:
    time = FakeTime()
    limiter = Limiter(WINDOWS, 100, time.clock)

    made = [call(limiter, time, WRITE, max_wait_s=30) for _ in range(300)]

    assert most_in_a_window([(at, 1) for at in made], 60.0) <= 80
    assert max(time.slept) <= 15.01
    assert made[-1] - made[0] <= 300


def test_hour_is_deferred_and_says_until_when() -> None:
    time = FakeTime()
    limiter = Limiter([Window("writes", 500, 3600.0)], 100, time.clock)
    for _ in range(500):
        call(limiter, time, MUTATION)

    with pytest.raises(
        DeferredError, match="the limit of 500 writes in 3600 s is used up"
    ) as caught:
        call(limiter, time, WRITE, max_wait_s=30)

    assert caught.value.until == datetime.fromtimestamp(START + 3600, UTC)
    assert caught.value.code == "rate-limited"
    assert "--max-wait" in caught.value.hint
    assert time.slept == []
    assert call(limiter, time, READ, 0) == START


def test_pause_is_kept_by_every_thread_and_spread_at_its_end() -> None:
    time = FakeTime(jitter=0.5)
    limiter = Limiter([], 100, time.clock)
    limiter.pause(20, "GitHub asks for a pause")

    woken = call(limiter, time, QUERY)

    assert START + 20 < woken <= START + 23


def test_pause_of_one_resource_leaves_the_other_alone() -> None:
    time = FakeTime()
    limiter = Limiter([], 100, time.clock)
    limiter.pause(600, "used up", "rest")

    assert call(limiter, time, QUERY, 0) == START
    with pytest.raises(DeferredError, match="used up"):
        call(limiter, time, READ, 30)


def test_shorter_pause_does_not_end_a_longer_one() -> None:
    time = FakeTime()
    limiter = Limiter([], 100, time.clock)

    limiter.pause(20, "long")
    limiter.pause(2, "short")

    assert call(limiter, time, READ) == START + 20


@pytest.mark.parametrize("seconds, least, most", [(0.0, 1, 1), (-5.0, 1, 1), (1e18, 86400, 86400)])
def test_pause_is_neither_nothing_nor_for_ever(seconds: float, least: int, most: int) -> None:
    time = FakeTime()
    limiter = Limiter([], 100, time.clock)

    limiter.pause(seconds, "as asked")

    assert least <= call(limiter, time, READ) - START <= most + 1e-3


def test_block_without_a_time_doubles_until_github_answers() -> None:
    time = FakeTime()
    limiter = Limiter([], 100, time.clock)
    waits = []

    for is_in_vain in (True, True, False, True):
        limiter.block("blocked")
        limiter.block("the same block, told to another thread")
        before = time.now
        waits.append(round(call(limiter, time, READ) - before))
        if not is_in_vain:
            limiter.succeeded()

    assert waits == [60, 120, 240, 60]


def test_amount_larger_than_its_window_passes_once_nothing_else_is_there() -> None:
    time = FakeTime()
    limiter = Limiter([Window("rest", 2, 10.0)], 100, time.clock)

    made = [call(limiter, time, WRITE) for _ in range(2)]

    assert made == [START, pytest.approx(START + 10)]


def test_busy_connections_are_deferred_too() -> None:
    time = FakeTime()
    limiter = Limiter([], 1, time.clock)
    with (
        limiter.turn(READ, Patience(0, time.clock)),
        pytest.raises(DeferredError, match="too many requests are under way"),
    ):
        call(limiter, time, READ, 0)


def test_what_passed_is_counted() -> None:
    limiter = Limiter((), 10, Clock())

    for _ in range(3):
        with limiter.turn(Charge("rest"), Patience(1, Clock())):
            pass

    assert limiter.calls == 3
