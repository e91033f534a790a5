from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.rollout.gates import (
    FAILING,
    NOT_APPROVED,
    NOT_PASSED,
    NOTHING_KNOWN,
    PROBE_SAYS_NO,
    SOAKING,
    WORKING,
    Evidence,
    GateRules,
    Halt,
    Open,
    Wait,
    WaveCount,
    judge,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=1)
RULES = GateRules(soak=timedelta(hours=1), passed=0.9, failed=0.1)
COUNTS = st.builds(WaveCount, *[st.integers(0, 30)] * 8)


def evidence(count: WaveCount, **more: object) -> Evidence:
    return replace(Evidence(count, NOW, LONG_AGO), **more)  # type: ignore[arg-type]  # a table's


@pytest.mark.parametrize(
    "count, more, reason",
    [
        pytest.param(WaveCount(waiting=1, merged=9), {}, WORKING, id="not all are proposed"),
        pytest.param(WaveCount(merged=10), {"last_opened": NOW}, SOAKING, id="it soaks"),
        pytest.param(WaveCount(merged=8, pending=2), {}, NOT_PASSED, id="too few passed"),
        pytest.param(WaveCount(merged=8, blocked=2), {}, NOT_PASSED, id="too many are blocked"),
        pytest.param(WaveCount(green=8, unknown=2), {}, NOT_PASSED, id="no checks are not green"),
        pytest.param(WaveCount(unknown=10), {}, NOTHING_KNOWN, id="no checks at all"),
        pytest.param(WaveCount(left=10), {}, NOTHING_KNOWN, id="all of them left"),
        pytest.param(WaveCount(), {}, NOTHING_KNOWN, id="nothing"),
    ],
)
def test_it_waits_and_says_why(count: WaveCount, more: dict[str, object], reason: str) -> None:
    verdict = judge(RULES, evidence(count, **more))

    assert isinstance(verdict, Wait)
    assert verdict.reason == reason


@pytest.mark.parametrize(
    "count, more",
    [
        pytest.param(WaveCount(merged=9, pending=1), {}, id="enough are merged"),
        pytest.param(WaveCount(green=5, merged=5), {}, id="green is as good as merged"),
        pytest.param(WaveCount(merged=1, left=9), {}, id="who left is not counted"),
        pytest.param(WaveCount(merged=9, failed=1), {}, id="as many fail as may"),
        pytest.param(
            WaveCount(merged=10), {"last_opened": NOW, "is_hurried": True}, id="no soak if hurried"
        ),
        pytest.param(WaveCount(merged=10), {"last_opened": None}, id="all had it before"),
        pytest.param(WaveCount(left=3), {"is_approved": True}, id="nothing known, and approved"),
        pytest.param(WaveCount(unknown=3), {"is_approved": True}, id="no checks, and approved"),
    ],
)
def test_it_opens(count: WaveCount, more: dict[str, object]) -> None:
    assert judge(RULES, evidence(count, **more)) == Open()


def test_it_says_until_when_it_soaks() -> None:
    opened = NOW - timedelta(minutes=20)

    verdict = judge(RULES, evidence(WaveCount(merged=1), last_opened=opened))

    assert verdict == Wait(
        SOAKING, "it soaks until 2026-11-21 12:40 UTC", NOW + timedelta(minutes=40)
    )


def test_too_many_failures_halt_and_cannot_wait() -> None:
    count = WaveCount(waiting=80, merged=9, failed=11)

    verdict = judge(RULES, evidence(count, last_opened=NOW))

    assert verdict == Halt(FAILING, "11 of 100 repos fail; 10% may at most")


def test_one_failure_of_a_small_canary_halts_only_where_it_is_said() -> None:
    count = WaveCount(merged=1, failed=1)

    assert not isinstance(judge(RULES, evidence(count)), Halt)
    assert isinstance(judge(replace(RULES, fewest_failed=0), evidence(count)), Halt)


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(WaveCount(unknown=8, merged=1), id="some are merged, most say nothing"),
        pytest.param(WaveCount(unknown=8, pending=1), id="one is under way"),
        pytest.param(WaveCount(unknown=8, failed=1), id="one fails"),
        pytest.param(WaveCount(blocked=8), id="all are blocked"),
    ],
)
def test_an_approval_is_no_check_where_there_are_others(count: WaveCount) -> None:
    verdict = judge(RULES, evidence(count, is_approved=True))

    assert isinstance(verdict, Wait)
    assert verdict.reason == NOT_PASSED


def test_an_approval_is_offered_where_it_helps_alone() -> None:
    silent = judge(RULES, evidence(WaveCount(unknown=3)))
    failing = judge(RULES, evidence(WaveCount(failed=1)))

    assert isinstance(silent, Wait)
    assert isinstance(failing, Wait)
    assert silent.reason == failing.reason == NOTHING_KNOWN
    assert "approve" in silent.message
    assert "approve" not in failing.message


def test_failures_that_somebody_accepted_do_not_halt_again() -> None:
    count = WaveCount(merged=10, failed=5)

    assert isinstance(judge(RULES, evidence(count)), Halt)
    assert not isinstance(judge(RULES, evidence(count, accepted=5)), Halt)
    assert isinstance(judge(RULES, evidence(replace(count, failed=10), accepted=5)), Halt)


def test_an_approval_is_asked_for_where_it_is_needed() -> None:
    rules, count = replace(RULES, needs_approval=True), WaveCount(merged=10)

    verdict = judge(rules, evidence(count))

    assert isinstance(verdict, Wait)
    assert verdict.reason == NOT_APPROVED
    assert judge(rules, evidence(count, is_approved=True)) == Open()


@pytest.mark.parametrize("answer", [False, None])
def test_a_webhook_that_does_not_say_yes_keeps_it_shut(answer: bool | None) -> None:
    rules, count = replace(RULES, probe=True), WaveCount(merged=10)

    verdict = judge(rules, evidence(count, probe=answer))

    assert isinstance(verdict, Wait)
    assert verdict.reason == PROBE_SAYS_NO
    assert judge(rules, evidence(count, probe=True)) == Open()


@given(COUNTS, st.booleans())
def test_it_never_opens_where_too_little_passed_or_too_much_failed(
    count: WaveCount, is_hurried: bool
) -> None:
    verdict = judge(RULES, evidence(count, is_hurried=is_hurried))

    if isinstance(verdict, Open):
        assert not count.waiting
        assert count.passed >= 0.9 * count.counted
        assert count.passed > 0
        assert count.failed <= max(1, 0.1 * count.counted)


@given(COUNTS)
def test_unknown_is_never_better_than_green(count: WaveCount) -> None:
    greener = replace(count, green=count.green + count.unknown, unknown=0)

    if judge(RULES, evidence(count)) == Open():
        assert judge(RULES, evidence(greener)) == Open()


@pytest.mark.parametrize("shares", [{"passed": 1.1}, {"failed": -0.1}, {"passed": float("nan")}])
def test_shares_are_shares(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        GateRules(**shares)  # type: ignore[arg-type]  # a table's
