"""The list of runs, and all that is known of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select, true

from digestbot.scan.result import Problem
from digestbot.store.runs import RunState
from digestbot.store.tables import RUNS

_C = RUNS.c
# What went wrong in a run may be long; lists do without.
_LISTED = (
    _C.id,
    _C.kind,
    _C.state,
    _C.started_at,
    _C.finished_at,
    _C.counts,
    _C.problem_count,
    _C.asked_by,
)


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs; an empty kind is any, and so is no state."""

    kind: str = ""
    state: RunState | None = None


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in the list; `problems` is how many there were, `asked_by` who asked, in words."""

    id: str
    kind: str
    state: RunState
    started_at: datetime
    finished_at: datetime | None
    counts: Mapping[str, int]
    problems: int
    asked_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunDetail:
    """All that is known of a run; `requests` as it was written, None where nobody counted."""

    row: RunRow
    problems: tuple[Problem, ...] = ()
    requests: Mapping[str, Any] | None = field(default=None)


def count(connection: Connection, asked: RunFilter) -> int:
    """How many runs there are."""
    query = select(func.count()).select_from(RUNS).where(_condition(asked))
    return connection.scalar(query) or 0


def page(
    connection: Connection, asked: RunFilter, *, offset: int = 0, limit: int = 50
) -> list[RunRow]:
    """The runs, the newest first."""
    return _listed(connection, _newest_first(asked).offset(offset).limit(limit))


def after(
    connection: Connection, asked: RunFilter, last: RunRow | None = None, limit: int = 1000
) -> list[RunRow]:
    """The runs that come after this one, the newest first."""
    query = _newest_first(asked).limit(limit)
    if last is not None:
        is_older = _C.started_at < last.started_at
        query = query.where(or_(is_older, and_(_C.started_at == last.started_at, _C.id > last.id)))
    return _listed(connection, query)


def one(connection: Connection, run_id: str) -> RunDetail | None:
    """The run with this id."""
    row = connection.execute(select(RUNS).where(_C.id == run_id)).one_or_none()
    if row is None:
        return None
    problems = tuple(Problem(**each) for each in row.problems)
    return RunDetail(_row(row), problems, row.requests)


def last_ended(connection: Connection) -> RunRow | None:
    """The run that came to its end last."""
    query = select(*_LISTED).where(_C.finished_at.is_not(None))
    found = _listed(connection, query.order_by(_C.started_at.desc(), _C.id).limit(1))
    return found[0] if found else None


def _condition(asked: RunFilter) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    if asked.kind:
        conditions.append(_C.kind == asked.kind)
    if asked.state is not None:
        conditions.append(_C.state == asked.state.value)
    return and_(true(), *conditions)


def _newest_first(asked: RunFilter) -> Select[Any]:
    query = select(*_LISTED).where(_condition(asked))
    return query.order_by(_C.started_at.desc(), _C.id)


def _listed(connection: Connection, query: Select[Any]) -> list[RunRow]:
    return [_row(row) for row in connection.execute(query)]


def _row(row: Row[Any]) -> RunRow:
    return RunRow(
        row.id,
        row.kind,
        RunState(row.state),
        row.started_at,
        row.finished_at,
        row.counts,
        row.problem_count,
        tuple(row.asked_by or ()),
    )
