from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from digestbot.forge.repo import Repo
from digestbot.proposals.budget import Budget, Limits, Room


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


def test_a_budget_can_become_narrower_and_never_wider() -> None:
    budget = Budget(Room(3, "three"))

    budget.narrow(Room(5, "five"))
    assert budget.left() == Room(3, "three")
    budget.narrow(Room(1, "one"))
    assert budget.left() == Room(1, "one")


NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def with_open(*minutes_ago: int) -> Repo:
    opened = tuple(NOW - timedelta(minutes=minutes) for minutes in minutes_ago)
    return Repo("acme/app", "main", None, None, open_pulls=len(opened), opened=opened)


def test_what_is_open_counts_against_the_limit_of_all_repos() -> None:
    (room,) = Limits(open=5).rooms_of([with_open(90, 30), with_open(5)], NOW)

    assert (room.count, room.reason) == (2, "no more than 5 may be open (limits.open)")


def test_what_was_opened_within_the_hour_counts_against_the_limit_of_an_hour() -> None:
    (room,) = Limits(per_hour=5).rooms_of([with_open(90, 59), with_open(5)], NOW)

    assert room.count == 3


def test_more_than_allowed_leaves_no_room() -> None:
    repos: Sequence[Repo] = [with_open(1, 2, 3)]

    assert [room.count for room in Limits(open=1, per_hour=2).rooms_of(repos, NOW)] == [0, 0]


def test_no_limits_are_none() -> None:
    assert not Limits()
    assert Limits().rooms_of([with_open(1)], NOW) == []
    assert Limits(open=0)
