"""What the state has of one image: who pins which of its digests, who is behind, what is held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, case, func, select

from digestbot.policy.finding import Status
from digestbot.registry.resolution import Query
from digestbot.store import ages
from digestbot.store.images import KEPT, query_of
from digestbot.store.proposals import State
from digestbot.store.tables import FINDINGS, IMAGES, SIGHTINGS

_C = FINDINGS.c
# All that may have a digest: named, so that the index that begins with the status is enough.
_PINNING = [one.value for one in Status if one is not Status.SKIPPED]
_PROPOSED = (State.OPEN.value, State.WAITING.value)


@dataclass(frozen=True, slots=True)
class ImageState:
    """An image, what its tag has, and what was said when it was asked about last.

    Attributes:
        query: Its tag and platform.
        since: Since when the tag has that digest.
        failing_since: Since when nobody gives an answer; None where somebody does.
        repos: How many repos follow it.
        places: How many pins there are, by status.
    """

    query: Query
    digest: str | None
    since: datetime | None
    checked_at: datetime | None
    failing_since: datetime | None
    failing_host: str
    failing_code: str
    failing_message: str
    repos: int
    places: Mapping[Status, int]


@dataclass(frozen=True, slots=True)
class Seen:
    """For how long a digest was the tag's without a break, as this bot saw it."""

    digest: str
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class PinnedDigest:
    """A digest that something pins: at so many places, which are behind or not."""

    digest: str
    places: int
    repos: int
    behind: int


@dataclass(frozen=True, slots=True)
class HeldReason:
    """So many updates that are held back for one reason; `until` is when the first is due."""

    reason: str
    message: str
    until: datetime | None
    places: int
    repos: int


def image_state(connection: Connection, image_id: int) -> ImageState | None:
    """How an image stands; None where it is not known."""
    row = connection.execute(select(IMAGES).where(IMAGES.c.id == image_id)).first()
    if row is None:
        return None
    is_meant = (_C.image_id == image_id) & ages.is_live()
    places = select(_C.status, func.count().label("places")).where(is_meant).group_by(_C.status)
    return ImageState(
        query_of(row),
        row.digest,
        row.since,
        row.checked_at,
        row.failing_since,
        row.failing_host,
        row.failing_code,
        row.failing_message,
        connection.scalar(select(func.count(_C.repo_id.distinct())).where(is_meant)) or 0,
        {Status(row.status): row.places for row in connection.execute(places)},
    )


def sightings(connection: Connection, image_id: int, limit: int = KEPT) -> list[Seen]:
    """The newest sightings of a tag, the newest first."""
    seen = SIGHTINGS.c
    rows = connection.execute(
        select(seen.digest, seen.first_seen, seen.last_seen)
        .where(seen.image_id == image_id)
        .order_by(seen.id.desc())
        .limit(limit)
    )
    return [Seen(*row) for row in rows]


def digests(connection: Connection, image_id: int, limit: int) -> tuple[list[PinnedDigest], int]:
    """What is pinned of an image, the most used first, up to a limit; and how many there are."""
    repos = func.count(_C.repo_id.distinct()).label("repos")
    behind = func.sum(case((_C.status.in_(ages.BEHIND), 1), else_=0))
    rows = connection.execute(
        select(_C.digest, func.count(), repos, behind, func.count().over())
        .where(_pins(image_id))
        .group_by(_C.digest)
        .order_by(repos.desc(), _C.digest)
        .limit(limit)
    ).all()
    return [PinnedDigest(*row[:-1]) for row in rows], rows[0][-1] if rows else 0


def held(connection: Connection, image_id: int) -> list[HeldReason]:
    """What is held back, the most common reason first."""
    places = func.count().label("places")
    rows = connection.execute(
        select(
            _C.reason,
            func.max(_C.message),
            func.min(_C.until),
            places,
            func.count(_C.repo_id.distinct()),
        )
        .where(_C.image_id == image_id, _C.status == Status.HELD.value, ages.is_live())
        .group_by(_C.reason)
        .order_by(places.desc(), _C.reason)
    )
    return [HeldReason(*row) for row in rows]


def _pins(image_id: int) -> ColumnElement[bool]:
    is_pin = _C.status.in_(_PINNING) & _C.digest.is_not(None)
    return (_C.image_id == image_id) & is_pin & ages.is_live()
