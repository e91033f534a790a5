from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from digestbot.proposals.budget import Budget, Room


def test_without_limits_there_is_always_room() -> None:
    budget = Budget()

    assert budget.left() is None
    assert budget.take(1000)


def test_the_narrowest_limit_counts_and_gives_the_reason() -> None:
    budget = Budget(Room(5, "five open"), Room(2, "two an hour"))

    assert budget.left() == Room(2, "two an hour")


def test_what_is_taken_is_gone() -> None:
    budget = Budget(Room(3, "three"))

    assert budget.take(2)
    assert not budget.take(2)
    assert budget.take(1)
    assert budget.left() == Room(0, "three")


def test_threads_never_take_more_than_there_is() -> None:
    budget = Budget(Room(50, "fifty"))

    with ThreadPoolExecutor(8) as threads:
        taken = sum(threads.map(lambda _: budget.take(1), range(500)))

    assert taken == 50
