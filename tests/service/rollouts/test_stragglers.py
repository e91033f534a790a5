from __future__ import annotations

import pytest

from digestbot.rollout.progress import OPEN, Target, TargetState
from digestbot.service.rollouts.stragglers import OPERATOR, late
from tests.service.rollouts.standing import DAY, HOUR, NOW, REPOS, target

OWNERS = {REPOS[0]: "@acme/platform"}


def numbers(targets: list[Target]) -> list[int]:
    return [REPOS.index(one.target.repo) for one in late(targets, OWNERS, NOW)]


def test_what_fails_comes_first_and_at_once_then_what_is_open_for_long() -> None:
    targets = [
        target(0, TargetState.GREEN, opened_at=NOW - 2 * DAY),
        target(1, TargetState.BLOCKED, opened_at=NOW),
        target(2, TargetState.RED, opened_at=NOW - HOUR),
        target(3, TargetState.PENDING, opened_at=NOW - 3 * DAY),
        target(4, TargetState.RED, opened_at=NOW - 2 * HOUR),
        target(5, TargetState.FAILED),
    ]

    assert numbers(targets) == [5, 4, 2, 1, 3, 0]


@pytest.mark.parametrize(
    "calm",
    [
        pytest.param(target(0), id="waiting"),
        pytest.param(target(0, TargetState.GREEN), id="green-since-a-while"),
        pytest.param(target(0, TargetState.PENDING), id="pending"),
        pytest.param(target(0, TargetState.MERGED), id="merged"),
        pytest.param(target(0, TargetState.REJECTED), id="rejected"),
        pytest.param(target(0, TargetState.SKIPPED), id="skipped"),
    ],
)
def test_what_is_as_it_should_be_needs_nobody(calm: Target) -> None:
    assert late([calm], OWNERS, NOW) == []


def test_each_is_named_once() -> None:
    assert numbers([target(0, TargetState.RED, opened_at=NOW - 9 * DAY)]) == [0]


def test_owners_must_act_and_the_org_where_nobody_is_known() -> None:
    found = late([target(0, TargetState.RED), target(1, TargetState.RED)], OWNERS, NOW)

    assert [(one.who, one.act) for one in found] == [
        ("@acme/platform", "see to the checks"),
        ("acme", "see to the checks"),
    ]


def test_what_could_not_be_proposed_is_for_the_operator() -> None:
    (found,) = late([target(0, TargetState.FAILED)], OWNERS, NOW)

    assert found.who == OPERATOR


@pytest.mark.parametrize("state", sorted(OPEN))
def test_whatever_is_open_for_long_has_something_that_can_be_done(state: TargetState) -> None:
    (found,) = late([target(0, state, opened_at=NOW - 2 * DAY)], OWNERS, NOW)

    assert found.act
