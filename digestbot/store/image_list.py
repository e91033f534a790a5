"""The list of images that somebody follows: filtered, sorted, a page at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, Select, Subquery, and_, exists, func, select, true

from digestbot.policy.finding import Status
from digestbot.registry.resolution import Query
from digestbot.store import ages
from digestbot.store.ages import PinGroup
from digestbot.store.images import query_of
from digestbot.store.tables import FINDINGS, IMAGES

_C, _F = IMAGES.c, FINDINGS.c
# All that may follow an image: named, so that the index that begins with the status is enough.
_FOLLOWING = [one.value for one in Status if one is not Status.SKIPPED]

Sort = Literal["behind", "name", "oldest"]
Which = Literal["", "behind", "stale", "held", "failing", "current"]


@dataclass(frozen=True, slots=True)
class ImageFilter:
    """Which images.

    Attributes:
        q: Part of the name, with registry and tag; case is disregarded.
        registry: Those of this one alone.
        state: `stale` or `held`, where some pin is; `behind`, either of them; `failing`, where
            the registry gives no answer; `current`, where it does and all pins are.
    """

    q: str = ""
    registry: str = ""
    state: Which = ""


@dataclass(frozen=True, slots=True)
class HeldBy:
    """What holds back most of the updates of an image, and until when, if that is known."""

    reason: str
    message: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class ListedImage:
    """An image in the list; `of_image` tells more of one.

    Attributes:
        query: Its tag and platform.
        since: Since when the tag has its digest.
        places: How many pins there are, by status.
        repos: How many repos follow it, and `repos_behind` of those are stale or held.
        behind_since: Since when its oldest pin is behind, and `is_at_least` where for longer.
    """

    id: int
    query: Query
    digest: str | None
    since: datetime | None
    checked_at: datetime | None
    failing_since: datetime | None
    failing_host: str
    failing_code: str
    failing_message: str
    repos: int
    repos_behind: int
    places: Mapping[Status, int] = field(default_factory=dict)
    behind_since: datetime | None = None
    is_at_least: bool = False
    held: HeldBy | None = None


def count(connection: Connection, asked: ImageFilter) -> int:
    """How many images the filter lets through."""
    query = select(func.count()).select_from(IMAGES).where(*_conditions(asked))
    return connection.scalar(query) or 0


def page(
    connection: Connection,
    asked: ImageFilter,
    *,
    sort: Sort = "behind",
    offset: int = 0,
    limit: int = 50,
) -> list[ListedImage]:
    """The images that the filter lets through.

    `behind` is by how many repos are; `oldest` by how long the oldest pin is.
    """
    query = _ordered(select(IMAGES).where(*_conditions(asked)), sort)
    return _listed(connection, query.offset(offset).limit(limit))


def after(
    connection: Connection, asked: ImageFilter, last_id: int = 0, limit: int = 1000
) -> list[ListedImage]:
    """The images that the filter lets through, in order of their ids above `last_id`."""
    query = select(IMAGES).where(*_conditions(asked), _C.id > last_id)
    return _listed(connection, query.order_by(_C.id).limit(limit))


def registries(connection: Connection) -> list[str]:
    """The registries of all images that somebody follows, by name."""
    query = select(_C.registry).where(_has(_FOLLOWING)).distinct().order_by(_C.registry)
    return list(connection.execute(query).scalars())


def _conditions(asked: ImageFilter) -> list[ColumnElement[bool]]:
    name = func.lower(_C.registry + "/" + _C.repository + ":" + _C.tag)
    return [
        _has(_FOLLOWING),
        name.contains(asked.q.lower(), autoescape=True) if asked.q else true(),
        _C.registry == asked.registry if asked.registry else true(),
        _STATES.get(asked.state, true()),
    ]


def _has(statuses: Collection[str]) -> ColumnElement[bool]:
    """Whether a live repo has such a place of it."""
    return exists().where(_F.image_id == _C.id, _F.status.in_(statuses), ages.is_live())


_STATES: Final[Mapping[str, ColumnElement[bool]]] = {
    "behind": _has(ages.BEHIND),
    "stale": _has([Status.STALE.value]),
    "held": _has([Status.HELD.value]),
    "failing": _C.failing_since.is_not(None),
    "current": and_(
        _C.failing_since.is_(None),
        ~_has([one for one in _FOLLOWING if one != Status.CURRENT.value]),
    ),
}


def _ordered(query: Select[Any], sort: Sort) -> Select[Any]:
    by_name = (_C.registry, _C.repository, _C.tag, _C.platform, _C.id)
    if sort == "behind":
        most = _repos(ages.BEHIND).subquery()
        joined = query.outerjoin(most, most.c.image_id == _C.id)
        return joined.order_by(func.coalesce(most.c.repos, 0).desc(), *by_name)
    if sort == "oldest":
        oldest = _oldest()
        joined = query.outerjoin(oldest, oldest.c.image_id == _C.id)
        return joined.order_by(oldest.c.since.is_(None), oldest.c.since, *by_name)
    return query.order_by(*by_name)


def _repos(statuses: Collection[str]) -> Select[Any]:
    """How many live repos have such a place of each image."""
    return (
        select(_F.image_id, func.count(_F.repo_id.distinct()).label("repos"))
        .where(_F.status.in_(statuses), _F.image_id.is_not(None), ages.is_live())
        .group_by(_F.image_id)
    )


def _oldest() -> Subquery:
    """Since when the oldest pin of each image is behind."""
    pins = (
        select(_F.image_id, _F.digest)
        .where(_F.status.in_(ages.BEHIND), _F.digest.is_not(None), ages.is_live())
        .distinct()
        .subquery()
    )
    since = func.min(ages.behind_since(pins.c.image_id, pins.c.digest))
    return select(pins.c.image_id, since.label("since")).group_by(pins.c.image_id).subquery()


def _listed(connection: Connection, query: Select[Any]) -> list[ListedImage]:
    rows = connection.execute(query).all()
    ids = [row.id for row in rows]
    is_listed = _F.image_id.in_(ids)
    repos = _numbers(connection, _repos(_FOLLOWING).where(is_listed))
    behind = _numbers(connection, _repos(ages.BEHIND).where(is_listed))
    places, held = _places(connection, is_listed), _held(connection, is_listed)
    aged: dict[int, list[PinGroup]] = defaultdict(list)
    for group in ages.groups(connection, ids):
        aged[group.image_id].append(group)
    return [
        ListedImage(
            id=row.id,
            query=query_of(row),
            digest=row.digest,
            since=row.since,
            checked_at=row.checked_at,
            failing_since=row.failing_since,
            failing_host=row.failing_host,
            failing_code=row.failing_code,
            failing_message=row.failing_message,
            repos=repos.get(row.id, 0),
            repos_behind=behind.get(row.id, 0),
            places=places[row.id],
            behind_since=_since(aged[row.id]),
            is_at_least=any(one.is_at_least for one in aged[row.id]),
            held=held.get(row.id),
        )
        for row in rows
    ]


def _numbers(connection: Connection, query: Select[Any]) -> dict[int, int]:
    return {row.image_id: row.repos for row in connection.execute(query)}


def _places(
    connection: Connection, is_listed: ColumnElement[bool]
) -> Mapping[int, dict[Status, int]]:
    """How many places there are, by image and status."""
    query = (
        select(_F.image_id, _F.status, func.count())
        .where(_F.status.in_(_FOLLOWING), is_listed, ages.is_live())
        .group_by(_F.image_id, _F.status)
    )
    found: dict[int, dict[Status, int]] = defaultdict(dict)
    for image_id, status, number in connection.execute(query):
        found[image_id][Status(status)] = number
    return found


def _held(connection: Connection, is_listed: ColumnElement[bool]) -> dict[int, HeldBy]:
    """What holds most back, by image."""
    query = (
        select(_F.image_id, _F.reason, func.max(_F.message), func.min(_F.until))
        .where(_F.status == Status.HELD.value, is_listed, ages.is_live())
        .group_by(_F.image_id, _F.reason)
        .order_by(func.count(), _F.reason)
    )
    return {row[0]: HeldBy(*row[1:]) for row in connection.execute(query)}


def _since(found: Sequence[PinGroup]) -> datetime | None:
    return min((one.behind_since for one in found if one.behind_since is not None), default=None)
