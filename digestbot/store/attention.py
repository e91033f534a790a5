"""What needs somebody, summed up in SQL: however large the fleet, the answers are short."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, Subquery, func, select

from digestbot.policy.finding import Status
from digestbot.store import ages
from digestbot.store.conditions import Condition
from digestbot.store.proposals import State
from digestbot.store.tables import CONDITIONS, FINDINGS, IMAGES, PROPOSALS, REPOS

_C = FINDINGS.c


@dataclass(frozen=True, slots=True)
class HeldImage:
    """Updates of one image that are held back for one reason.

    Attributes:
        image: With tag, and platform where one is followed.
        places: How many pins.
        repos: In how many repos.
        until: When the first of them is to be looked at again, if known.
        image_id: Which image that is in the state.
    """

    image: str
    reason: str
    message: str
    places: int
    repos: int
    until: datetime | None = None
    image_id: int = 0


@dataclass(frozen=True, slots=True)
class DeniedDigest:
    """A digest that must not be used, and is: at so many places in so many repos."""

    digest: str
    places: int
    repos: int


def held_images(
    connection: Connection,
    *,
    reasons: Collection[str] = (),
    first: Collection[str] = (),
    limit: int = 100,
) -> list[HeldImage]:
    """What is held: what has one of the reasons in `first`, then what has the nearest date.

    Of these `reasons` only, where any are given.
    """
    found = _held(reasons).subquery()
    image = (IMAGES.c.registry, IMAGES.c.repository, IMAGES.c.tag, IMAGES.c.platform)
    query = (
        select(found, *image)
        .join(IMAGES, IMAGES.c.id == found.c.image_id)
        .order_by(
            found.c.reason.not_in(first),
            found.c.until.is_(None),
            found.c.until,
            *image,
            found.c.reason,
        )
        .limit(limit)
    )
    return [
        HeldImage(
            f"{row.registry}/{row.repository}:{row.tag}"
            + (f" ({row.platform})" if row.platform else ""),
            row.reason,
            row.message,
            row.places,
            row.repos,
            row.until,
            row.image_id,
        )
        for row in connection.execute(query)
    ]


def count_held(connection: Connection, reasons: Collection[str] = ()) -> int:
    """How many `held_images` there are."""
    return _count(connection, _held(reasons).subquery())


def _held(reasons: Collection[str]) -> Select[tuple[int, str, str, datetime, int, int]]:
    query = (
        select(
            _C.image_id,
            _C.reason,
            func.max(_C.message).label("message"),
            func.min(_C.until).label("until"),
            func.count().label("places"),
            func.count(_C.repo_id.distinct()).label("repos"),
        )
        .where(_C.status == Status.HELD.value, _C.image_id.is_not(None), ages.is_live())
        .group_by(_C.image_id, _C.reason)
    )
    return query.where(_C.reason.in_(reasons)) if reasons else query


def denied_digests(connection: Connection, digests: Collection[str]) -> list[DeniedDigest]:
    """Those of these digests that something pins, the most used first."""
    places = func.count().label("places")
    query = (
        select(_C.digest, places, func.count(_C.repo_id.distinct()).label("repos"))
        .join(REPOS, _C.repo_id == REPOS.c.id)
        .where(_C.digest.in_(digests), REPOS.c.left_out == "")
        .group_by(_C.digest)
        .order_by(places.desc(), _C.digest)
    )
    if not digests:
        return []
    return [DeniedDigest(row.digest, row.places, row.repos) for row in connection.execute(query)]


def count_open(connection: Connection) -> int:
    """How many proposals `proposals.open_ones` has, without end."""
    found = (
        select(PROPOSALS.c.id)
        .join(REPOS, PROPOSALS.c.repo_id == REPOS.c.id)
        .where(PROPOSALS.c.state == State.OPEN.value, REPOS.c.gone_at.is_(None))
    )
    return _count(connection, found.subquery())


def holding(connection: Connection) -> list[Condition]:
    """The conditions that hold, as far as was written down."""
    rows = connection.execute(select(CONDITIONS).where(CONDITIONS.c.ended_at.is_(None)))
    return [Condition(row.subject, row.event, row.state, row.message, row.hint) for row in rows]


def _count(connection: Connection, found: Subquery) -> int:
    return connection.scalar(select(func.count()).select_from(found)) or 0
