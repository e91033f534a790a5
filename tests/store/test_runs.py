"""What each run came to."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Row, text

from digestbot.scan.result import Problem
from digestbot.store import runs
from digestbot.store.runs import STATES, Requests, RunRecord, RunState
from digestbot.store.tables import RUNS
from tests.service.state import DAY, HOUR, NOW, add_run

MINUTE = timedelta(minutes=1)
PROBLEM = Problem("registry", "ghcr.io", "timeout", "it did not answer", "wait", "acme/a")


def stored(connection: Connection, run_id: str) -> Row[Any]:
    return connection.execute(RUNS.select().where(RUNS.c.id == run_id)).one()


def test_every_state_has_its_sentence() -> None:
    assert set(STATES) == set(RunState)


def test_one_that_is_under_way(connection: Connection) -> None:
    runs.begin(connection, "a1", "cycle", NOW)

    assert runs.latest(connection) == [RunRecord("a1", "cycle", RunState.RUNNING, NOW)]


def test_one_that_ended(connection: Connection) -> None:
    runs.begin(connection, "a1", "cycle", NOW)

    runs.finish(connection, "a1", RunState.INCOMPLETE, {"repos": 3}, [PROBLEM], NOW + HOUR)

    expected = RunRecord(
        "a1", "cycle", RunState.INCOMPLETE, NOW, NOW + HOUR, {"repos": 3}, (PROBLEM,)
    )
    assert runs.latest(connection) == [expected]


def test_how_far_one_is_can_be_seen(connection: Connection) -> None:
    runs.begin(connection, "a1", "cycle", NOW)
    runs.begin(connection, "b2", "hint", NOW - HOUR)

    runs.note_progress(connection, "a1", {"listed": 200}, 3)

    found = {one.id: (one.state, one.counts) for one in runs.latest(connection)}
    assert found["a1"] == (RunState.RUNNING, {"listed": 200})
    assert found["b2"] == (RunState.RUNNING, {})
    assert stored(connection, "a1").problem_count == 3


def test_whom_it_asked_is_kept(connection: Connection) -> None:
    asked = Requests({"ghcr.io": {"200": 7, "429": 1}}, {"api.github.com": {"200": 9}}, {})
    runs.begin(connection, "a1", "cycle", NOW)

    runs.finish(connection, "a1", RunState.INCOMPLETE, {}, [PROBLEM], NOW + HOUR, asked)

    found = stored(connection, "a1")
    assert found.requests == asdict(asked)
    assert found.problem_count == 1


def test_where_nobody_counted_nothing_is_said_of_it(connection: Connection) -> None:
    add_run(connection, "a1")

    unsaid = connection.execute(text("SELECT id FROM runs WHERE requests IS NULL"))
    assert unsaid.scalars().all() == ["a1"]


def test_the_newest_come_first(connection: Connection) -> None:
    for number in range(4):
        add_run(connection, f"run-{number}", at=NOW + number * HOUR)

    assert [one.id for one in runs.latest(connection, limit=2)] == ["run-3", "run-2"]


def test_what_a_killed_process_left_is_lost(connection: Connection) -> None:
    add_run(connection, "done")
    add_run(connection, "killed", RunState.RUNNING)

    assert runs.note_lost(connection, NOW) == 1
    assert runs.note_lost(connection, NOW + HOUR) == 0

    found = {one.id: (one.state, one.finished_at) for one in runs.latest(connection)}
    assert found["killed"] == (RunState.LOST, NOW)
    assert found["done"][0] is RunState.DONE


@pytest.mark.parametrize(
    "state, is_success",
    [
        (RunState.RUNNING, False),
        (RunState.DONE, True),
        (RunState.INCOMPLETE, True),
        (RunState.STOPPED, False),
        (RunState.FAILED, False),
        (RunState.LOST, False),
    ],
)
def test_a_success_is_a_run_that_came_to_its_end(
    connection: Connection, state: RunState, is_success: bool
) -> None:
    add_run(connection, "a1", state, at=NOW, seconds=60)

    assert (runs.last_success(connection) is not None) == is_success


def test_old_ones_are_forgotten(connection: Connection) -> None:
    add_run(connection, "old", at=NOW - 2 * DAY)
    add_run(connection, "new", at=NOW)

    assert runs.prune(connection, NOW - DAY) == 1

    assert [one.id for one in runs.latest(connection)] == ["new"]


def test_of_many_hints_only_the_newest_are_kept_beyond_a_day(connection: Connection) -> None:
    add_run(connection, "whole", at=NOW - 9 * DAY)
    for number in range(8):
        runs.begin(connection, f"hint{number}", "hint", NOW - number * 10 * HOUR)

    assert runs.prune_partial(connection, NOW - DAY, keep=4) == 4
    assert runs.prune_partial(connection, NOW - DAY, keep=1) == 1

    kept = [one.id for one in runs.latest(connection)]
    assert kept == ["hint0", "hint1", "hint2", "whole"]


def test_the_last_success_is_the_one_that_ended_last(connection: Connection) -> None:
    for number in (2, 1):
        add_run(connection, f"run-{number}", at=NOW + number * HOUR, seconds=60)
    add_run(connection, "now", RunState.RUNNING, at=NOW + DAY)

    assert runs.last_success(connection) == NOW + 2 * HOUR + MINUTE


def test_words_of_a_problem_may_be_odd(connection: Connection) -> None:
    odd = replace(PROBLEM, message="it says \0 and \udcff")

    add_run(connection, "a1", RunState.FAILED, odd)

    assert [one.problems for one in runs.latest(connection)] == [(odd,)]


def test_what_runs_opened_is_counted_from_when_they_ended(connection: Connection) -> None:
    for number, hours in enumerate((5, 2, 1)):
        runs.begin(connection, f"r{number}", "cycle", NOW - timedelta(hours=hours + 1))
        counts = {"proposals_opened": 10**number}
        ended = NOW - timedelta(hours=hours)
        runs.finish(connection, f"r{number}", RunState.DONE, counts, (), ended)
    runs.begin(connection, "r9", "cycle", NOW)

    assert runs.opened_since(connection, NOW - timedelta(hours=3)) == 110
    assert runs.opened_since(connection, NOW) == 0
