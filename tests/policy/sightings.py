"""Histories of a tag with defaults, so that a test names only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from digestbot.image import Digest
from digestbot.policy.holding import Sighting

START = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def digest(name: object) -> Digest:
    """A digest that is always the same for the same name."""
    return Digest.of(str(name).encode())


def seen(*spells: str) -> tuple[Sighting, ...]:
    """Sightings one after the other, such as `a 9`: the name of a digest, and its hours."""
    moment, found = START, list[Sighting]()
    for name, hours in map(str.split, spells):
        end = moment + float(hours) * HOUR
        found.append(Sighting(digest(name), moment, end))
        moment = end
    return tuple(found)
