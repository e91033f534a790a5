from __future__ import annotations

from typing import Any

import pytest

from digestbot.forge.github.checked import Rollup, read_rollup
from digestbot.forge.watching import ChecksOf
from tests.github import schemas

CONCLUSIONS = {
    "SUCCESS": ChecksOf(passed=1),
    "NEUTRAL": ChecksOf(passed=1),
    "SKIPPED": ChecksOf(passed=1),
    "FAILURE": ChecksOf(failing=("build",)),
    "TIMED_OUT": ChecksOf(failing=("build",)),
    "STARTUP_FAILURE": ChecksOf(failing=("build",)),
    "ACTION_REQUIRED": ChecksOf(failing=("build",)),
    "CANCELLED": ChecksOf(failing=("build",)),
    "STALE": ChecksOf(pending=1),
}
STATES = {
    "SUCCESS": ChecksOf(passed=1),
    "FAILURE": ChecksOf(failing=("build",)),
    "ERROR": ChecksOf(failing=("build",)),
    "PENDING": ChecksOf(pending=1),
    "EXPECTED": ChecksOf(pending=1),
}


def a_run(
    conclusion: str | None = "SUCCESS", *, name: str = "build", suite: str = "S", **more: Any
) -> dict[str, Any]:
    """A check run, as GraphQL tells of it."""
    return {
        "__typename": "CheckRun",
        "name": name,
        "status": "COMPLETED",
        "conclusion": conclusion,
        "startedAt": "2026-01-01T00:00:00Z",
        "checkSuite": {"id": suite},
        **more,
    }


def a_status(state: str, name: str = "build") -> dict[str, Any]:
    return {"__typename": "StatusContext", "context": name, "state": state}


def a_rollup(*contexts: Any, after: str = "") -> dict[str, Any]:
    page = {"hasNextPage": bool(after), "endCursor": after or None}
    return {"contexts": {"nodes": list(contexts), "pageInfo": page}}


def said(*contexts: Any) -> ChecksOf:
    return read_rollup(a_rollup(*contexts)).summary()


def _words(kind: str) -> set[str]:
    return set(schemas.graphql().type_map[kind].values)  # type: ignore[attr-defined] # an enum


def test_every_word_of_github_is_in_these_tables() -> None:
    assert set(CONCLUSIONS) == _words("CheckConclusionState")
    assert set(STATES) == _words("StatusState")


@pytest.mark.parametrize("word", CONCLUSIONS)
def test_a_check_run_says_what_its_conclusion_means(word: str) -> None:
    assert said(a_run(word)) == CONCLUSIONS[word]


@pytest.mark.parametrize("word", STATES)
def test_a_commit_status_says_what_its_state_means(word: str) -> None:
    assert said(a_status(word)) == STATES[word]


@pytest.mark.parametrize("word", sorted(_words("CheckStatusState") - {"COMPLETED"}))
def test_a_check_run_without_conclusion_is_under_way(word: str) -> None:
    assert said(a_run(None, status=word)) == ChecksOf(pending=1)


@pytest.mark.parametrize(
    "context",
    [a_run("SUPERB"), a_status("SUPERB"), a_run(None, status="DREAMING")],
    ids=["conclusion", "state", "status"],
)
def test_a_word_that_nobody_knows_is_never_green(context: Any) -> None:
    assert said(context) == ChecksOf(pending=1)


def test_without_a_check_nothing_is_known() -> None:
    assert not read_rollup(None).summary()
    assert not said()


@pytest.mark.parametrize(
    "runs, expected",
    [
        pytest.param(
            [a_run("FAILURE"), a_run("SUCCESS", startedAt="2026-01-02T00:00:00Z")],
            ChecksOf(passed=1),
            id="green after red",
        ),
        pytest.param(
            [a_run("SUCCESS", startedAt="2026-01-02T00:00:00Z"), a_run("FAILURE")],
            ChecksOf(passed=1),
            id="in any order",
        ),
        pytest.param(
            [a_run("SUCCESS"), a_run("FAILURE", startedAt="2026-01-02T00:00:00Z")],
            ChecksOf(failing=("build",)),
            id="red after green",
        ),
        pytest.param(
            [a_run(None, status="QUEUED", startedAt=None), a_run("FAILURE")],
            ChecksOf(pending=1),
            id="to be run again",
        ),
        pytest.param(
            [a_run("CANCELLED"), a_run("SUCCESS", suite="T")],
            ChecksOf(passed=1),
            id="cancelled for another run",
        ),
        pytest.param(
            [a_run("CANCELLED"), a_run(None, status="IN_PROGRESS", suite="T")],
            ChecksOf(pending=1),
            id="cancelled for one that runs",
        ),
        pytest.param(
            [a_run("CANCELLED"), a_run("CANCELLED", suite="T")],
            ChecksOf(failing=("build",)),
            id="all cancelled",
        ),
        pytest.param(
            [a_run("FAILURE"), a_run("SUCCESS", suite="T", startedAt="2026-01-02T00:00:00Z")],
            ChecksOf(failing=("build",), passed=1),
            id="another workflow",
        ),
        pytest.param(
            [a_run("SUCCESS"), a_status("FAILURE")],
            ChecksOf(failing=("build",), passed=1),
            id="a status of that name",
        ),
    ],
)
def test_of_a_check_that_was_run_again_the_newest_counts(
    runs: list[Any], expected: ChecksOf
) -> None:
    assert said(*runs) == expected


def test_those_that_fail_are_named_once_and_in_order() -> None:
    found = said(a_run("FAILURE", name="z"), a_status("ERROR", "a"), a_status("FAILURE", "z"))

    assert found.failing == ("a", "z")


def test_where_more_would_follow_something_is_not_done_yet() -> None:
    rollup = read_rollup(a_rollup(a_run(), after="c"))

    assert rollup.after == "c"
    assert rollup.summary() == ChecksOf(passed=1, pending=1)
    assert rollup.with_more(Rollup()).summary() == ChecksOf(passed=1)


@pytest.mark.parametrize(
    "context",
    [
        pytest.param(None, id="nothing"),
        pytest.param(a_run(name=None), id="no name"),  # type: ignore[arg-type] # on purpose
        pytest.param(a_run(checkSuite=None), id="no suite"),
        pytest.param(a_run(None), id="completed without conclusion"),
        pytest.param({"__typename": "StatusContext", "context": "a"}, id="no state"),
    ],
)
def test_what_github_does_not_promise_is_not_guessed(context: Any) -> None:
    with pytest.raises(ValueError, match="no text"):
        read_rollup(a_rollup(context))


def test_a_page_without_its_end_is_none() -> None:
    with pytest.raises(ValueError, match="neither true nor false"):
        read_rollup({"contexts": {"nodes": []}})
