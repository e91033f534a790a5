"""The list of images that somebody follows: filtered, sorted, a page at a time.

What follows them is summed up once for a page: that is what costs, and their number is not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import CTE, ColumnElement, Connection, Row, Subquery, and_, func, select, true

from digestbot.policy.finding import Status
from digestbot.registry.resolution import Query
from digestbot.store import ages
from digestbot.store.ages import PinGroup
from digestbot.store.images import query_of
from digestbot.store.tables import FINDINGS, IMAGES

_C, _F = IMAGES.c, FINDINGS.c
_FOLLOWING = [one for one in Status if one is not Status.SKIPPED]

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


@dataclass(frozen=True, slots=True)
class ImagePage:
    """A page of those that a filter lets through, `total` of all pages; and what all come to."""

    images: list[ListedImage]
    total: int
    census: Census


_STATES: Final[tuple[Which, ...]] = ("failing", "behind", "stale", "held", "current")


def page(
    connection: Connection,
    asked: ImageFilter,
    *,
    sort: Sort = "behind",
    offset: int = 0,
    limit: int = 50,
) -> ImagePage:
    """The images that live repos follow and the filter lets through, by name.

    `behind` is first by how many repos are, `oldest` by how long the oldest pin is.
    """
    listed = _ALL_BY_AGE if sort == "oldest" else _ALL
    is_meant = _is_meant(listed, asked)
    kinds = _kinds(listed, is_meant)
    shown = select(listed).where(is_meant).order_by(*_order(listed, sort))
    found = shown.offset(offset).limit(limit).subquery("found")
    # Each row of a page beside the numbers of its registry; those without any stand alone.
    query = select(kinds, found).outerjoin(found, found.c.registry == kinds.c.registry_)
    rows = connection.execute(query.order_by(*_order(found, sort))).all()
    by_registry = {row.registry_: row for row in rows}
    total = sum(row.meant_ for row in by_registry.values())
    told = [row for row in rows if row.id is not None]
    return ImagePage(_told(connection, told), total, _census(by_registry))


def after(
    connection: Connection, asked: ImageFilter, last_id: int = 0, limit: int = 1000
) -> list[ListedImage]:
    """The images that the filter lets through, in order of their ids above `last_id`."""
    listed = _listed(_F.image_id > last_id)
    query = select(listed).where(_is_meant(listed, asked)).order_by(listed.c.id).limit(limit)
    return _told(connection, connection.execute(query).all())


def _listed(of: ColumnElement[bool] | None = None, *, by_age: bool = False) -> CTE:
    """What each image is, with the repos that follow it and their places by status."""
    repos = func.count(_F.repo_id.distinct())
    statuses = [func.count().filter(_F.status == one.value).label(one.value) for one in _FOLLOWING]
    sums = (
        select(
            _F.image_id,
            repos.label("repos"),
            repos.filter(_F.status.in_(ages.BEHIND)).label("repos_behind"),
            *statuses,
        )
        .where(_F.image_id.is_not(None), _F.status != Status.SKIPPED.value)
        .where(ages.is_live_of_all())
        .where(true() if of is None else of)
        .group_by(_F.image_id)
        .subquery("sums")
    )
    numbers = [one for one in sums.c if one.name != "image_id"]
    query = select(IMAGES, *numbers).join(sums, sums.c.image_id == _C.id)
    if by_age:
        oldest = ages.oldest()
        since = oldest.c.behind_since.label("behind_since")
        query = query.add_columns(since).outerjoin(oldest, oldest.c.image_id == _C.id)
    return query.cte("listed")


# What is put together once is compiled once.
_ALL: Final = _listed()
_ALL_BY_AGE: Final = _listed(by_age=True)


def _is_in(listed: CTE, state: Which) -> ColumnElement[bool]:
    c = listed.c
    others = [c[one.value] == 0 for one in _FOLLOWING if one is not Status.CURRENT]
    conditions: dict[Which, ColumnElement[bool]] = {
        "": true(),
        "failing": c.failing_since.is_not(None),
        "behind": c.repos_behind > 0,
        "stale": c.stale > 0,
        "held": c.held > 0,
        # None that is followed is without any place.
        "current": and_(c.failing_since.is_(None), *others),
    }
    return conditions[state]


def _is_meant(listed: CTE, asked: ImageFilter) -> ColumnElement[bool]:
    c = listed.c
    name = func.lower(c.registry + "/" + c.repository + ":" + c.tag)
    return and_(
        name.contains(asked.q.lower(), autoescape=True) if asked.q else true(),
        c.registry == asked.registry if asked.registry else true(),
        _is_in(listed, asked.state),
    )


def _kinds(listed: CTE, is_meant: ColumnElement[bool]) -> Subquery:
    """How many images of each registry there are, and how many of them are meant."""
    number = func.count()
    states = [number.filter(_is_in(listed, one)).label(f"{one}_") for one in _STATES]
    registry = listed.c.registry.label("registry_")
    meant = number.filter(is_meant).label("meant_")
    query = select(registry, number.label("total_"), meant, *states).group_by(listed.c.registry)
    return query.subquery("kinds")


def _order(listed: CTE | Subquery, sort: Sort) -> list[ColumnElement[Any]]:
    """Both databases are told where images go that have no such time: they disagree."""
    c = listed.c
    by_name: list[ColumnElement[Any]] = [c.registry, c.repository, c.tag, c.platform]
    if sort == "behind":
        return [c.repos_behind.desc(), *by_name]
    if sort == "oldest":
        return [c.behind_since.is_(None), c.behind_since, *by_name]
    return by_name


def _census(by_registry: Mapping[str, Row[Any]]) -> Census:
    rows = by_registry.values()
    states = {state: sum(getattr(row, f"{state}_") for row in rows) for state in _STATES}
    return Census(sum(row.total_ for row in rows), states, tuple(sorted(by_registry)))


def _told(connection: Connection, rows: Sequence[Row[Any]]) -> list[ListedImage]:
    """These images, with what only those are asked about that are told."""
    behind = [row.id for row in rows if row.repos_behind]
    held = _held(connection, behind)
    aged: dict[int, list[PinGroup]] = defaultdict(list)
    for group in ages.groups(connection, behind):
        aged[group.image_id].append(group)
    return [_image(row, aged[row.id], held.get(row.id)) for row in rows]


def _held(connection: Connection, image_ids: Collection[int]) -> dict[int, HeldBy]:
    """What holds most back, by image."""
    query = (
        select(_F.image_id, _F.reason, func.max(_F.message), func.min(_F.until))
        .where(_F.status == Status.HELD.value, _F.image_id.in_(image_ids), ages.is_live())
        .group_by(_F.image_id, _F.reason)
        .order_by(func.count(), _F.reason)
    )
    return {row[0]: HeldBy(*row[1:]) for row in connection.execute(query)}


def _image(row: Row[Any], aged: Sequence[PinGroup], held: HeldBy | None) -> ListedImage:
    known = (one.behind_since for one in aged if one.behind_since is not None)
    return ListedImage(
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
        places={one: number for one in _FOLLOWING if (number := getattr(row, one.value))},
        behind_since=min(known, default=None),
        is_at_least=any(one.is_at_least for one in aged),
        held=held,
    )
