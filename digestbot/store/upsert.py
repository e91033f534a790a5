"""Insert, or update where a row with that key is there; both databases have the same words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

_Insert = Callable[[Table], sqlite.Insert | postgresql.Insert]
_INSERT: dict[str, _Insert] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    key: Sequence[str],
    keeps: Collection[str] = (),
) -> None:
    """Write rows that all have the same columns.

    `key` are the columns that say which row is meant; what a row that is there has in the
    columns of `keeps` stays as it is.
    """
    insert = _INSERT[connection.dialect.name](table)
    changed = {
        name: insert.excluded[name] for name in rows[0] if name not in key and name not in keeps
    }
    if changed:
        statement = insert.on_conflict_do_update(index_elements=list(key), set_=changed)
    else:
        statement = insert.on_conflict_do_nothing(index_elements=list(key))
    connection.execute(statement, list(rows))
