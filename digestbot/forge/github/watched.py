"""How pull requests fare, as GitHub's GraphQL tells of it, read with suspicion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from digestbot.forge.github.checked import CONTEXTS, Rollup, read_rollup
from digestbot.forge.github.reading import dig, text
from digestbot.forge.github.strict import (
    UnexpectedError,
    need_commit,
    need_flag,
    need_list,
    need_text,
)
from digestbot.forge.github.surveyed import GATES, MERGEABLE, known
from digestbot.forge.pull import Gate, PullState
from digestbot.forge.watching import PullStatus, Review

LABELS = 50
# GitHub's `baseRefOid` is the base branch as it was when the head was last pushed: that is what
# CI tried the head on, and it never has the change in it. The tip of the branch may have.
STATUS = f"""
fragment Status on PullRequest {{
  state url isDraft mergeable mergeStateStatus reviewDecision mergedAt closedAt
  headRefOid baseRefOid
  labels(first: {LABELS}) {{ nodes {{ name }} }}
  commits(last: 1) {{ nodes {{ commit {{ oid statusCheckRollup {{
    contexts(first: {CONTEXTS}) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ ...Context }} }}
  }} }} }} }}
}}
"""
_REVIEWS = {
    "": Review.NONE,
    "REVIEW_REQUIRED": Review.REQUIRED,
    "APPROVED": Review.APPROVED,
    "CHANGES_REQUESTED": Review.CHANGES,
}


@dataclass(frozen=True, slots=True)
class Watched:
    """A pull request without its checks, and those of its head as far as they were told."""

    status: PullStatus
    rollup: Rollup


def read_watched(node: object, *, sees_checks: bool) -> Watched:
    """One pull request.

    Args:
        node: What GitHub tells of it.
        sees_checks: Whether its checks could be read; else there are none.

    Raises:
        ValueError: It is none.
    """
    status = PullStatus(
        state=PullState(need_text(node, "state").lower()),
        head=need_commit(node, "headRefOid"),
        base=need_commit(node, "baseRefOid"),
        url=need_text(node, "url"),
        ended_at=_read_time(node, "mergedAt") or _read_time(node, "closedAt"),
        is_draft=need_flag(node, "isDraft"),
        mergeable=known(MERGEABLE, need_text(node, "mergeable")),
        gate=GATES.get(text(node, "mergeStateStatus"), Gate.UNKNOWN),
        review=known(_REVIEWS, text(node, "reviewDecision")),
        labels=_read_labels(node),
    )
    return Watched(status, _read_head(node, status) if sees_checks else Rollup())


def _read_labels(node: object) -> tuple[str, ...]:
    # GitHub may tell of none at all instead of an empty list.
    found = need_list(node, "labels", "nodes", limit=LABELS) if dig(node, "labels") else []
    return tuple(need_text(label, "name") for label in found)


def _read_head(node: object, status: PullStatus) -> Rollup:
    """The checks of the head; just after a push GitHub may still tell of the commit before."""
    commits = need_list(node, "commits", "nodes", limit=1)
    if not commits or need_commit(commits[0], "commit", "oid") != status.head:
        return Rollup()
    return read_rollup(dig(commits[0], "commit", "statusCheckRollup"))


def _read_time(node: object, key: str) -> datetime | None:
    if dig(node, key) is None:
        return None
    moment = datetime.fromisoformat(need_text(node, key))
    if moment.tzinfo is None:
        raise UnexpectedError(f"a time of nowhere: {key}")
    return moment
