"""What operators are to know, and what each of them was told."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from digestbot.store import attention, conditions
from digestbot.store.conditions import Change, Condition
from digestbot.store.database import Database
from tests.service.state import DAY, HOUR, NOW

LATER = NOW + HOUR
FAILING = Condition("registry:ghcr.io", "registries", "rate-limited", "too many", "log in")
DOWN = replace(FAILING, state="unreachable", message="nobody answers", hint="")
BROKEN = Condition("repo:acme/app", "repos", "invalid-config", "line 3")
MANY = [replace(BROKEN, subject=f"repo:acme/{number}") for number in range(300)]


def tell(connection: Connection, notifier: str = "ops") -> list[Change]:
    """What is pending, which is then told."""
    changes = conditions.pending(connection, notifier)
    conditions.told(connection, notifier, changes)
    return changes


def test_where_nothing_was_noted_there_is_nothing_to_tell(connection: Connection) -> None:
    conditions.note(connection, [], NOW)

    assert tell(connection) == []


def test_a_change_is_told_once_to_each_notifier(connection: Connection) -> None:
    conditions.note(connection, [FAILING], NOW)

    assert tell(connection, "ops") == [Change(None, FAILING, NOW)]
    assert tell(connection, "ops") == []
    assert tell(connection, "chat") == [Change(None, FAILING, NOW)]


def test_what_could_not_be_told_stays_pending(connection: Connection) -> None:
    conditions.note(connection, [FAILING, BROKEN], NOW)
    first, second = conditions.pending(connection, "ops")

    conditions.told(connection, "ops", [first])

    assert conditions.pending(connection, "ops") == [second]


def test_changes_come_in_the_order_in_which_they_came_about(connection: Connection) -> None:
    conditions.note(connection, [BROKEN], NOW)
    conditions.note(connection, [FAILING, BROKEN], LATER)

    assert [change.after for change in tell(connection)] == [BROKEN, FAILING]


def test_what_goes_on_is_not_told_again_whatever_its_words(connection: Connection) -> None:
    conditions.note(connection, [FAILING], NOW)
    tell(connection)

    conditions.note(connection, [replace(FAILING, message="still too many", hint="")], LATER)

    assert tell(connection) == []


def test_another_state_is_a_change_since_it_is_so(connection: Connection) -> None:
    conditions.note(connection, [FAILING], NOW)
    tell(connection)

    conditions.note(connection, [DOWN], LATER)

    assert tell(connection) == [Change(FAILING, DOWN, LATER)]


def test_the_end_is_told_once_with_what_was_told_before(connection: Connection) -> None:
    conditions.note(connection, [FAILING], NOW)
    tell(connection)

    conditions.note(connection, [], LATER)
    conditions.note(connection, [], LATER + HOUR)

    assert tell(connection) == [Change(FAILING, None, LATER)]
    assert tell(connection) == []


@pytest.mark.parametrize(
    "before, between",
    [
        pytest.param([], [FAILING], id="came-and-went"),
        pytest.param([FAILING], [], id="went-and-came-back"),
        pytest.param([FAILING], [DOWN], id="changed-and-changed-back"),
    ],
)
def test_a_change_back_before_it_was_told_is_not_told(
    connection: Connection, before: list[Condition], between: list[Condition]
) -> None:
    conditions.note(connection, before, NOW)
    tell(connection)

    conditions.note(connection, between, LATER)
    conditions.note(connection, before, LATER + HOUR)

    assert tell(connection) == []


def test_what_comes_again_after_its_end_was_told_is_told_again(connection: Connection) -> None:
    for held in ([FAILING], []):
        conditions.note(connection, held, NOW)
        tell(connection)

    conditions.note(connection, [FAILING], LATER)

    assert tell(connection) == [Change(None, FAILING, LATER)]


def test_since_is_when_it_began_however_often_it_is_noted(connection: Connection) -> None:
    for hours in range(3):
        conditions.note(connection, [FAILING], NOW + hours * HOUR)

    assert [change.since for change in tell(connection)] == [NOW]


def test_of_one_subject_the_last_condition_holds(connection: Connection) -> None:
    conditions.note(connection, [FAILING, DOWN], NOW)

    assert [change.after for change in tell(connection)] == [DOWN]


def test_old_ends_are_forgotten_once_they_are_told(connection: Connection) -> None:
    conditions.note(connection, [FAILING], NOW)
    tell(connection)
    conditions.note(connection, [], LATER)

    conditions.prune(connection, LATER + DAY, ["ops"])
    untold = conditions.pending(connection, "ops")
    tell(connection)
    conditions.prune(connection, LATER + DAY, ["ops"])

    assert untold == [Change(FAILING, None, LATER)]
    assert conditions.pending(connection, "chat") == []
    conditions.note(connection, [FAILING], LATER + DAY)
    assert tell(connection) == [Change(None, FAILING, LATER + DAY)]


def test_what_holds_is_not_forgotten_however_old(connection: Connection) -> None:
    conditions.note(connection, [FAILING], NOW)

    conditions.prune(connection, NOW + 365 * DAY, ["ops"])

    assert len(tell(connection)) == 1


def test_who_is_told_no_more_is_forgotten(connection: Connection) -> None:
    conditions.note(connection, [FAILING], NOW)
    tell(connection, "ops")
    tell(connection, "chat")

    conditions.prune(connection, NOW, ["ops"])

    assert tell(connection, "ops") == []
    assert len(tell(connection, "chat")) == 1


# Of the two, SQLite takes fewer; here it takes fewer still, so that many need not be many.
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_there_may_be_more_than_one_statement_takes_values(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, len(MANY) - 1)
    conditions.note(connection, MANY, NOW)
    came = tell(connection)

    conditions.note(connection, [], LATER)
    went = tell(connection)

    assert len(came) == len(went) == len(MANY)
    assert tell(connection) == []
    assert attention.holding(connection) == []


STATES = st.sampled_from([None, "a", "b"])


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(STATES, st.booleans()), max_size=12))
def test_who_is_told_at_any_moments_knows_what_holds(
    database: Database, moments: list[tuple[str | None, bool]]
) -> None:
    """Told changes lead on from one another, and never repeat what is known."""
    known: str | None = None
    with database.begin() as connection:
        conditions.prune(connection, NOW, [])
        conditions.note(connection, [], NOW)

        for number, (state, is_told) in enumerate([*moments, ("a", True)]):
            held = [replace(FAILING, state=state)] if state else []
            conditions.note(connection, held, NOW + number * HOUR)
            for change in tell(connection) if is_told else []:
                before = change.before.state if change.before else None
                after = change.after.state if change.after else None
                assert before == known != after
                known = after
            assert not is_told or known == state

        conditions.note(connection, [], NOW + 20 * HOUR)
        tell(connection)
