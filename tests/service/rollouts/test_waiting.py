from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from digestbot.rollout.machine import Event, State, Verb
from digestbot.rollout.plan import RolloutRules
from digestbot.rollout.progress import Target, TargetState
from digestbot.service.rollouts.waiting import is_to_go_back, waits
from tests.service.rollouts.arena import RULES
from tests.service.rollouts.standing import HOUR, MINUTE, NOW, rollout, scene, target, with_gate

GREEN, MERGED, RED = TargetState.GREEN, TargetState.MERGED, TargetState.RED
PENDING, WAITING = TargetState.PENDING, TargetState.WAITING


@pytest.mark.parametrize(
    "rules, targets, reason, message",
    [
        pytest.param(
            RULES,
            [target(0, GREEN), target(1)],
            "working",
            "1 repos of the wave have no pull request yet",
            id="not-opened-yet",
        ),
        pytest.param(
            RULES,
            [target(0, GREEN, opened_at=NOW - 10 * MINUTE)],
            "soaking",
            "it soaks until 2026-11-21 10:20 UTC",
            id="soaks",
        ),
        pytest.param(
            replace(RULES, is_critical=True),
            [target(0, GREEN, opened_at=NOW)],
            "opens",
            "wave 1 begins at the next step",
            id="critical-soaks-never",
        ),
        pytest.param(
            RULES,
            [target(0, GREEN), target(1, PENDING)],
            "not-passed",
            "1 of 2 repos are merged or green; 90% must be",
            id="checks-under-way",
        ),
        pytest.param(
            with_gate(needs_approval=True),
            [target(0, GREEN)],
            "not-approved",
            "somebody has to approve what comes next",
            id="needs-a-yes",
        ),
        pytest.param(
            with_gate(probe=True),
            [target(0, MERGED)],
            "probe-says-no",
            "the webhook that is asked has to say yes",
            id="webhook-is-asked-last",
        ),
        pytest.param(
            RULES,
            [target(0, RED), target(1, RED)],
            "failing",
            "2 of 2 repos fail; 20% may at most; it halts at the next step",
            id="about-to-halt",
        ),
    ],
)
def test_what_runs_waits_for_its_gate(
    rules: RolloutRules, targets: list[Target], reason: str, message: str
) -> None:
    found = waits(scene(rollout(rules=rules), *targets))

    assert (found.reason, found.message) == (reason, message)


def test_what_soaks_says_until_when() -> None:
    found = waits(scene(rollout(), target(0, GREEN, opened_at=NOW)))

    assert found.until == NOW + HOUR


def test_somebody_who_promotes_ends_the_soak() -> None:
    found = waits(scene(rollout(is_promoted=True), target(0, GREEN, opened_at=NOW)))

    assert found.reason == "opens"


def test_after_the_last_wave_all_is_through() -> None:
    found = waits(scene(rollout(wave=2), target(0, MERGED)))

    assert found.message == "all waves are through at the next step"


def test_failures_that_somebody_knows_of_are_not_waited_for_to_halt() -> None:
    found = waits(scene(rollout(accepted=2), target(0, RED), target(1, RED)))

    assert found.reason == "nothing-known"


@pytest.mark.parametrize(
    "state, event, message",
    [
        pytest.param(
            State.PAUSED,
            Event(Verb.PAUSE, NOW, "ann", "lunch"),
            "somebody has to resume it: lunch (by ann)",
            id="paused-for-a-reason",
        ),
        pytest.param(
            State.PAUSED,
            Event(Verb.PAUSE, NOW, "ann"),
            "somebody has to resume it (by ann)",
            id="paused",
        ),
        pytest.param(
            State.HALTED,
            Event(Verb.HALT, NOW, reason="3 of 8 repos fail"),
            "somebody has to decide: 3 of 8 repos fail",
            id="halted",
        ),
        pytest.param(State.HALTED, None, "somebody has to decide", id="halted-long-ago"),
        pytest.param(State.PLANNED, None, "somebody has to start it", id="planned"),
        pytest.param(State.CLOSED, None, "nothing is left to do", id="closed"),
        pytest.param(State.ROLLED_BACK, None, "nothing is left to do", id="rolled-back"),
    ],
)
def test_what_stands_still_says_why(state: State, event: Event | None, message: str) -> None:
    events = (Event(Verb.START, NOW - HOUR), *([event] if event else []))

    assert waits(scene(rollout(state, *events), target(0))).message == message


def test_the_last_reason_counts() -> None:
    events = [Event(Verb.PAUSE, NOW, "ann", "first"), Event(Verb.PAUSE, NOW, "bob", "second")]

    assert "second (by bob)" in waits(scene(rollout(State.PAUSED, *events))).message


def test_it_watches_for_so_long_and_knows_what_is_open() -> None:
    found = waits(scene(rollout(State.WATCHING), target(0, MERGED), target(1, GREEN)))

    assert found.until == NOW - 3 * HOUR + timedelta(days=7)
    assert found.message == "it watches whether a repo goes back; open still: 1 pull request"


def test_what_is_ended_closes_what_is_open_first() -> None:
    ended = rollout(State.ABORTED)

    before = waits(scene(ended, target(0, MERGED), target(1, GREEN), target(2)))
    after = waits(scene(ended, target(0, MERGED), target(1, TargetState.CLOSED)))

    assert (before.reason, before.message) == (
        "closing",
        "what is open is closed: 2 repos to go",
    )
    assert after.reason == "aborted"


def test_a_way_back_says_how_far_it_is() -> None:
    targets = [target(0, MERGED), target(1, MERGED), target(2, GREEN), target(3)]
    back = [target(0, PENDING), target(1, WAITING)]

    found = waits(scene(rollout(State.ROLLING_BACK), *targets, back=back))

    assert found.message == (
        "1 of 2 repos were offered what they had; to be closed: 1 pull request"
    )


def test_who_has_nothing_to_go_back_from_is_not_counted() -> None:
    targets = [target(0, MERGED), target(1, MERGED, opened_at=None)]
    back = [target(0, GREEN), target(1, TargetState.SKIPPED)]

    found = waits(scene(rollout(State.ROLLING_BACK), *targets, back=back))

    assert found.message == "1 of 1 repo were offered what they had"


@pytest.mark.parametrize("state", State)
def test_every_state_waits_for_something_that_can_be_said(state: State) -> None:
    found = waits(scene(rollout(state), target(0, GREEN)))

    assert found.message
    assert found.reason


def test_who_had_the_digest_before_does_not_go_back() -> None:
    assert is_to_go_back(target(0, MERGED))
    assert not is_to_go_back(target(0, MERGED, opened_at=None))
    assert not is_to_go_back(target(0, GREEN))
