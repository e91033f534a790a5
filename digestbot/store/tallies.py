"""Freshness over time: what the fleet came to in each hour, for a plot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, func, select

from digestbot.store import ages
from digestbot.store.tables import REPOS, TALLIES
from digestbot.store.upsert import upsert

KEPT = timedelta(days=2 * 365)
"""For so long tallies are kept."""
MOST = 200
_HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COUNTS = ("current", "stale", "held", "failed", "unpinned")
_SHARES = {"p50_s": 0.5, "p90_s": 0.9}
_C = TALLIES.c


@dataclass(frozen=True, slots=True)
class Tally:
    """How many places had each status at a time, and for how long the stale and held were behind.

    Half of them were behind for `p50_s` seconds at most, nine of ten for `p90_s`; None without any.
    """

    at: datetime
    current: int
    stale: int
    held: int
    failed: int
    unpinned: int
    p50_s: int | None = None
    p90_s: int | None = None


def note(connection: Connection, now: datetime) -> None:
    """Write down how things are, in place of what was written in this hour; forget the oldest."""
    hour = _hour(now)
    values = {name: REPOS.c[f"{name}_count"] for name in _COUNTS}
    query = select(*(func.coalesce(func.sum(one), 0).label(name) for name, one in values.items()))
    counts = connection.execute(query.where(REPOS.c.left_out == "")).mappings().one()
    found = ages.groups(connection)
    spans = {name: _seconds(ages.percentile(found, share, now)) for name, share in _SHARES.items()}
    row = {"hour": hour, "at": now, **counts, **spans}
    upsert(connection, TALLIES, [row], key=("hour",))
    connection.execute(delete(TALLIES).where(_C.hour < hour - KEPT // _HOUR))


def between(
    connection: Connection, since: datetime, until: datetime, most: int = MOST
) -> list[Tally]:
    """What was written from one time to another, the oldest first, and at most so many of them.

    Where there are more, the last one of each of as many equal spans of time stands for it.
    """
    first, last = _hour(since), _hour(until)
    step = max(1, -(-(last - first + 1) // most))
    is_asked = _C.hour.between(first, last)
    chosen = select(func.max(_C.hour)).where(is_asked).group_by((_C.hour - first) // step)
    rows = connection.execute(select(TALLIES).where(_C.hour.in_(chosen)).order_by(_C.hour))
    return [Tally(*row[1:]) for row in rows]


def _hour(moment: datetime) -> int:
    return (moment - _EPOCH) // _HOUR


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else round(span.total_seconds())
