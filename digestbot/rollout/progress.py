"""What became of each repo of a rollout, and what that adds up to: pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from digestbot.rollout.gates import WaveCount


class TargetState(StrEnum):
    """What became of a repo."""

    WAITING = "waiting"
    PENDING = "pending"
    GREEN = "green"
    RED = "red"
    UNKNOWN = "unknown"
    APPROVED = "approved"
    BLOCKED = "blocked"
    MERGED = "merged"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    FAILED = "failed"
    CLOSED = "closed"


STATES: Mapping[TargetState, str] = {
    TargetState.WAITING: "Its turn has not come.",
    TargetState.PENDING: "Open, and checks are under way.",
    TargetState.GREEN: "Open, and every check passed.",
    TargetState.RED: "Open, and a check fails that did not fail before.",
    TargetState.UNKNOWN: "Open, and nothing checks it.",
    TargetState.APPROVED: "Open, green and approved.",
    TargetState.BLOCKED: "Open, and something else is in the way.",
    TargetState.MERGED: "It has the digest.",
    TargetState.REJECTED: "Somebody closed the pull request.",
    TargetState.SKIPPED: "Somebody left it out, or it opted out.",
    TargetState.FAILED: "Nothing could be proposed.",
    TargetState.CLOSED: "The rollout was ended before it was merged.",
}
OPEN = frozenset(
    {
        TargetState.PENDING,
        TargetState.GREEN,
        TargetState.RED,
        TargetState.UNKNOWN,
        TargetState.APPROVED,
        TargetState.BLOCKED,
    }
)
"""There is a pull request that can be merged."""


@dataclass(frozen=True, slots=True)
class Target:
    """A repo of a rollout, as it is now.

    Attributes:
        wave: From 0; the canary is the first.
        why: What blocks or fails it, in words.
        number: Of its pull request; 0 without.
        failing: The names of the checks that fail, and did not on the base commit.
        is_adopted: The pull request is somebody else's.
        opened_at: When the pull request was opened, or adopted.
        ended_at: When it was merged, rejected or left.
    """

    repo: str
    wave: int
    state: TargetState = TargetState.WAITING
    why: str = ""
    number: int = 0
    url: str = ""
    failing: tuple[str, ...] = ()
    is_adopted: bool = False
    opened_at: datetime | None = None
    ended_at: datetime | None = None


_COUNTED = {
    TargetState.WAITING: "waiting",
    TargetState.PENDING: "pending",
    TargetState.GREEN: "green",
    TargetState.APPROVED: "green",
    TargetState.UNKNOWN: "unknown",
    TargetState.RED: "failed",
    TargetState.FAILED: "failed",
    TargetState.BLOCKED: "blocked",
    TargetState.MERGED: "merged",
    TargetState.REJECTED: "left",
    TargetState.SKIPPED: "left",
    TargetState.CLOSED: "left",
}


def count(targets: Iterable[Target], wave: int) -> WaveCount:
    """What became of the repos of all waves up to this one."""
    found = Counter(_COUNTED[one.state] for one in targets if one.wave <= wave)
    return WaveCount(**found)


def last_opened(targets: Iterable[Target], wave: int) -> datetime | None:
    """When the last pull request of this wave was opened, or adopted; None where none was."""
    moments = (one.opened_at for one in targets if one.wave == wave)
    return max((moment for moment in moments if moment is not None), default=None)


def failing_checks(targets: Iterable[Target]) -> list[tuple[str, tuple[str, ...]]]:
    """The names of failing checks with the repos they fail in, the most first."""
    found: dict[str, list[str]] = {}
    for target in targets:
        for name in target.failing:
            found.setdefault(name, []).append(target.repo)
    ordered = sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return [(name, tuple(repos)) for name, repos in ordered]


def time_to_merge(targets: Iterable[Target], share: float) -> timedelta | None:
    """Within what time this share of what is merged was merged; None where nothing is."""
    spans = sorted(
        one.ended_at - one.opened_at
        for one in targets
        if one.state is TargetState.MERGED and one.opened_at and one.ended_at
    )
    return spans[min(int(share * len(spans)), len(spans) - 1)] if spans else None


@dataclass(frozen=True, slots=True)
class Burn:
    """How many repos were where at one moment."""

    at: datetime
    waiting: int
    open: int
    merged: int
    left: int


def burndown(
    targets: Collection[Target], since: datetime, now: datetime, most: int = 200
) -> list[Burn]:
    """How the rollout went, at up to so many moments from its beginning until now."""
    span = max(now - since, timedelta(seconds=1))
    steps = max(min(most, len(targets) * 2 + 2), 2)
    moments = [since + span * step / (steps - 1) for step in range(steps)]
    merged = _sorted(one.ended_at for one in targets if one.state is TargetState.MERGED)
    left = _sorted(one.ended_at for one in targets if one.state is not TargetState.MERGED)
    opened = [one for one in targets if one.opened_at is not None]
    begun = _sorted(one.opened_at for one in opened)
    # What ended before it was opened was never open.
    done = _sorted(one.ended_at and max(one.ended_at, one.opened_at or now) for one in opened)
    return [
        _burn(
            len(targets),
            moment,
            bisect_right(merged, moment),
            bisect_right(left, moment),
            bisect_right(begun, moment) - bisect_right(done, moment),
        )
        for moment in moments
    ]


def stragglers(targets: Iterable[Target], now: datetime, least: timedelta) -> list[Target]:
    """Those that are open for longer than this, the longest first."""
    late = [
        one
        for one in targets
        if one.state in OPEN and one.opened_at is not None and now - one.opened_at >= least
    ]
    return sorted(late, key=lambda one: (one.opened_at or now, one.repo))


def _burn(total: int, moment: datetime, merged: int, left: int, begun: int) -> Burn:
    return Burn(moment, total - merged - left - begun, begun, merged, left)


def _sorted(moments: Iterable[datetime | None]) -> list[datetime]:
    return sorted(moment for moment in moments if moment is not None)


def grouped(targets: Sequence[Target]) -> Mapping[TargetState, int]:
    """How many there are of each state, all of them."""
    found = Counter(one.state for one in targets)
    return {state: found.get(state, 0) for state in TargetState}
