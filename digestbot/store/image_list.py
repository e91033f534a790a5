"""The list of images that somebody follows: read as a whole, then filtered and sorted.

They are far fewer than what follows them, and summing that up is what costs: it is done once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, func, select

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


_HAS: Final[Mapping[Which, Callable[[ListedImage], bool]]] = {
    "failing": lambda one: one.failing_since is not None,
    "behind": lambda one: one.repos_behind > 0,
    "stale": lambda one: Status.STALE in one.places,
    "held": lambda one: Status.HELD in one.places,
    "current": lambda one: one.failing_since is None and set(one.places) == {Status.CURRENT},
}


def followed(connection: Connection) -> list[ListedImage]:
    """All images that live repos follow, in order of their ids."""
    held = _held(connection)
    aged: dict[int, list[PinGroup]] = defaultdict(list)
    for group in ages.groups(connection):
        aged[group.image_id].append(group)
    return [_listed(row, aged[row.id], held.get(row.id)) for row in _summed_up(connection)]


def matching(found: Iterable[ListedImage], asked: ImageFilter) -> list[ListedImage]:
    """Those that the filter lets through."""
    has, part = _HAS.get(asked.state), asked.q.lower()
    return [
        one
        for one in found
        if part in str(one.query.image).lower()
        and asked.registry in ("", one.query.image.registry)
        and (has is None or has(one))
    ]


def ordered(found: Iterable[ListedImage], sort: Sort) -> list[ListedImage]:
    """By name; `behind` first by how many repos are, `oldest` by how long the oldest pin is."""
    by_name = sorted(found, key=_name)
    if sort == "behind":
        return sorted(by_name, key=lambda one: -one.repos_behind)
    if sort == "oldest":
        return sorted(by_name, key=lambda one: (one.behind_since is None, one.behind_since))
    return by_name


def census(found: Sequence[ListedImage]) -> Census:
    """How many images there are of each kind."""
    states: dict[Which, int] = {state: sum(map(has, found)) for state, has in _HAS.items()}
    registries = {one.query.image.registry for one in found}
    return Census(len(found), states, tuple(sorted(registries)))


def _name(one: ListedImage) -> tuple[str, ...]:
    image = one.query.image
    return image.registry, image.repository, image.tag, str(one.query.platform or "")


def _summed_up(connection: Connection) -> Sequence[Row[Any]]:
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
        .where(_F.status.in_(_FOLLOWING), _F.image_id.is_not(None), ages.is_live())
        .group_by(_F.image_id)
        .subquery()
    )
    numbers = [one for one in sums.c if one.name != "image_id"]
    query = select(IMAGES, *numbers).join(sums, sums.c.image_id == _C.id)
    return connection.execute(query.order_by(_C.id)).all()


def _held(connection: Connection) -> dict[int, HeldBy]:
    """What holds most back, by image."""
    query = (
        select(_F.image_id, _F.reason, func.max(_F.message), func.min(_F.until))
        .where(_F.status == Status.HELD.value, _F.image_id.is_not(None), ages.is_live())
        .group_by(_F.image_id, _F.reason)
        .order_by(func.count(), _F.reason)
    )
    return {row[0]: HeldBy(*row[1:]) for row in connection.execute(query)}


def _listed(row: Row[Any], aged: Sequence[PinGroup], held: HeldBy | None) -> ListedImage:
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
