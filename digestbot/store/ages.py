"""How long pins are behind: since their digest ceased to be the tag's, as this bot saw it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from sqlalchemy import ColumnElement, Connection, ScalarSelect, Subquery, case, exists, func, select

from digestbot.policy.finding import Status
from digestbot.store.repo_state import LEFT_OUT
from digestbot.store.tables import FINDINGS, REPOS, SIGHTINGS

BEHIND = (Status.STALE.value, Status.HELD.value)
"""The statuses of pins that are behind."""
_DAYS = (0, 1, 2, 4, 7, 14, 30, 90)
_UNKNOWN = -1
_C = FINDINGS.c


@dataclass(frozen=True, slots=True)
class PinGroup:
    """All pins of an image at one digest that its tag has no more.

    Attributes:
        behind_since: When another digest was first seen. None where that is not known: nobody
            was asked yet, or the tag came back to the digest since this was found.
        is_at_least: The digest was never seen as the tag's: they are behind for longer.
    """

    image_id: int
    digest: str
    places: int
    behind_since: datetime | None
    is_at_least: bool


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many places are behind for `above` or longer, and shorter than `below` if any.

    `at_least` of them may be behind for longer than that.
    """

    above: timedelta
    below: timedelta | None
    places: int
    at_least: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """Pins by how long they are behind; of `unknown` of them nobody knows that."""

    buckets: list[Bucket]
    unknown: int


def last_sighting(
    image_id: ColumnElement[int | None], digest: ColumnElement[str | None]
) -> ScalarSelect[int]:
    """The id of the last sighting of a digest; NULL where it never was the tag's."""
    seen = SIGHTINGS.alias()
    return (
        select(func.max(seen.c.id))
        .where(seen.c.image_id == image_id, seen.c.digest == digest)
        .correlate_except(seen)
        .scalar_subquery()
    )


def behind_since(
    image_id: ColumnElement[int | None], digest: ColumnElement[str | None]
) -> ScalarSelect[datetime]:
    """Since when a pin is behind; at least since then, where `last_sighting` is NULL."""
    later = SIGHTINGS.alias()
    after = func.coalesce(last_sighting(image_id, digest), 0)
    return (
        select(later.c.first_seen)
        .where(later.c.image_id == image_id, later.c.id > after)
        .order_by(later.c.id)
        .limit(1)
        .correlate_except(later)
        .scalar_subquery()
    )


def is_live() -> ColumnElement[bool]:
    """Whether a finding is of a repo that is watched: those of repos that are gone are deleted."""
    return _C.repo_id.not_in(select(REPOS.c.id).where(LEFT_OUT))


def is_live_of_all() -> ColumnElement[bool]:
    """`is_live` for sums over most findings.

    Few of the repos that are left out have any: who looks those up first has next to nothing to
    compare each finding with.
    """
    some = FINDINGS.alias()
    has_some = exists().where(some.c.repo_id == REPOS.c.id)
    return _C.repo_id.not_in(select(REPOS.c.id).where(LEFT_OUT, has_some))


def groups(connection: Connection, image_ids: Collection[int] | None = None) -> list[PinGroup]:
    """The stale and held pins of live repos, by image and digest; of these images, if told."""
    found = _ALL if image_ids is None else _groups(_C.image_id.in_(image_ids))
    query = select(found).order_by(found.c.image_id, found.c.digest)
    return [PinGroup(*row) for row in connection.execute(query)]


def oldest() -> Subquery:
    """Since when the oldest pin of each image is behind, as `behind_since` beside `image_id`."""
    found = _ALL
    since = func.min(found.c.behind_since).label("behind_since")
    return select(found.c.image_id, since).group_by(found.c.image_id).subquery()


def histogram(connection: Connection, now: datetime, target: timedelta | None = None) -> Histogram:
    """Pins by how long they are behind: under a day, then up to 2, 4, 7, 14, 30, 90 days, over.

    A bucket ends at the target, too.
    """
    days = {timedelta(days=number) for number in _DAYS}
    bounds = sorted(days if target is None else days | {target})
    found = _ALL
    since = found.c.behind_since
    # What is from the future is in the first: a clock may have been set back.
    younger = [(since > now - below, number) for number, below in enumerate(bounds[1:])]
    place = case((since.is_(None), _UNKNOWN), *younger, else_=len(bounds) - 1).label("place")
    placed = select(place, found.c.places, found.c.is_at_least).subquery()
    places = func.sum(placed.c.places)
    at_least = func.coalesce(places.filter(placed.c.is_at_least), 0)
    query = select(placed.c.place, places, at_least).group_by(placed.c.place)
    counted = {row[0]: (int(row[1]), int(row[2])) for row in connection.execute(query)}
    buckets = [
        Bucket(above, below, *counted.get(number, (0, 0)))
        for number, (above, below) in enumerate(pairwise([*bounds, None]))
        if above is not None
    ]
    return Histogram(buckets, counted.get(_UNKNOWN, (0, 0))[0])


def percentile(found: Iterable[PinGroup], share: float, now: datetime) -> timedelta | None:
    """For how long that share of the pins is behind, at most; None without any.

    Each place counts. It is the nearest rank: an age that one of the pins has.
    """
    aged = sorted((_age(one, now), one.places) for one in found if one.behind_since is not None)
    left = share * sum(places for _, places in aged)
    for age, places in aged:
        left -= places
        if left <= 0:
            return age
    return None


def _age(group: PinGroup, now: datetime) -> timedelta:
    """Never under zero: a clock may have been set back."""
    return max(now - (group.behind_since or now), timedelta(0))


def _groups(of: ColumnElement[bool]) -> Subquery:
    """What `PinGroup` has, each age worked out once: as it is summed up, it is not put apart."""
    pinned = (_C.image_id, _C.digest)
    return (
        select(
            *pinned,
            func.count().label("places"),
            behind_since(*pinned).label("behind_since"),
            last_sighting(*pinned).is_(None).label("is_at_least"),
        )
        .where(_C.status.in_(BEHIND), of, _C.digest.is_not(None), is_live_of_all())
        .group_by(*pinned)
        .subquery()
    )


# What is put together once is compiled once.
_ALL: Final = _groups(_C.image_id.is_not(None))
