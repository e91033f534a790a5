"""Freshness over time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, text

from digestbot.policy.finding import Status
from digestbot.store import tallies
from digestbot.store.tallies import KEPT, Tally
from tests.service.state import (
    DAY,
    HOUR,
    NEW,
    NOW,
    OLD,
    add_digest,
    add_findings,
    add_repos,
    finding,
)
from tests.store.statements import counted

MINUTE = timedelta(minutes=1)


def add_fleet(connection: Connection) -> None:
    """Two pins are behind since yesterday, one is current, one has none, one failed."""
    add_digest(connection, "python:3.12", OLD, NOW - 2 * DAY)
    add_digest(connection, "python:3.12", NEW, NOW - DAY)
    numbers = add_repos(connection, "acme/a", "acme/b")
    first = [finding(status=Status.STALE), finding(status=Status.CURRENT, digest=NEW)]
    others = [Status.HELD, Status.FAILED, Status.UNPINNED]
    add_findings(connection, numbers["acme/a"], *first)
    add_findings(connection, numbers["acme/b"], *(finding(status=one) for one in others))


def test_it_counts_pins_and_how_long_they_are_behind(connection: Connection) -> None:
    add_fleet(connection)

    tallies.note(connection, NOW)

    assert tallies.between(connection, NOW - HOUR, NOW) == [
        Tally(NOW, 1, 1, 1, 1, 1, p50_s=86400, p90_s=86400)
    ]


def test_an_empty_state_has_an_empty_one(connection: Connection) -> None:
    tallies.note(connection, NOW)

    assert tallies.between(connection, NOW, NOW) == [Tally(NOW, 0, 0, 0, 0, 0)]


def test_repos_that_are_left_out_do_not_count(connection: Connection) -> None:
    add_fleet(connection)
    connection.execute(text("UPDATE repos SET left_out = 'fork' WHERE name = 'acme/b'"))

    tallies.note(connection, NOW)

    (found,) = tallies.between(connection, NOW, NOW)
    assert (found.current, found.stale, found.held, found.failed, found.unpinned) == (1, 1, 0, 0, 0)


def test_the_last_one_of_an_hour_stands_for_it(connection: Connection) -> None:
    on_the_hour = NOW.replace(minute=0)
    times = [on_the_hour, on_the_hour + 59 * MINUTE, on_the_hour + HOUR]

    for time in times:
        tallies.note(connection, time)

    assert [one.at for one in tallies.between(connection, NOW - DAY, NOW + DAY)] == times[1:]


def test_only_what_lies_between_is_told(connection: Connection) -> None:
    for hours in range(10):
        tallies.note(connection, NOW + hours * HOUR)

    found = tallies.between(connection, NOW + 2 * HOUR, NOW + 4 * HOUR)

    assert [one.at for one in found] == [NOW + hours * HOUR for hours in (2, 3, 4)]


@pytest.mark.parametrize(
    "hours, most, expected",
    [
        pytest.param(10, 10, 10, id="as many as may be"),
        pytest.param(11, 10, 6, id="every other"),
        pytest.param(40, 10, 10, id="one of four"),
        pytest.param(40, 1, 1, id="the last alone"),
    ],
)
def test_many_are_thinned_out(connection: Connection, hours: int, most: int, expected: int) -> None:
    last = NOW + (hours - 1) * HOUR
    for number in range(hours):
        tallies.note(connection, NOW + number * HOUR)

    found = [one.at for one in tallies.between(connection, NOW, last, most)]

    assert len(found) == expected
    assert found[-1] == last
    assert found == sorted(found)


def test_old_ones_are_forgotten(connection: Connection) -> None:
    tallies.note(connection, NOW - KEPT - HOUR)
    tallies.note(connection, NOW - KEPT)

    tallies.note(connection, NOW)

    found = tallies.between(connection, NOW - 2 * KEPT, NOW)
    assert [one.at for one in found] == [NOW - KEPT, NOW]


def test_it_costs_a_handful_of_statements_however_large_the_fleet(connection: Connection) -> None:
    add_fleet(connection)

    with counted(connection) as statements:
        tallies.note(connection, NOW)

    assert len(statements) == 4
