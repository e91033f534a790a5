"""Histories of a tag with defaults, so that a test names only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from digestbot.image import Digest
from digestbot.policy.holding import HoldRules, Sighting

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


durations = st.integers(0, 300).map(lambda tenths: timedelta(minutes=6 * tenths))
names = st.sampled_from("abcde")


@st.composite
def histories(draw: st.DrawFn) -> tuple[Sighting, ...]:
    """What a bot may have seen: gaps are times at which nobody could say."""
    moment, found = START, list[Sighting]()
    for name in draw(st.lists(names, min_size=1, max_size=8)):
        if found and found[-1].digest == digest(name):
            continue
        end = moment + draw(durations)
        found.append(Sighting(digest(name), moment, end))
        moment = end + draw(durations)
    return tuple(found)


rules_of_any_kind = st.builds(
    HoldRules,
    settle=durations,
    min_age=durations,
    deny=st.frozensets(names.map(digest), max_size=2),
)
