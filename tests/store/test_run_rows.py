from __future__ import annotations

import pytest
from sqlalchemy import null, update

from digestbot.scan.result import Problem
from digestbot.store import run_rows, runs
from digestbot.store.database import Database
from digestbot.store.run_rows import RunFilter
from digestbot.store.runs import Requests, RunState
from digestbot.store.tables import RUNS
from tests.service.state import HOUR, NOW, add_run

PROBLEM = Problem("registry", "quay.io", "unauthorized", "401", "give it a token")


@pytest.fixture
def filled(database: Database) -> Database:
    """Seven runs, two of which began at the same time."""
    with database.begin() as connection:
        for number in range(4):
            add_run(connection, f"r{number}", at=NOW - number * HOUR, listed=number)
        add_run(connection, "r1b", RunState.INCOMPLETE, PROBLEM, at=NOW - HOUR)
        runs.begin(connection, "hint", "hint", NOW - 9 * HOUR)
        runs.begin(connection, "now", "cycle", NOW)
        runs.note_progress(connection, "now", {"listed": 5}, 2)
    return database


@pytest.mark.parametrize(
    "asked, expected",
    [
        pytest.param(RunFilter(), ["now", "r0", "r1", "r1b", "r2", "r3", "hint"], id="all"),
        pytest.param(RunFilter(kind="hint"), ["hint"], id="kind"),
        pytest.param(RunFilter(state=RunState.RUNNING), ["now", "hint"], id="state"),
        pytest.param(RunFilter("hint", RunState.DONE), [], id="both"),
    ],
)
def test_runs_are_listed_the_newest_first(
    filled: Database, asked: RunFilter, expected: list[str]
) -> None:
    with filled.reading() as connection:
        found = [one.id for one in run_rows.page(connection, asked)]
        total = run_rows.count(connection, asked)

    assert sorted(found[:2]) + found[2:] == sorted(expected[:2]) + expected[2:]
    assert total == len(expected)


def test_who_asked_for_a_run_is_told_with_it(database: Database) -> None:
    askers = ("ann (scan now)", "webhook harbor")
    with database.begin() as connection:
        runs.begin(connection, "asked", "hint", NOW, askers)
        runs.begin(connection, "planned", "cycle", NOW - HOUR)
        runs.begin(connection, "old", "cycle", NOW - 2 * HOUR)
        connection.execute(update(RUNS).where(RUNS.c.id == "old").values(asked_by=null()))

    with database.reading() as connection:
        listed = {one.id: one.asked_by for one in run_rows.page(connection, RunFilter())}
        found = run_rows.one(connection, "asked")

    assert listed == {"asked": askers, "planned": (), "old": ()}
    assert found is not None
    assert found.row.asked_by == askers


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_pieces_have_each_run_once(filled: Database, size: int) -> None:
    found: list[str] = []
    last = None

    with filled.reading() as connection:
        while piece := run_rows.after(connection, RunFilter(), last, size):
            assert len(piece) <= size
            found += [one.id for one in piece]
            last = piece[-1]
        whole = [one.id for one in run_rows.page(connection, RunFilter(), limit=100)]

    assert found == whole


def test_a_page_is_a_part_of_the_list(filled: Database) -> None:
    with filled.reading() as connection:
        whole = run_rows.page(connection, RunFilter())

        assert run_rows.page(connection, RunFilter(), offset=2, limit=3) == whole[2:5]


def test_the_last_run_is_the_one_that_came_to_its_end(filled: Database) -> None:
    with filled.reading() as connection:
        found = run_rows.last_ended(connection)

    assert found is not None
    assert found.id == "r0"


def test_nothing_ran_in_an_empty_state(database: Database) -> None:
    with database.reading() as connection:
        assert run_rows.last_ended(connection) is None
        assert run_rows.page(connection, RunFilter()) == []
        assert run_rows.one(connection, "r0") is None


def test_a_run_is_told_with_all_of_it(filled: Database) -> None:
    asked = Requests({"quay.io": {"401": 1}}, {}, {"api.github.com": {"core": 12.0}})
    with filled.begin() as connection:
        runs.finish(connection, "now", RunState.DONE, {"listed": 6}, [PROBLEM], NOW, asked)

    with filled.reading() as connection:
        found = run_rows.one(connection, "now")

    assert found is not None
    assert (found.row.state, found.row.problems, found.row.counts) == (
        RunState.DONE,
        1,
        {"listed": 6},
    )
    assert found.problems == (PROBLEM,)
    assert found.requests == {
        "registries": {"quay.io": {"401": 1}},
        "forges": {},
        "left": {"api.github.com": {"core": 12.0}},
    }


def test_a_run_under_way_is_told_as_far_as_it_has_come(filled: Database) -> None:
    with filled.reading() as connection:
        found = run_rows.one(connection, "now")

    assert found is not None
    assert (found.row.counts, found.row.problems, found.requests) == ({"listed": 5}, 2, None)
