"""Who asked for what, and what came of it: added to, and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select

from digestbot.store.tables import ACTS

KEPT = timedelta(days=2 * 365)
"""For so long they are kept."""
_C = ACTS.c


@dataclass(frozen=True, slots=True)
class ActRow:
    """One of them: `how` it is known who it was; the `result` is `asked`, or why it was refused."""

    id: int
    at: datetime
    who: str
    how: str
    what: str
    subject: str
    result: str


@dataclass(frozen=True, slots=True)
class Lately:
    """How many there were within some time: of one person, over all, and of one kind."""

    own: int
    all: int
    same: int


def note(
    connection: Connection,
    who: str,
    what: str,
    subject: str,
    result: str,
    now: datetime,
    how: str = "",
) -> None:
    """Write one down; forget the oldest."""
    row = {"at": now, "who": who, "how": how, "what": what, "subject": subject, "result": result}
    connection.execute(insert(ACTS).values(**row))
    connection.execute(delete(ACTS).where(_C.at < now - KEPT))


def lately(connection: Connection, since: datetime, *, who: str, what: str, subject: str) -> Lately:
    """How many there were after this time; the kind is what was asked, and on what."""
    own = func.count().filter(_C.who == who)
    same = func.count().filter(_C.what == what, _C.subject == subject)
    query = select(own, func.count(), same).select_from(ACTS).where(_C.at > since)
    return Lately(*connection.execute(query).one())


def newest(connection: Connection, *, offset: int = 0, limit: int = 50) -> list[ActRow]:
    """The last ones, the newest first."""
    query = select(ACTS).order_by(_C.at.desc(), _C.id.desc()).offset(offset).limit(limit)
    return [
        ActRow(row.id, row.at, row.who, row.how, row.what, row.subject, row.result)
        for row in connection.execute(query)
    ]


def count(connection: Connection) -> int:
    """How many there are."""
    return connection.execute(select(func.count()).select_from(ACTS)).scalar_one()
