"""The list of images that somebody follows: filtered, sorted, a page at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Subquery,
    and_,
    case,
    func,
    select,
    true,
)

from digestbot.policy.finding import Status
from digestbot.registry.resolution import Query
from digestbot.store import ages
from digestbot.store.ages import PinGroup
from digestbot.store.images import query_of
from digestbot.store.tables import FINDINGS, IMAGES

_C, _F = IMAGES.c, FINDINGS.c
# All that may follow an image: named, so that the index that begins with the status is enough.
_FOLLOWING = [one for one in Status if one is not Status.SKIPPED]

Sort = Literal["behind", "name", "oldest"]
Which = Literal["", "behind", "stale", "held", "failing", "current"]
_COUNTED: Final[tuple[Which, ...]] = ("failing", "behind", "stale", "held", "current")


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
class Census:
    """How many images there are, how many of each state, and in which registries, by name."""

    total: int
    states: Mapping[Which, int]
    registries: tuple[str, ...]


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


def census(connection: Connection) -> Census:
    """How many images there are of each kind; one pass over all that follow any."""
    sums = _sums()
    is_so = _states(sums)
    query = (
        select(_C.registry, func.count(), *(_number(is_so[one]) for one in _COUNTED))
        .join(sums, sums.c.image_id == _C.id)
        .group_by(_C.registry)
        .order_by(_C.registry)
    )
    rows = connection.execute(query).all()
    states = {one: sum(row[place] for row in rows) for place, one in enumerate(_COUNTED, 2)}
    return Census(sum(row[1] for row in rows), states, tuple(row[0] for row in rows))


def count(connection: Connection, asked: ImageFilter) -> int:
    """How many images the filter lets through."""
    sums = _sums()
    query = select(func.count()).select_from(IMAGES).join(sums, sums.c.image_id == _C.id)
    return connection.scalar(query.where(*_conditions(asked, sums))) or 0


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
    sums = _sums()
    query = _ordered(_asked(asked, sums), sort, sums)
    return _listed(connection, query.offset(offset).limit(limit))


def after(
    connection: Connection, asked: ImageFilter, last_id: int = 0, limit: int = 1000
) -> list[ListedImage]:
    """The images that the filter lets through, in order of their ids above `last_id`."""
    query = _asked(asked, _sums()).where(_C.id > last_id)
    return _listed(connection, query.order_by(_C.id).limit(limit))


def _sums() -> Subquery:
    """What the live repos have of each image that any follows: repos, and places by status.

    First by repo, as counting distinct ones would sort all places.
    """
    behind = _number(_F.status.in_(ages.BEHIND))
    statuses = [_number(_F.status == one.value).label(one.value) for one in _FOLLOWING]
    by_repo = (
        select(_F.image_id, behind.label("behind"), *statuses)
        .where(_F.status.in_(_FOLLOWING), _F.image_id.is_not(None), ages.is_live())
        .group_by(_F.image_id, _F.repo_id)
        .subquery()
    )
    c = by_repo.c
    return (
        select(
            c.image_id,
            func.count().label("repos"),
            _number(c.behind > 0).label("repos_behind"),
            *(func.sum(c[one.value]).label(one.value) for one in _FOLLOWING),
        )
        .group_by(c.image_id)
        .subquery()
    )


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """Of how many rows it is true."""
    return func.sum(case((condition, 1), else_=0))


def _asked(asked: ImageFilter, sums: Subquery) -> Select[Any]:
    numbers = (one for one in sums.c if one.name != "image_id")
    query = select(IMAGES, *numbers).join(sums, sums.c.image_id == _C.id)
    return query.where(*_conditions(asked, sums))


def _conditions(asked: ImageFilter, sums: Subquery) -> list[ColumnElement[bool]]:
    name = func.lower(_C.registry + "/" + _C.repository + ":" + _C.tag)
    return [
        name.contains(asked.q.lower(), autoescape=True) if asked.q else true(),
        _C.registry == asked.registry if asked.registry else true(),
        _states(sums)[asked.state] if asked.state else true(),
    ]


def _states(sums: Subquery) -> Mapping[Which, ColumnElement[bool]]:
    c, is_failing = sums.c, _C.failing_since.is_not(None)
    others = [c[one.value] == 0 for one in _FOLLOWING if one is not Status.CURRENT]
    return {
        "behind": c.repos_behind > 0,
        "stale": c.stale > 0,
        "held": c.held > 0,
        "failing": is_failing,
        "current": and_(~is_failing, *others),
    }


def _ordered(query: Select[Any], sort: Sort, sums: Subquery) -> Select[Any]:
    by_name = (_C.registry, _C.repository, _C.tag, _C.platform, _C.id)
    if sort == "behind":
        return query.order_by(sums.c.repos_behind.desc(), *by_name)
    if sort == "oldest":
        oldest = _oldest()
        joined = query.outerjoin(oldest, oldest.c.image_id == _C.id)
        return joined.order_by(oldest.c.since.is_(None), oldest.c.since, *by_name)
    return query.order_by(*by_name)


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
    held = _held(connection, is_listed)
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
            repos=row.repos,
            repos_behind=row.repos_behind,
            places=_places(row),
            behind_since=_since(aged[row.id]),
            is_at_least=any(one.is_at_least for one in aged[row.id]),
            held=held.get(row.id),
        )
        for row in rows
    ]


def _places(row: Row[Any]) -> dict[Status, int]:
    # PostgreSQL adds large integers up to something that is none.
    numbers = {one: int(getattr(row, one.value)) for one in _FOLLOWING}
    return {one: number for one, number in numbers.items() if number}


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
