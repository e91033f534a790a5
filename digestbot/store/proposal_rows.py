"""The proposals of all repos, a piece at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select

from digestbot.store.proposals import State
from digestbot.store.tables import PROPOSALS, REPOS

_C = PROPOSALS.c


@dataclass(frozen=True, slots=True)
class ProposalFilter:
    """Which proposals; `q` is part of the repo's name, `repo` its id, 0 for any."""

    q: str = ""
    state: State | None = None
    repo: int = 0


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """A proposal, and where it is; `number` is 0 and `url` empty without pull request."""

    id: int
    repo_id: int
    repo: str
    branch: str
    number: int
    url: str
    title: str
    state: State
    outcome: str
    message: str
    opened_at: datetime | None
    seen_at: datetime
    ended_at: datetime | None


def after(
    connection: Connection, asked: ProposalFilter, last_id: int = 0, limit: int = 1000
) -> list[ProposalRow]:
    """The proposals, in order of their ids above `last_id`."""
    query = (
        select(PROPOSALS, REPOS.c.name.label("repo"))
        .join(REPOS, _C.repo_id == REPOS.c.id)
        .where(_C.id > last_id, *_conditions(asked))
        .order_by(_C.id)
        .limit(limit)
    )
    return [
        ProposalRow(
            id=row.id,
            repo_id=row.repo_id,
            repo=row.repo,
            branch=row.branch,
            number=row.number,
            url=row.url,
            title=row.title,
            state=State(row.state),
            outcome=row.outcome,
            message=row.message,
            opened_at=row.opened_at,
            seen_at=row.seen_at,
            ended_at=row.ended_at,
        )
        for row in connection.execute(query)
    ]


def _conditions(asked: ProposalFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if asked.q:
        name = func.lower(REPOS.c.name)
        conditions.append(name.contains(asked.q.lower(), autoescape=True))
    if asked.state is not None:
        conditions.append(_C.state == asked.state.value)
    if asked.repo:
        conditions.append(_C.repo_id == asked.repo)
    return conditions
