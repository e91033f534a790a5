"""The findings of all repos, a piece at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, case, func, select

from digestbot.policy.finding import DENIED_PINNED, Status
from digestbot.store import ages
from digestbot.store.tables import FINDINGS, REPOS

_C = FINDINGS.c


@dataclass(frozen=True, slots=True)
class FindingFilter:
    """Which findings.

    Attributes:
        q: Part of the repo's name; case is disregarded.
        repo: The id of the repo; 0 is any.
        image: The id of the image that is followed; 0 is any.
        denied: Only those that pin a digest of the deny list.
    """

    q: str = ""
    status: Status | None = None
    repo: int = 0
    image: int = 0
    denied: bool = False


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding, and where it is.

    `behind_since` is told of stale and held pins; `is_at_least` where it is longer ago than that.
    """

    id: int
    repo_id: int
    repo: str
    path: str
    line: int
    image_id: int | None
    image: str
    written: str
    digest: str | None
    new_digest: str | None
    status: Status
    reason: str
    message: str
    hint: str
    until: datetime | None
    behind_since: datetime | None
    is_at_least: bool
    found_at: datetime


def after(
    connection: Connection, asked: FindingFilter, last_id: int = 0, limit: int = 1000
) -> list[FindingRow]:
    """The findings of repos that are watched, in order of their ids above `last_id`."""
    is_behind = _C.status.in_(ages.BEHIND)
    # Each is a look into the history of an image: only for those that are told of it.
    since = case((is_behind, ages.behind_since(_C.image_id, _C.digest)))
    seen = case((is_behind, ages.last_sighting(_C.image_id, _C.digest)))
    query = (
        select(
            FINDINGS,
            REPOS.c.name.label("repo"),
            since.label("behind_since"),
            seen.label("sighting"),
        )
        .join(REPOS, _C.repo_id == REPOS.c.id)
        .where(_C.id > last_id, REPOS.c.left_out == "", *_conditions(asked))
        .order_by(_C.id)
        .limit(limit)
    )
    return [_row(row) for row in connection.execute(query)]


def _conditions(asked: FindingFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if asked.q:
        name = func.lower(REPOS.c.name)
        conditions.append(name.contains(asked.q.lower(), autoescape=True))
    if asked.status is not None:
        conditions.append(_C.status == asked.status.value)
    if asked.repo:
        conditions.append(_C.repo_id == asked.repo)
    if asked.image:
        conditions.append(_C.image_id == asked.image)
    if asked.denied:
        conditions.append(_C.reason == DENIED_PINNED)
    return conditions


def _row(row: Row[Any]) -> FindingRow:
    return FindingRow(
        id=row.id,
        repo_id=row.repo_id,
        repo=row.repo,
        path=row.path,
        line=row.line,
        image_id=row.image_id,
        image=row.image,
        written=row.written,
        digest=row.digest,
        new_digest=row.new_digest,
        status=Status(row.status),
        reason=row.reason,
        message=row.message,
        hint=row.hint,
        until=row.until,
        behind_since=row.behind_since,
        is_at_least=row.behind_since is not None and row.sighting is None,
        found_at=row.found_at,
    )
