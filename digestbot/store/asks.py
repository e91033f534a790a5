"""The repos that people asked to have worked on, although nothing may have moved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, func, select, update

from digestbot.store.tables import REPOS

MOST_NAMES = 100
"""So many repos are listed one by one; of more, a whole list is better."""
_C = REPOS.c
_PROPOSE = "propose"
_IS_LIVE = _C.gone_at.is_(None) & (_C.left_out == "")


@dataclass(frozen=True, slots=True)
class Asked:
    """What people asked of a repo.

    Attributes:
        waived_at: What was seen by then has been seen long enough; None waives nothing.
        is_to_propose: Whether it was not worked on since somebody asked it to propose.
    """

    waived_at: datetime | None = None
    is_to_propose: bool = False


def is_named(name: str) -> ColumnElement[bool]:
    """Whether a repo is of this name; forges disregard its case."""
    return func.lower(_C.name) == name.lower()


def look(connection: Connection, which: ColumnElement[bool], now: datetime) -> int:
    """Have these repos be worked on, whatever was asked of them before; how many that are."""
    return _ask(connection, which, {"asked_at": now})


def propose(connection: Connection, which: ColumnElement[bool], now: datetime) -> int:
    """Have these repos propose what was seen by now; how many that are."""
    values = {"asked_at": now, "asked_for": _PROPOSE, "waived_at": now}
    return _ask(connection, which, values)


def asked_of(connection: Connection, name: str) -> Asked:
    """What people asked of a repo."""
    query = select(_C.waived_at, _C.asked_for).where(_IS_LIVE, is_named(name))
    rows = connection.execute(query).all()
    waived = max((row.waived_at for row in rows if row.waived_at), default=None)
    return Asked(waived, any(row.asked_for == _PROPOSE for row in rows))


def any_waits(connection: Connection) -> bool:
    """Whether somebody asked for a repo that was not worked on since."""
    query = select(exists().where(_IS_LIVE, _C.asked_at.is_not(None)))
    return bool(connection.execute(query).scalar())


def names(connection: Connection, limit: int = MOST_NAMES) -> frozenset[str]:
    """The names of the repos that wait, of so many of them."""
    is_waiting = _IS_LIVE & _C.asked_at.is_not(None)
    query = select(_C.name).where(is_waiting).order_by(_C.id).limit(limit)
    return frozenset(connection.execute(query).scalars())


def live_name(connection: Connection, name: str) -> str | None:
    """How a repo that is worked on writes its name; None where there is none of it."""
    return connection.execute(select(_C.name).where(_IS_LIVE, is_named(name)).limit(1)).scalar()


def _ask(connection: Connection, which: ColumnElement[bool], values: dict[str, Any]) -> int:
    return connection.execute(update(REPOS).where(_IS_LIVE, which).values(values)).rowcount
