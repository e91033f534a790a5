"""Times as contracts write them, and as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# Up to two of the larger unit, the smaller one says more.
_ENOUGH = 2


def stamp(moment: datetime) -> str:
    """An aware time in UTC, to the second: `2026-11-21T03:04:05Z`."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None):%Y-%m-%dT%H:%M:%SZ}"


def age(span: timedelta) -> str:
    """About how long: `under a minute`, `12 min`, `5 h`, `40 days`."""
    if span < _MINUTE:
        return "under a minute"
    if span < _ENOUGH * _HOUR:
        return f"{span // _MINUTE} min"
    if span < _ENOUGH * _DAY:
        return f"{span // _HOUR} h"
    return f"{span // _DAY:,} days"
