from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from digestbot.image import Digest
from digestbot.rollout.objections import Limits, Objection, large, objections
from digestbot.rollout.plan import Plan
from tests.rollout.test_plan import DEBIAN, NEW, NOW, OLD, OLDER, place, plan_of

LIMITS = Limits(most_share=0.3, most_repos=10)
PLAN = plan_of(place("acme/a"), place("acme/b"))


def said(plan: Plan, again: Plan | None = None, *, later: timedelta = timedelta()) -> list[str]:
    return [one.message for one in objections(plan, again or plan, LIMITS, NOW + later)]


def test_nothing_speaks_against_a_plan_that_was_just_made() -> None:
    assert objections(PLAN, PLAN, LIMITS, NOW) == ()


@pytest.mark.parametrize(
    "hours, words",
    [
        pytest.param(24, [], id="a-day"),
        pytest.param(25, ["the plan is 25 hours old; after a day it is better made again"], id="1"),
        pytest.param(73, ["the plan is 3 days old; after a day it is better made again"], id="3"),
        pytest.param(-5, [], id="a-clock-that-was-set-back"),
    ],
)
def test_a_plan_is_good_for_a_day(hours: int, words: list[str]) -> None:
    assert said(PLAN, later=timedelta(hours=hours)) == words


@pytest.mark.parametrize(
    "repos, fleet, words",
    [
        pytest.param(3, 10, None, id="as-many-as-may-be"),
        pytest.param(
            4, 10, "the plan reaches 4 of 10 repos; more than 30% of all is large", id="share"
        ),
        pytest.param(
            11, 1000, "the plan reaches 11 of 1,000 repos; more than 10 is large", id="number"
        ),
        pytest.param(10, 1000, None, id="as-many-in-numbers"),
    ],
)
def test_a_plan_that_reaches_far_is_large(repos: int, fleet: int, words: str | None) -> None:
    plan = plan_of(*(place(f"acme/{number}") for number in range(repos)), fleet=fleet)

    found = large(plan, LIMITS)

    assert (found.message if found else None) == words


@pytest.mark.parametrize(
    "again, words",
    [
        pytest.param(plan_of(place("acme/a")), "acme/b is not chosen any more", id="gone"),
        pytest.param(
            plan_of(place("acme/a"), place("acme/b"), place("acme/c")),
            "acme/c is chosen now, too",
            id="new",
        ),
        pytest.param(
            plan_of(place("acme/a"), place("acme/b", digest=OLDER)),
            "acme/b is pinned to something else",
            id="another-digest",
        ),
        pytest.param(
            plan_of(place("acme/a"), place("acme/b"), place("acme/b")),
            "acme/b is pinned to something else",
            id="one-pin-more",
        ),
        pytest.param(
            plan_of(*(place(f"acme/{letter}") for letter in "abcdefg")),
            "acme/c, acme/d, acme/e and 2 more are chosen now, too",
            id="many",
        ),
        pytest.param(
            plan_of(place("acme/a", digest=OLDER), place("acme/c")),
            "acme/b is not chosen any more; acme/c is chosen now, too; "
            "acme/a is pinned to something else",
            id="all-of-it",
        ),
    ],
)
def test_repos_that_changed_are_named(again: Plan, words: str) -> None:
    assert said(PLAN, again) == [f"the repos changed since the plan was made: {words}"]


def test_another_line_and_another_wave_are_no_change() -> None:
    moved = tuple(
        replace(
            target, wave=5, edits=tuple(replace(edit, line=99, path="x") for edit in target.edits)
        )
        for target in PLAN.targets
    )

    assert said(PLAN, replace(PLAN, targets=moved)) == []


def test_all_that_speaks_against_it_is_said_at_once() -> None:
    plan = plan_of(place("acme/a"), fleet=1)

    found = objections(plan, plan_of(), LIMITS, NOW + timedelta(days=2))

    assert [one.slug for one in found] == ["older", "large", "changed"]
    assert all(isinstance(one, Objection) for one in found)


def test_a_plan_without_repos_is_no_part_of_nothing() -> None:
    assert large(plan_of(place("acme/x", DEBIAN, Digest.parse(str(OLD))), fleet=0), LIMITS) is None
    assert large(plan_of(place("acme/x", digest=NEW), fleet=0), LIMITS) is None
