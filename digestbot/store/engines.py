"""How each of the databases is spoken to."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from digestbot.errors import UsageError
from digestbot.store.errors import StoreError
from digestbot.store.location import Location

_BUSY_S = 30
_BEGIN = "digestbot_begin"
_Options: TypeAlias = Mapping[str, Mapping[str, Any]]
WRITES: Final[_Options] = {"sqlite": {_BEGIN: "BEGIN IMMEDIATE"}, "postgresql": {}}
"""By database, the options of a connection that may write."""
READS: Final[_Options] = {
    "sqlite": {_BEGIN: "BEGIN"},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
"""By database, the options of one that sees the state as it is at one time."""

# A server that is gone without a word is noticed within minutes; the address may say otherwise.
_PATIENCE = {
    "application_name": "digestbot",
    "connect_timeout": "10",
    "keepalives_idle": "60",
    "tcp_user_timeout": "60000",
}


def engine_for(location: Location) -> Engine:
    """What connects to this database; nothing is connected yet.

    Raises:
        StoreError: The address cannot be read.
        UsageError: The driver is not installed.
    """
    return _sqlite(location) if location.folder is not None else _postgresql(location)


def _sqlite(location: Location) -> Engine:
    # As parts: in an address some characters of a path would mean something else.
    url = URL.create("sqlite", database=str(location.file))
    engine = create_engine(url, connect_args={"timeout": _BUSY_S})
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _postgresql(location: Location) -> Engine:
    try:
        url = make_url(location.url).set(drivername="postgresql+psycopg")
        url = url.set(query={**_PATIENCE, **url.query})
    except (ArgumentError, ValueError):
        hint = "write it as postgresql://user@host/database"
        raise StoreError("the address of the database cannot be read", hint=hint) from None
    if location.password:
        url = url.set(password=location.password.reveal())
    try:
        return create_engine(url, pool_pre_ping=True)
    except ImportError as error:
        raise UsageError(
            f"PostgreSQL needs a package that is not installed ({error.name or error})",
            hint="pip install 'digestbot[postgresql]'",
        ) from error


def _set_up(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    # Transactions begin when we say so: the driver's own way would let two writers deadlock.
    connection.isolation_level = None
    for setting in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {setting}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))
