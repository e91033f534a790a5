"""The list of repos: filtered, sorted, a page at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func, select, true

from digestbot.policy.finding import Status
from digestbot.scan.result import Problem
from digestbot.store.of_repo import RepoProposal, proposal_of
from digestbot.store.proposals import State
from digestbot.store.repo_state import ATTENTION, IS_LIVE, RANK, RepoState, is_in, state_by
from digestbot.store.tables import FINDINGS, IMAGES, PROPOSALS, REPOS

_C, _P = REPOS.c, PROPOSALS.c

Sort = Literal["attention", "name", "behind", "waiting", "scanned"]
_HAS: Final[Mapping[str, ColumnElement[bool]]] = {
    "denied": IS_LIVE & (_C.denied_count > 0),
    "problems": IS_LIVE & (_C.problem_count > 0),
    "failed": IS_LIVE & (_C.failed_count > 0),
    "stale": IS_LIVE & (_C.stale_count > 0),
    "held": IS_LIVE & (_C.held_count > 0),
    "unpinned": IS_LIVE & (_C.unpinned_count > 0),
    "fresh": is_in(RepoState.FRESH),
    "new": IS_LIVE & _C.settled_at.is_(None),
    "left-out": _C.gone_at.is_(None) & (_C.left_out != ""),
    "gone": _C.gone_at.is_not(None),
}


@dataclass(frozen=True, slots=True)
class RepoFilter:
    """Which repos.

    Attributes:
        q: Part of the name; case is disregarded.
        status: What there is in a repo, perhaps among other things: a status of findings,
            `denied`, `problems`; or that it is `fresh`, `new`, `left-out` or `gone`. Without it,
            all that are worked on.
        attention: Only those that need somebody.
        image: Part of the name of an image that it follows, with registry and tag.
    """

    q: str = ""
    status: str = ""
    attention: bool = False
    image: str = ""


@dataclass(frozen=True, slots=True)
class ListedRepo:
    """A repo in the list; see `of_repo.RepoRecord` for what is told of one."""

    id: int
    target: str
    name: str
    url: str
    state: RepoState
    counts: dict[Status, int]
    denied: int
    behind_since: datetime | None
    settled_at: datetime | None
    problems: int
    problem: Problem | None
    left_out: str
    gone_at: datetime | None
    open_proposals: int
    oldest_proposal: RepoProposal | None


def count(connection: Connection, asked: RepoFilter) -> int:
    """How many repos the filter lets through."""
    query = select(func.count()).select_from(REPOS).where(*_conditions(asked))
    return connection.scalar(query) or 0


def page(
    connection: Connection,
    asked: RepoFilter,
    *,
    sort: Sort = "attention",
    offset: int = 0,
    limit: int = 50,
) -> list[ListedRepo]:
    """The repos that the filter lets through.

    `attention` is by state, then those that are behind for longest; `behind` by that alone;
    `waiting` by their oldest open proposal; `scanned` begins with what was looked at longest ago.
    """
    query = select(_C.id).where(*_conditions(asked))
    return _listed_by(connection, _ordered(query, sort).offset(offset).limit(limit))


def after(
    connection: Connection, asked: RepoFilter, last_id: int = 0, limit: int = 1000
) -> list[ListedRepo]:
    """The repos that the filter lets through, in order of their ids above `last_id`."""
    query = select(_C.id).where(*_conditions(asked), _C.id > last_id)
    return _listed_by(connection, query.order_by(_C.id).limit(limit))


def _conditions(asked: RepoFilter) -> list[ColumnElement[bool]]:
    return [
        _HAS.get(asked.status, IS_LIVE),
        is_in(*ATTENTION) if asked.attention else true(),
        func.lower(_C.name).contains(asked.q.lower(), autoescape=True) if asked.q else true(),
        _C.id.in_(_following(asked.image)) if asked.image else true(),
    ]


def _following(image: str) -> Select[int]:
    """The repos with such an image: by way of the images, which are fewer than their places."""
    name = IMAGES.c.registry + "/" + IMAGES.c.repository + ":" + IMAGES.c.tag
    meant = select(IMAGES.c.id).where(func.lower(name).contains(image.lower(), autoescape=True))
    return select(FINDINGS.c.repo_id).where(FINDINGS.c.image_id.in_(meant))


def _ordered(query: Select[int], sort: Sort) -> Select[int]:
    """Both databases are told where rows go that have no such time: they disagree."""
    by_name = (func.lower(_C.name), _C.id)
    behind = (_C.behind_since.is_(None), _C.behind_since)
    if sort == "attention":
        return query.order_by(RANK, *behind, *by_name)
    if sort == "behind":
        return query.order_by(*behind, *by_name)
    if sort == "scanned":
        return query.order_by(_C.settled_at.is_not(None), _C.settled_at, *by_name)
    if sort == "waiting":
        first = (
            select(_P.repo_id, func.min(_P.opened_at).label("opened_at"))
            .where(_P.state == State.OPEN.value)
            .group_by(_P.repo_id)
            .subquery()
        )
        opened = first.c.opened_at
        joined = query.outerjoin(first, first.c.repo_id == _C.id)
        return joined.order_by(opened.is_(None), opened, *by_name)
    return query.order_by(*by_name)


def _listed_by(connection: Connection, query: Select[int]) -> list[ListedRepo]:
    """The repos with these ids, in their order: what is sorted are ids, and no whole rows."""
    ids = connection.execute(query).scalars().all()
    wanted = select(REPOS, RANK.label("rank")).where(_C.id.in_(ids))
    rows = {row["id"]: row for row in connection.execute(wanted).mappings()}
    proposed = _open(connection, ids)
    return [_listed(rows[one], proposed.get(one, ())) for one in ids]


def _open(connection: Connection, repo_ids: Collection[int]) -> dict[int, list[RepoProposal]]:
    """The open proposals of these repos, each time the oldest first."""
    query = (
        select(PROPOSALS)
        .join(REPOS, _P.repo_id == _C.id)
        # Of a repo that is gone, nobody knows what became of those that were open.
        .where(_P.repo_id.in_(repo_ids), _P.state == State.OPEN.value, _C.gone_at.is_(None))
        .order_by(_P.opened_at, _P.id)
    )
    found = defaultdict(list)
    for row in connection.execute(query):
        found[row.repo_id].append(proposal_of(row))
    return found


def _listed(row: RowMapping, proposed: Sequence[RepoProposal]) -> ListedRepo:
    problems = row["problems"]
    return ListedRepo(
        id=row["id"],
        target=row["target"],
        name=row["name"],
        url=row["url"],
        state=state_by(row["rank"]),
        counts={one: row[f"{one.value}_count"] for one in Status},
        denied=row["denied_count"],
        behind_since=row["behind_since"],
        settled_at=row["settled_at"],
        problems=row["problem_count"],
        problem=Problem(**problems[0]) if problems else None,
        left_out=row["left_out"],
        gone_at=row["gone_at"],
        open_proposals=len(proposed),
        oldest_proposal=proposed[0] if proposed else None,
    )
