"""The images that people asked to have left alone until a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, exists, func, insert, select, update

from digestbot.image import ImageReference, ImageTag
from digestbot.store import asks, images
from digestbot.store.tables import FINDINGS, IGNORES, IMAGES, REPOS

KEPT = timedelta(days=2 * 365)
"""For so long they are kept, from their last day on."""
_C = IGNORES.c


@dataclass(frozen=True, slots=True)
class IgnoreRow:
    """One of them; `until` is the last day, and no `repo` is all of them."""

    id: int
    image: str
    repo: str
    until: date
    reason: str
    who: str
    at: datetime


def add(
    connection: Connection,
    image: ImageTag,
    until: date,
    reason: str,
    who: str,
    now: datetime,
    repo: str = "",
) -> int | None:
    """Leave an image alone from now on, in place of what was said of it there before.

    The repos that this is about are to be worked on, and no others. The id; None where it is
    about none.
    """
    if not asks.look(connection, _concerned(image, repo), now):
        return None
    is_same = (_C.image == str(image)) & (func.lower(_C.repo) == repo.lower())
    connection.execute(update(IGNORES).where(is_same, _C.ended_at.is_(None)).values(ended_at=now))
    connection.execute(delete(IGNORES).where(_C.until < (now - KEPT).date()))
    row = {"image": str(image), "repo": repo, "until": until, "reason": reason, "who": who}
    added = connection.execute(insert(IGNORES).values(at=now, **row).returning(_C.id))
    number: int = added.scalar_one()
    return number


def take_back(connection: Connection, number: int, now: datetime) -> IgnoreRow | None:
    """End one at once; which it was, None where none of this id holds.

    The repos that it was about are to be worked on.
    """
    found = connection.execute(select(IGNORES).where(_holds(now.date()), _C.id == number)).first()
    if found is None:
        return None
    connection.execute(update(IGNORES).where(_C.id == number).values(ended_at=now))
    tag = ImageReference.parse(found.image).followed
    if tag is not None:
        asks.look(connection, _concerned(tag, found.repo), now)
    return _row(found)


def holding(
    connection: Connection,
    today: date,
    *,
    image: str = "",
    repo: str = "",
    offset: int = 0,
    limit: int = 50,
) -> list[IgnoreRow]:
    """Those that hold on a day in UTC, the newest first.

    With `image`, named with its tag, only those of it; with `repo` only those that hold there:
    those for all repos are among them.
    """
    query = select(IGNORES).where(_holds(today))
    if image:
        query = query.where(_C.image == image)
    if repo:
        query = query.where(_holds_in(repo))
    rows = connection.execute(query.order_by(_C.id.desc()).offset(offset).limit(limit))
    return [_row(row) for row in rows]


def holding_in(connection: Connection, repo: str, today: date) -> list[IgnoreRow]:
    """All of those that hold in a repo; those for all repos alone, where it has no name."""
    query = select(IGNORES).where(_holds(today), _holds_in(repo)).order_by(_C.id)
    return [_row(row) for row in connection.execute(query)]


def count(connection: Connection, today: date) -> int:
    """How many hold on a day."""
    return connection.execute(
        select(func.count()).select_from(IGNORES).where(_holds(today))
    ).scalar_one()


def _concerned(image: ImageTag, repo: str) -> ColumnElement[bool]:
    """Whether a repo, or that one, follows an image, or leaves one alone that may be it.

    What is left alone is not followed, and kept without its tag.
    """
    is_found = FINDINGS.c.repo_id == REPOS.c.id
    is_it = (FINDINGS.c.image_id == IMAGES.c.id) & images.is_one_of({image})
    is_left = (FINDINGS.c.reason == "ignored") & (FINDINGS.c.image == image.image)
    found = exists().where(is_found, is_it) | exists().where(is_found, is_left)
    return found & asks.is_named(repo) if repo else found


def _holds(today: date) -> ColumnElement[bool]:
    return _C.ended_at.is_(None) & (_C.until >= today)


def _holds_in(repo: str) -> ColumnElement[bool]:
    return func.lower(_C.repo).in_({"", repo.lower()})


def _row(row: Row[Any]) -> IgnoreRow:
    return IgnoreRow(row.id, row.image, row.repo, row.until, row.reason, row.who, row.at)
