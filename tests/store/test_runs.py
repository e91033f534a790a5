"""What each run came to."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from digestbot.scan.result import Problem
from digestbot.store import runs
from digestbot.store.runs import STATES, RunRecord, RunState
from tests.service.state import DAY, HOUR, NOW

PROBLEM = Problem("registry", "ghcr.io", "rate-limited", "too many\0 \udcff", "log in", "acme/app")


def test_a_run_is_under_way_until_it_is_finished(connection: Connection) -> None:
    runs.begin(connection, "a1", "cycle", NOW)

    assert runs.latest(connection) == [RunRecord("a1", "cycle", RunState.RUNNING, NOW)]


def test_what_a_run_came_to_is_kept(connection: Connection) -> None:
    runs.begin(connection, "a1", "cycle", NOW)
    counts = {"listed": 10_000, "lookups": 0}

    runs.finish(connection, "a1", RunState.INCOMPLETE, counts, [PROBLEM], NOW + HOUR)

    expected = RunRecord("a1", "cycle", RunState.INCOMPLETE, NOW, NOW + HOUR, counts, (PROBLEM,))
    assert runs.latest(connection) == [expected]


def test_the_newest_runs_come_first_and_no_more_than_asked_for(connection: Connection) -> None:
    for number in (1, 3, 2):
        runs.begin(connection, f"run-{number}", "cycle", NOW + number * HOUR)

    assert [run.id for run in runs.latest(connection, 2)] == ["run-3", "run-2"]


def test_runs_without_process_are_lost(connection: Connection) -> None:
    for name in ("over", "killed", "killed-too"):
        runs.begin(connection, name, "cycle", NOW)
    runs.finish(connection, "over", RunState.DONE, {}, (), NOW)

    lost = runs.note_lost(connection, NOW + HOUR)

    states = {run.id: (run.state, run.finished_at) for run in runs.latest(connection)}
    assert lost == 2
    assert states == {
        "over": (RunState.DONE, NOW),
        "killed": (RunState.LOST, NOW + HOUR),
        "killed-too": (RunState.LOST, NOW + HOUR),
    }
    assert runs.note_lost(connection, NOW + DAY) == 0


@pytest.mark.parametrize(
    "state, is_success",
    [
        pytest.param(RunState.DONE, True, id="done"),
        pytest.param(RunState.INCOMPLETE, True, id="incomplete"),
        pytest.param(RunState.STOPPED, False, id="stopped"),
        pytest.param(RunState.FAILED, False, id="failed"),
        pytest.param(RunState.LOST, False, id="lost"),
    ],
)
def test_a_success_is_a_run_that_came_to_its_end(
    connection: Connection, state: RunState, is_success: bool
) -> None:
    runs.begin(connection, "a1", "cycle", NOW)
    runs.finish(connection, "a1", state, {}, (), NOW + HOUR)

    assert runs.last_success(connection) == (NOW + HOUR if is_success else None)


def test_the_last_success_is_the_one_that_ended_last(connection: Connection) -> None:
    for number in (2, 1):
        runs.begin(connection, f"run-{number}", "cycle", NOW)
        runs.finish(connection, f"run-{number}", RunState.DONE, {}, (), NOW + number * HOUR)
    runs.begin(connection, "now", "cycle", NOW + DAY)

    assert runs.last_success(connection) == NOW + 2 * HOUR


def test_old_runs_are_forgotten(connection: Connection) -> None:
    for number in range(3):
        runs.begin(connection, f"run-{number}", "cycle", NOW + number * DAY)

    gone = runs.prune(connection, NOW + DAY)

    assert gone == 1
    assert [run.id for run in runs.latest(connection)] == ["run-2", "run-1"]


def test_every_state_is_explained() -> None:
    assert set(STATES) == set(RunState)
