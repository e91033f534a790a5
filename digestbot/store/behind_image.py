"""Who is behind with one image, by how long, and what is proposed to them about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy import CTE, ColumnElement, Connection, case, func, literal, select

from digestbot.store import ages
from digestbot.store.proposals import State
from digestbot.store.tables import FINDINGS, PROPOSALS, REPOS

_C = FINDINGS.c
_PROPOSED = (State.OPEN.value, State.WAITING.value)


@dataclass(frozen=True, slots=True)
class BehindPin:
    """So many places of a repo that have the same digest, and the same is said of."""

    repo_id: int
    digest: str
    status: str
    reason: str
    places: int


@dataclass(frozen=True, slots=True)
class OpenProposal:
    """A proposal of a repo that is open, or waits; `number` is 0 where it has no pull request."""

    repo_id: int
    branch: str
    number: int
    url: str
    title: str
    state: str
    opened_at: datetime | None


_OfRepo = TypeVar("_OfRepo", BehindPin, OpenProposal)


@dataclass(frozen=True, slots=True)
class BehindRepo:
    """A repo with a stale or held pin of the image, and since when the oldest of them is so.

    `is_at_least`: one of them was never seen as the tag's, and is behind for longer.
    """

    id: int
    name: str
    url: str
    places: int
    since: datetime | None
    is_at_least: bool
    pins: tuple[BehindPin, ...] = ()
    proposals: tuple[OpenProposal, ...] = ()


def repos(
    connection: Connection, image_id: int, branches: Collection[str], *, offset: int, limit: int
) -> list[BehindRepo]:
    """The repos that are behind, those that have been for longest first.

    Proposals about the image are those on one of these branches.
    """
    found = _repos(connection, image_id, offset, limit)
    ids = [repo.id for repo in found]
    pins = _by_repo(_pins(connection, image_id, ids))
    proposals = _by_repo(_proposals(connection, ids, branches))
    return [replace(one, pins=pins[one.id], proposals=proposals[one.id]) for one in found]


def count(connection: Connection, image_id: int) -> int:
    """How many `repos` there are."""
    query = select(func.count(_C.repo_id.distinct())).where(_is_behind(image_id))
    return connection.scalar(query) or 0


def _repos(connection: Connection, image_id: int, offset: int, limit: int) -> list[BehindRepo]:
    aged = _aged(image_id)
    found = (
        select(
            _C.repo_id,
            func.count().label("places"),
            func.min(aged.c.since).label("since"),
            (func.max(aged.c.is_at_least) > 0).label("is_at_least"),
        )
        .join(aged, aged.c.digest == _C.digest)
        .where(_is_behind(image_id))
        .group_by(_C.repo_id)
        .subquery()
    )
    c = found.c
    rows = connection.execute(
        select(REPOS.c.id, REPOS.c.name, REPOS.c.url, c.places, c.since, c.is_at_least)
        .join(found, c.repo_id == REPOS.c.id)
        .order_by(c.since.is_(None), c.since, REPOS.c.name, REPOS.c.id)
        .offset(offset)
        .limit(limit)
    )
    return [BehindRepo(*row) for row in rows]


def _pins(connection: Connection, image_id: int, repo_ids: Collection[int]) -> list[BehindPin]:
    told = (_C.repo_id, _C.digest, _C.status, _C.reason)
    rows = connection.execute(
        select(*told, func.count())
        .where(_is_behind(image_id), _C.repo_id.in_(repo_ids))
        .group_by(*told)
        .order_by(*told)
    )
    return [BehindPin(*row) for row in rows]


def _proposals(
    connection: Connection, repo_ids: Collection[int], branches: Collection[str]
) -> list[OpenProposal]:
    c = PROPOSALS.c
    rows = connection.execute(
        select(c.repo_id, c.branch, c.number, c.url, c.title, c.state, c.opened_at)
        .where(c.repo_id.in_(repo_ids), c.branch.in_(branches))
        .order_by(c.repo_id, c.id)
    )
    # Asked for the state, too, SQLite would look at all that are open instead of these few.
    return [OpenProposal(*row) for row in rows if row.state in _PROPOSED]


def _by_repo(rows: Iterable[_OfRepo]) -> Mapping[int, tuple[_OfRepo, ...]]:
    found: dict[int, tuple[_OfRepo, ...]] = defaultdict(tuple)
    for row in rows:
        found[row.repo_id] += (row,)
    return found


def _is_behind(image_id: int) -> ColumnElement[bool]:
    is_behind = _C.status.in_(ages.BEHIND) & _C.digest.is_not(None)
    return (_C.image_id == image_id) & is_behind & ages.is_live()


def _aged(image_id: int) -> CTE:
    """Each digest that is behind, with since when: worked out once for all who pin it."""
    image: ColumnElement[int | None] = literal(image_id)
    was_seen = ages.last_sighting(image, _C.digest).is_not(None)
    query = (
        select(
            _C.digest,
            ages.behind_since(image, _C.digest).label("since"),
            case((was_seen, 0), else_=1).label("is_at_least"),
        )
        .where(_is_behind(image_id))
        .group_by(_C.digest)
    )
    # Else PostgreSQL works it out anew for each pin.
    return query.cte("aged").prefix_with("MATERIALIZED", dialect="postgresql")
