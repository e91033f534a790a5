"""How fast a rollout may go: pure, so that a virtual clock can try it.

A forge has limits of its own that nobody can ask for (80 writes a minute and 500 an hour on
GitHub); where it says that it was too much, the pace is halved, and creeps back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
_LEAST = 1 / 64


@dataclass(frozen=True, slots=True)
class PaceRules:
    """How fast at most.

    Attributes:
        per_minute: Writes.
        per_hour: Writes.
        writes_per_pull: How many writes a pull request takes, about.
        pending: So many pull requests with checks under way at most: CI has limits, too.
        creep: After so long without a refusal the pace is a tenth of the full one faster.
    """

    per_minute: int = 60
    per_hour: int = 450
    writes_per_pull: int = 5
    pending: int = 50
    creep: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast it goes now: the share of the full pace, and since when."""

    share: float = 1.0
    since: datetime | None = None

    def refused(self, now: datetime) -> Pace:
        """The forge said that it was too much."""
        return replace(self, share=max(self.share / 2, _LEAST), since=now)

    def at(self, rules: PaceRules, now: datetime) -> Pace:
        """The pace at a later time, where nothing was refused meanwhile."""
        if self.share >= 1 or self.since is None:
            return self
        steps = max((now - self.since) // rules.creep, 0)
        if not steps:
            return self
        return Pace(min(self.share + steps / 10, 1.0), self.since + steps * rules.creep)


def room(
    rules: PaceRules, pace: Pace, writes: Iterable[datetime], pending: int, now: datetime
) -> int:
    """How many pull requests may be opened now.

    Args:
        rules: How fast at most.
        pace: How fast now.
        writes: When there was a write, in the last hour; older ones do not count.
        pending: How many pull requests have checks under way.
        now: The time.
    """
    share = pace.at(rules, now).share
    moments = list(writes)
    minute = _left(rules.per_minute * share, moments, now - _MINUTE)
    hour = _left(rules.per_hour * share, moments, now - _HOUR)
    by_writes = int(min(minute, hour)) // rules.writes_per_pull
    return max(min(by_writes, rules.pending - pending), 0)


def _left(most: float, moments: list[datetime], since: datetime) -> float:
    return most - sum(moment > since for moment in moments)
