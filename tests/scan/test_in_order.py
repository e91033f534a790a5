from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.scan.in_order import in_order

RUN: ContextVar[str] = ContextVar("RUN", default="")


@given(st.lists(st.integers(), max_size=40), st.integers(1, 8))
def test_outcomes_come_in_the_order_of_the_things(things: list[int], jobs: int) -> None:
    assert list(in_order(lambda thing: thing * 2, things, jobs=jobs)) == [t * 2 for t in things]


def test_as_many_work_at_a_time_as_there_are_jobs() -> None:
    together = threading.Barrier(3, timeout=10)

    def work(thing: int) -> int:
        together.wait()
        return thing

    assert list(in_order(work, range(6), jobs=3)) == list(range(6))


def test_things_are_taken_only_a_little_ahead_of_their_outcomes() -> None:
    taken: list[int] = []

    def things() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    outcomes = in_order(lambda thing: thing, things(), jobs=2)

    next(outcomes)

    assert len(taken) <= 8
    outcomes.close()


def test_what_work_raises_comes_in_its_place() -> None:
    def work(thing: int) -> int:
        if thing == 1:
            raise ValueError("one")
        return thing

    outcomes = in_order(work, [0, 1, 2], jobs=2)

    assert next(outcomes) == 0
    with pytest.raises(ValueError, match="one"):
        next(outcomes)


def test_threads_end_with_their_work() -> None:
    before = threading.active_count()

    list(in_order(lambda thing: thing, range(20), jobs=5))

    for _ in range(100):
        if threading.active_count() <= before:
            break
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_the_threads_know_what_is_bound_where_the_outcomes_are_taken() -> None:
    token = RUN.set("r1")

    try:
        found = list(in_order(lambda _thing: RUN.get(), range(20), jobs=4))
    finally:
        RUN.reset(token)

    assert found == ["r1"] * 20


def test_what_is_bound_for_one_thing_is_not_there_for_the_next() -> None:
    def work(thing: int) -> str:
        before = RUN.get()
        RUN.set(str(thing))
        return before

    found = list(in_order(work, range(20), jobs=2))

    assert found == [""] * 20
    assert RUN.get() == ""
