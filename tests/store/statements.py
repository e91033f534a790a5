"""What is asked of a database, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event, text


@contextmanager
def counted(asked: Connection | type[Engine]) -> Iterator[list[str]]:
    """The statements of a connection, or of all there are; a batch of rows is one."""
    seen: list[str] = []

    def note(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(asked, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(asked, "before_cursor_execute", note)


@contextmanager
def planned(connection: Connection) -> Iterator[list[str]]:
    """How the database goes about each query that is made inside, a line for each step."""
    plans: list[str] = []
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"

    def note(_c: Connection, _cursor: object, statement: str, values: Any, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            found = connection.exec_driver_sql(f"{explain} {statement}", values)
            plans.extend(str(row[-1]) for row in found)

    if connection.dialect.name == "postgresql":
        # A small table is read as a whole, index or not; it is about large ones.
        connection.execute(text("SET LOCAL enable_seqscan = off"))
    event.listen(connection, "before_cursor_execute", note)
    try:
        yield plans
    finally:
        event.remove(connection, "before_cursor_execute", note)
