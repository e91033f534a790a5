"""Which tags moved lately, and who is left behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Subquery, exists, func, select

from digestbot.policy.finding import Status
from digestbot.registry.resolution import Query
from digestbot.store import ages
from digestbot.store.images import query_of
from digestbot.store.tables import FINDINGS, IMAGES, SIGHTINGS

_C, _S, _F = IMAGES.c, SIGHTINGS.c, FINDINGS.c
# All that may pin a digest: named, so that the index that begins with the status is enough.
_PINNING = [one.value for one in Status if one not in (Status.SKIPPED, Status.UNPINNED)]


@dataclass(frozen=True, slots=True)
class Move:
    """A tag that had one digest, and has another since `at`: the last time it moved.

    `times` is how often it did in the span that was asked for, `repos_on_old` how many repos
    still pin the digest that it had.
    """

    image_id: int
    query: Query
    old_digest: str
    new_digest: str
    at: datetime
    times: int
    repos_on_old: int


def moved(connection: Connection, since: datetime, limit: int = 20) -> list[Move]:
    """The images whose tag moved since then, the newest first.

    Each is told once: some move every hour. What a tag was seen to have first is no move.
    """
    last, before = _last_moves(since), SIGHTINGS.alias()
    old = (
        select(before.c.digest)
        .where(before.c.image_id == _S.image_id, before.c.id < _S.id)
        .order_by(before.c.id.desc())
        .limit(1)
        .correlate(SIGHTINGS)
        .scalar_subquery()
    )
    found = (
        select(_S.id, _S.image_id, _S.digest, _S.first_seen, old.label("old"), last.c.times)
        .join(last, last.c.id == _S.id)
        .order_by(_S.first_seen.desc(), _S.id.desc())
        .limit(limit)
        .subquery()
    )
    left_behind = (
        select(func.count(_F.repo_id.distinct()))
        .where(
            _F.status.in_(_PINNING),
            _F.image_id == found.c.image_id,
            _F.digest == found.c.old,
            ages.is_live(),
        )
        .correlate(found)
        .scalar_subquery()
    )
    told = (found.c.old, found.c.digest.label("new"), found.c.first_seen, found.c.times)
    query = (
        select(IMAGES, *told, left_behind)
        .join(found, found.c.image_id == _C.id)
        .order_by(found.c.first_seen.desc(), found.c.id.desc())
    )
    return [
        Move(row.id, query_of(row), row.old, row.new, row.first_seen, row.times, row[-1])
        for row in connection.execute(query)
    ]


def count(connection: Connection, since: datetime) -> int:
    """How many images `moved`."""
    return connection.scalar(select(func.count()).select_from(_last_moves(since))) or 0


def _last_moves(since: datetime) -> Subquery:
    """The sighting that each image moved to last, and how often it moved."""
    return (
        select(func.max(_S.id).label("id"), func.count().label("times"))
        .where(_S.first_seen >= since, _is_move())
        .group_by(_S.image_id)
        .subquery()
    )


def _is_move() -> ColumnElement[bool]:
    before = SIGHTINGS.alias()
    return exists().where(before.c.image_id == _S.image_id, before.c.id < _S.id)
