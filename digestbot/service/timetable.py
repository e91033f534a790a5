"""When something is due that repeats: the minutes that cron expressions stand for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from digestbot.proposals.schedule import next_minute


def next_fire(cron: Sequence[str], timezone: str, after: datetime) -> datetime | None:
    """The first minute after that time that one of the expressions matches, in UTC.

    As with any cron: a time that the clocks leave out is left out, one that they show twice
    comes twice.

    Returns:
        None, where there is none within the next 40 years.

    Raises:
        ValueError: An expression is none, or there is no such time zone.
    """
    return next_minute(cron, timezone, after)


def missed(cron: Sequence[str], timezone: str, last: datetime | None, now: datetime) -> bool:
    """Whether a run was due since the last one; where there was none yet, none was missed.

    Raises:
        ValueError: An expression is none, or there is no such time zone.
    """
    if last is None:
        return False
    fire = next_fire(cron, timezone, last)
    return fire is not None and fire <= now
