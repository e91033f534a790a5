"""What the state has of one repo: how it was listed and worked on, its findings, its proposals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, RowMapping, case, func, select

from digestbot.image import ImageTag
from digestbot.policy.finding import DENIED_PINNED, Status
from digestbot.scan.result import Problem
from digestbot.store import ages
from digestbot.store.proposals import State
from digestbot.store.repo_state import RANK, RepoState, state_by
from digestbot.store.tables import FINDINGS, IMAGES, PROPOSALS, REPOS

DENIED: Literal["denied"] = "denied"
"""What is asked for where findings are meant whose digest is on the deny list."""

_F, _P = FINDINGS.c, PROPOSALS.c
# What somebody has to see to comes first.
_ORDER = (
    Status.FAILED,
    Status.STALE,
    Status.HELD,
    Status.UNPINNED,
    Status.CURRENT,
    Status.SKIPPED,
)
_OVER = 2


@dataclass(frozen=True, slots=True)
class RepoRecord:
    """A repo as it was listed last, and as it was worked on last.

    Attributes:
        left_out: Why it is not touched, as a slug; empty where it is worked on.
        settled_head: The commit that its findings are of.
        settled_at: When it was worked on last.
        due_at: When it is worked on again although nothing moved, if that is known.
        counts: How many of its findings have each status.
        denied: How many of them pin a digest that is on the deny list.
        behind_since: Since when its oldest pin is behind.
    """

    id: int
    target: str
    name: str
    url: str
    state: RepoState
    default_branch: str
    head: str | None
    left_out: str
    left_out_message: str
    listed_at: datetime
    gone_at: datetime | None
    settled_head: str | None
    settled_at: datetime | None
    due_at: datetime | None
    problems: tuple[Problem, ...]
    counts: dict[Status, int]
    denied: int
    behind_since: datetime | None


@dataclass(frozen=True, slots=True)
class RepoFinding:
    """A finding of a repo; `image_id` is None where its image is not followed.

    `behind_since` is told of stale and held pins; `is_at_least` where it is longer ago than that.
    """

    path: str
    line: int
    column: int
    written: str
    image: str
    image_id: int | None
    digest: str | None
    new_digest: str | None
    status: Status
    reason: str
    message: str
    hint: str
    until: datetime | None
    behind_since: datetime | None
    is_at_least: bool


@dataclass(frozen=True, slots=True)
class RepoProposal:
    """A proposal of a repo; `number` is 0 and `url` empty where it has no pull request."""

    id: int
    branch: str
    number: int
    url: str
    title: str
    state: State
    outcome: str
    message: str
    opened_at: datetime | None
    ended_at: datetime | None


def record(connection: Connection, repo_id: int) -> RepoRecord | None:
    """The repo with this id; None where there never was one."""
    query = select(REPOS, RANK.label("rank")).where(REPOS.c.id == repo_id)
    row = connection.execute(query).mappings().first()
    return None if row is None else _record(row)


def findings(
    connection: Connection, repo_id: int, *, status: str = "", offset: int = 0, limit: int = 50
) -> list[RepoFinding]:
    """Its findings, what is denied first, then by status, then by place; `status` as `counts`."""
    place = case({one.value: number for number, one in enumerate(_ORDER)}, value=_F.status)
    found = (
        select(FINDINGS, place.label("place"), _is_denied().label("is_denied"))
        .where(_F.repo_id == repo_id, *_has(status))
        .order_by(_is_denied().desc(), place, _F.path, _F.line, _F.id)
        .offset(offset)
        .limit(limit)
        .subquery()
    )
    c = found.c
    # Only of those that are told: each is a look into the history of its image.
    query = select(
        found,
        ages.behind_since(c.image_id, c.digest).label("behind_since"),
        ages.last_sighting(c.image_id, c.digest).is_(None).label("is_at_least"),
    ).order_by(c.is_denied.desc(), c.place, c.path, c.line, c.id)
    return [_finding(row) for row in connection.execute(query)]


def count_findings(connection: Connection, repo_id: int, *, status: str = "") -> int:
    """How many `findings` there are."""
    query = select(func.count()).select_from(FINDINGS).where(_F.repo_id == repo_id, *_has(status))
    return connection.scalar(query) or 0


def images(connection: Connection, repo_id: int, limit: int = 200) -> list[str]:
    """The images that it follows, each by its full name with tag, in order."""
    c = IMAGES.c
    named = (c.registry, c.repository, c.tag)
    query = (
        select(*named)
        .where(c.id.in_(select(_F.image_id).where(_F.repo_id == repo_id)))
        .distinct()
        .order_by(*named)
        .limit(limit)
    )
    return [str(ImageTag(*row)) for row in connection.execute(query)]


def proposals(connection: Connection, repo_id: int, limit: int = 50) -> list[RepoProposal]:
    """Its proposals: those that are open, the oldest first, then the others, the newest first."""
    rank = case({State.OPEN.value: 0, State.WAITING.value: 1}, value=_P.state, else_=_OVER)
    query = (
        select(PROPOSALS)
        .where(_P.repo_id == repo_id)
        .order_by(
            rank,
            case((rank < _OVER, _P.opened_at)),
            func.coalesce(_P.ended_at, _P.seen_at).desc(),
            _P.id.desc(),
        )
        .limit(limit)
    )
    return [proposal_of(row) for row in connection.execute(query)]


def _is_denied() -> ColumnElement[int]:
    return case((_F.reason == DENIED_PINNED, 1), else_=0)


def _has(status: str) -> list[ColumnElement[bool]]:
    if status == DENIED:
        return [_F.reason == DENIED_PINNED]
    return [_F.status == status] if status else []


def _record(row: RowMapping) -> RepoRecord:
    return RepoRecord(
        id=row["id"],
        target=row["target"],
        name=row["name"],
        url=row["url"],
        state=state_by(row["rank"]),
        default_branch=row["default_branch"],
        head=row["head"],
        left_out=row["left_out"],
        left_out_message=row["left_out_message"],
        listed_at=row["listed_at"],
        gone_at=row["gone_at"],
        settled_head=row["settled_head"],
        settled_at=row["settled_at"],
        due_at=row["due_at"],
        problems=tuple(Problem(**one) for one in row["problems"]),
        counts={one: row[f"{one.value}_count"] for one in Status},
        denied=row["denied_count"],
        behind_since=row["behind_since"],
    )


def _finding(row: Row[Any]) -> RepoFinding:
    is_behind = row.status in ages.BEHIND and row.behind_since is not None
    return RepoFinding(
        path=row.path,
        line=row.line,
        column=row.column,
        written=row.written,
        image=row.image,
        image_id=row.image_id,
        digest=row.digest,
        new_digest=row.new_digest,
        status=Status(row.status),
        reason=row.reason,
        message=row.message,
        hint=row.hint,
        until=row.until,
        behind_since=row.behind_since if is_behind else None,
        is_at_least=is_behind and bool(row.is_at_least),
    )


def proposal_of(row: Row[Any]) -> RepoProposal:
    """The proposal in a row of its table."""
    return RepoProposal(
        id=row.id,
        branch=row.branch,
        number=row.number,
        url=row.url,
        title=row.title,
        state=State(row.state),
        outcome=row.outcome,
        message=row.message,
        opened_at=row.opened_at,
        ended_at=row.ended_at,
    )
