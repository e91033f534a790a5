"""How long pins are behind: since their digest ceased to be the tag's, as this bot saw it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import ColumnElement, Connection, ScalarSelect, func, select

from digestbot.policy.finding import Status
from digestbot.store.tables import FINDINGS, REPOS, SIGHTINGS

BEHIND = (Status.STALE.value, Status.HELD.value)
"""The statuses of pins that are behind."""
_DAYS = (0, 1, 2, 4, 7, 14, 30, 90)
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
    return _C.repo_id.not_in(select(REPOS.c.id).where(REPOS.c.left_out > ""))


def groups(connection: Connection, image_ids: Collection[int] | None = None) -> list[PinGroup]:
    """The stale and held pins of live repos, by image and digest; of these images, if told."""
    is_meant = _C.image_id.is_not(None) if image_ids is None else _C.image_id.in_(image_ids)
    found = (
        select(_C.image_id, _C.digest, func.count().label("places"))
        .where(_C.status.in_(BEHIND), is_meant, _C.digest.is_not(None), is_live())
        .group_by(_C.image_id, _C.digest)
        .subquery()
    )
    pinned = (found.c.image_id, found.c.digest)
    query = select(found, behind_since(*pinned), last_sighting(*pinned).is_(None))
    rows = connection.execute(query.order_by(*pinned))
    return [PinGroup(*row) for row in rows]


def histogram(
    found: Iterable[PinGroup], now: datetime, target: timedelta | None = None
) -> list[Bucket]:
    """Pins by how long they are behind: under a day, then up to 2, 4, 7, 14, 30, 90 days, over.

    A bucket ends at the target, too.
    """
    aged = [(_age(one, now), one) for one in found if one.behind_since is not None]
    days = {timedelta(days=number) for number in _DAYS}
    bounds = sorted(days if target is None else days | {target})
    return [_bucket(aged, above, below) for above, below in pairwise([*bounds, None])]


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


def _bucket(
    aged: Sequence[tuple[timedelta, PinGroup]], above: timedelta | None, below: timedelta | None
) -> Bucket:
    above = above or timedelta(0)
    inside = [one for age, one in aged if above <= age and (below is None or age < below)]
    return Bucket(
        above,
        below,
        sum(one.places for one in inside),
        sum(one.places for one in inside if one.is_at_least),
    )
