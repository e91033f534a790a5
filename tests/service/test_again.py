"""When a repo is looked at again although nothing moved."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from digestbot.proposals.outcome import Outcome, RepoOutcome, Verdict
from digestbot.scan.result import Problem, ScanResult
from digestbot.service.again import look_again_at
from tests.service.state import HOUR, NOW, finding, held

SOON, LATER = NOW + HOUR, NOW + 24 * HOUR


def scanned(*until: datetime | None) -> ScanResult:
    found = tuple(held(f"image:{n}", "settling", one) for n, one in enumerate(until))
    return ScanResult(NOW, 0.1, 1, 1, (finding(), *found))


def verdict(outcome: Outcome) -> Verdict:
    return Verdict("digestbot/images", outcome, "")


LIMITED, OPENED = verdict(Outcome.LIMITED), verdict(Outcome.OPENED)
OF_REPO = Problem("repo", "acme/app", "unsettled", "no", "")
OF_REGISTRY = Problem("registry", "ghcr.io", "unavailable", "no", "")


@pytest.mark.parametrize(
    "outcome, when",
    [
        pytest.param(RepoOutcome("a"), None, id="nothing"),
        pytest.param(RepoOutcome("a", result=scanned()), None, id="all-done"),
        pytest.param(RepoOutcome("a", result=scanned(None)), None, id="held-for-good"),
        pytest.param(RepoOutcome("a", result=scanned(LATER, SOON)), SOON, id="the-first-of-two"),
        pytest.param(RepoOutcome("a", result=scanned(NOW - HOUR)), NOW, id="never-in-the-past"),
        pytest.param(RepoOutcome("a", problems=(OF_REPO,)), NOW, id="it-failed"),
        pytest.param(RepoOutcome("a", problems=(OF_REGISTRY,)), None, id="a-registry-failed"),
        pytest.param(RepoOutcome("a", is_merging=True), NOW, id="until-it-is-green"),
        pytest.param(RepoOutcome("a", verdicts=(LIMITED,)), NOW, id="no-room"),
        pytest.param(RepoOutcome("a", verdicts=(LIMITED,), opens_at=LATER), LATER, id="closed"),
        pytest.param(
            RepoOutcome("a", verdicts=(OPENED,), opens_at=LATER), None, id="nothing-waits-for-it"
        ),
        pytest.param(
            RepoOutcome("a", result=scanned(SOON), verdicts=(LIMITED,), opens_at=LATER),
            SOON,
            id="held-and-closed",
        ),
    ],
)
def test_it_is_when_more_can_be_done_than_now(outcome: RepoOutcome, when: datetime | None) -> None:
    assert look_again_at(outcome, NOW) == when


def test_the_next_cycle_may_be_long_from_now() -> None:
    outcome = RepoOutcome("a", problems=(OF_REPO,))

    assert look_again_at(outcome, NOW + timedelta(days=9)) == NOW + timedelta(days=9)
