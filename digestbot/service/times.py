"""Times as contracts write them."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    """An aware time in UTC, to the second: `2026-11-21T03:04:05Z`."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None):%Y-%m-%dT%H:%M:%SZ}"
