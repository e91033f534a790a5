"""How a repo, or all of them, stand: what their pins come to, in one row."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from digestbot.store.tables import REPOS

_C = REPOS.c


@dataclass(frozen=True, slots=True)
class Standing:
    """How many pins there are, by what became of them when they were last looked at.

    `repos` is how many repos that is about, `settled` how many of those were looked at.
    """

    repos: int = 0
    settled: int = 0
    current: int = 0
    stale: int = 0
    held: int = 0
    failed: int = 0


def standing(connection: Connection, name: str | None = None) -> Standing:
    """How all live repos stand, or the one of this name; forges disregard its case."""
    is_live = _C.gone_at.is_(None) & (_C.left_out == "")
    counts = (_C.current_count, _C.stale_count, _C.held_count, _C.failed_count)
    query = select(
        func.count(),
        func.count(_C.settled_at),
        *(func.coalesce(func.sum(count), 0) for count in counts),
    ).where(is_live)
    if name is not None:
        query = query.where(func.lower(_C.name) == name.lower())
    return Standing(*connection.execute(query).one())
