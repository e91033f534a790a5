"""What the fleet comes to at a glance: short answers, however large it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, exists, func, select

from digestbot.scan.result import Problem
from digestbot.store import ages
from digestbot.store.proposals import State
from digestbot.store.repo_state import IS_LIVE
from digestbot.store.runs import WHOLE, RunState
from digestbot.store.tables import FINDINGS, IMAGES, PROPOSALS, REPOS, RUNS

_I, _P, _F = IMAGES.c, PROPOSALS.c, FINDINGS.c


@dataclass(frozen=True, slots=True)
class WaitingPull:
    """A pull request that is open, of a repo that is worked on."""

    repo_id: int
    repo: str
    repo_url: str
    number: int
    url: str
    title: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class TroubledRepo:
    """A repo in which not everything could be found out or done."""

    id: int
    name: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class LastCycle:
    """The whole cycle that began last."""

    id: str
    state: RunState
    started_at: datetime


def count_followed(connection: Connection) -> int:
    """How many images, on a platform each, live repos have."""
    is_followed = exists().where(_F.image_id == _I.id, ages.is_live())
    return connection.scalar(select(func.count()).where(is_followed)) or 0


def waiting_pulls(connection: Connection, before: datetime, limit: int) -> list[WaitingPull]:
    """The pull requests that were opened before this time and are open, the oldest first."""
    told = (_P.repo_id, REPOS.c.name, REPOS.c.url, _P.number, _P.url, _P.title, _P.opened_at)
    rows = connection.execute(
        select(*told)
        .join(REPOS, _P.repo_id == REPOS.c.id)
        .where(_is_waiting(before), IS_LIVE)
        .order_by(_P.opened_at, _P.id)
        .limit(limit)
    )
    return [WaitingPull(*row) for row in rows]


def count_waiting(connection: Connection, before: datetime) -> int:
    """How many `waiting_pulls` there are."""
    query = select(func.count()).select_from(PROPOSALS).join(REPOS, _P.repo_id == REPOS.c.id)
    return connection.scalar(query.where(_is_waiting(before), IS_LIVE)) or 0


def troubled_repos(connection: Connection, limit: int) -> list[TroubledRepo]:
    """Live repos that failed when they were last worked on, by name."""
    c = REPOS.c
    rows = connection.execute(
        select(c.id, c.name, c.problems)
        .where(IS_LIVE, c.problem_count > 0)
        .order_by(c.name, c.id)
        .limit(limit)
    )
    return [
        TroubledRepo(row.id, row.name, tuple(Problem(**one) for one in row.problems))
        for row in rows
    ]


def last_cycle(connection: Connection) -> LastCycle | None:
    """The whole cycle that began last; None before the first."""
    c = RUNS.c
    query = select(c.id, c.state, c.started_at).where(c.kind == WHOLE)
    row = connection.execute(query.order_by(c.started_at.desc(), c.id).limit(1)).first()
    return None if row is None else LastCycle(row.id, RunState(row.state), row.started_at)


def _is_waiting(before: datetime) -> ColumnElement[bool]:
    return (_P.state == State.OPEN.value) & (_P.number > 0) & (_P.opened_at < before)
