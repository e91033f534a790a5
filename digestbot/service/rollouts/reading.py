"""What the forge and an update tell, as what became of a repo of a rollout: pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from digestbot.forge.pull import Gate, Mergeable, PullState
from digestbot.forge.watching import PullStatus, Review
from digestbot.policy.finding import Status
from digestbot.proposals.outcome import Outcome, RepoOutcome, Verdict
from digestbot.rollout.progress import OPEN, Target, TargetState
from digestbot.scan.aims import NOT_CHOSEN, NOT_WHOLE
from digestbot.service.rollouts.goals import Frozen

HOLD_LABEL: Final = "digestbot/hold"
"""A pull request with it is left alone, and its repo out."""
GRACE: Final = timedelta(minutes=3)
"""Checks begin some time after a pull request is opened: until then those that are missing may
come yet, and what looks green may be a few of them."""
LATER = frozenset(
    {"rate-limited", "deferred", "unreachable", "unsettled", "unavailable", "timeout", "malformed"}
)
"""What goes wrong only now: an outage of a forge is no failure of a repo."""


_MOVED_ON = "it pins the image at another digest, or elsewhere, than when the plan was made"
_SETTLED = frozenset({TargetState.GREEN, TargetState.APPROVED, TargetState.UNKNOWN})


def after_update(target: Target, outcome: RepoOutcome, frozen: Frozen, now: datetime) -> Target:
    """What became of a repo that was just updated."""
    if outcome.left_out is not None:
        return replace(target, state=TargetState.SKIPPED, why=outcome.left_out[1], ended_at=now)
    if outcome.verdicts:
        verdict = outcome.verdicts[-1]
        if verdict.outcome is Outcome.CLOSED:
            # Nothing is left to update, by whatever way.
            return _unproposed(target, outcome, frozen, now)
        return _READ.get(verdict.outcome, _open)(target, verdict, now)
    own = [problem for problem in outcome.problems if problem.scope != "registry"]
    if own:
        is_passing = any(problem.code in LATER for problem in own)
        state = TargetState.WAITING if is_passing else TargetState.FAILED
        return replace(target, state=state, why=own[0].message)
    return _unproposed(target, outcome, frozen, now)


def is_refusal(outcome: RepoOutcome) -> bool:
    """Whether the forge said that it was too much."""
    return any(problem.code == "rate-limited" for problem in outcome.problems)


def after_look(target: Target, status: PullStatus, now: datetime) -> Target:
    """What became of a repo, as its pull request tells."""
    seen = replace(target, failing=(), why="", url=status.url or target.url)
    if status.state is not PullState.OPEN:
        is_merged = status.state is PullState.MERGED
        state = TargetState.MERGED if is_merged else TargetState.REJECTED
        return replace(seen, state=state, ended_at=status.ended_at or now)
    if HOLD_LABEL in status.labels:
        why = f"it has the label {HOLD_LABEL}"
        return replace(seen, state=TargetState.SKIPPED, why=why, ended_at=now)
    state, why = _open_state(status)
    is_young = target.opened_at is not None and now - target.opened_at < GRACE
    if is_young and state in _SETTLED:
        state, why = TargetState.PENDING, "checks may still begin"
    return replace(seen, state=state, why=why, failing=status.new_failures, ended_at=None)


def unseen(target: Target) -> Target:
    """What became of a repo whose pull request the forge does not show: what fails, fails still."""
    if target.state not in OPEN or target.state is TargetState.RED:
        return target
    return replace(target, state=TargetState.BLOCKED, why="the forge does not show it")


def _open_state(status: PullStatus) -> tuple[TargetState, str]:
    if status.new_failures:
        return TargetState.RED, f"fails: {', '.join(status.new_failures)}"
    if status.mergeable is Mergeable.CONFLICT:
        return TargetState.BLOCKED, "it conflicts with its base"
    if status.review is Review.CHANGES:
        return TargetState.BLOCKED, "a reviewer asks for changes"
    if status.checks.pending:
        return TargetState.PENDING, ""
    if not status.checks.passed:
        # What failed before, and fails still, says nothing.
        why = "its checks failed before, too" if status.checks else "nothing checks it"
        return TargetState.UNKNOWN, why
    if status.review is Review.APPROVED:
        return TargetState.APPROVED, ""
    # What a review holds up is green all the same: it says nothing against the digest.
    why = "a review is required" if status.review is Review.REQUIRED else ""
    if status.gate is Gate.SHUT and not why:
        why = "a rule of the repo does not let it be merged"
    return TargetState.GREEN, why


def _open(target: Target, verdict: Verdict, now: datetime) -> Target:
    return replace(
        target,
        state=TargetState.PENDING,
        why="",
        number=verdict.number or target.number,
        url=verdict.url or target.url,
        opened_at=target.opened_at or now,
    )


def _adopted(target: Target, verdict: Verdict, now: datetime) -> Target:
    return replace(_open(target, verdict, now), is_adopted=True)


def _ended(state: TargetState) -> Callable[[Target, Verdict, datetime], Target]:
    def read(target: Target, verdict: Verdict, now: datetime) -> Target:
        told = replace(target, state=state, why=verdict.message, ended_at=now)
        return replace(told, number=verdict.number or target.number, url=verdict.url or target.url)

    return read


def _limited(target: Target, verdict: Verdict, _now: datetime) -> Target:
    return replace(target, state=TargetState.WAITING, why=verdict.message)


def _committed(target: Target, _verdict: Verdict, now: datetime) -> Target:
    return replace(target, state=TargetState.UNKNOWN, opened_at=target.opened_at or now)


_READ: Mapping[Outcome, Callable[[Target, Verdict, datetime], Target]] = {
    Outcome.ADOPTED: _adopted,
    Outcome.REJECTED: _ended(TargetState.REJECTED),
    Outcome.MERGED: _ended(TargetState.MERGED),
    Outcome.LIMITED: _limited,
    Outcome.COMMITTED: _committed,
}


def _unproposed(target: Target, outcome: RepoOutcome, frozen: Frozen, now: datetime) -> Target:
    """Nothing is to be proposed: it has the digest, leaves the image alone, or does not have it."""
    found = outcome.result.findings if outcome.result else ()
    known = [one for one in found if frozen.knows(one.occurrence)]
    meant = [one for one in known if one.reason != NOT_CHOSEN and frozen.means(one.occurrence)]
    ignored = [one for one in meant if one.status is Status.SKIPPED]
    if ignored:
        why = ignored[0].message
        return replace(target, state=TargetState.SKIPPED, why=why, ended_at=now)
    left = [one for one in meant if one.status is not Status.CURRENT]
    if left:
        first = min(left, key=lambda one: one.reason == NOT_WHOLE)
        return replace(target, state=TargetState.FAILED, why=first.message)
    if meant:
        why = "it has the digest already"
        return replace(target, state=TargetState.MERGED, why=why, ended_at=now)
    why = _MOVED_ON if known else "it no longer pins the image"
    return replace(target, state=TargetState.SKIPPED, why=why, ended_at=now)
