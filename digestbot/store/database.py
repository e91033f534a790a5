"""The database behind the state: opened, migrated, used by one process at a time."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from digestbot.errors import UsageError
from digestbot.store.errors import BusyError, StoreError
from digestbot.store.location import Location
from digestbot.store.migrating import migrate, revision_of, undone

_BUSY_S = 30
# What PostgreSQL knows our locks by.
_ALONE, _MIGRATING = 0x64696765, 0x73746264
_BEGIN = "digestbot_begin"


class Database:
    """Transactions on the state; safe to use from many threads. Close it in the end."""

    def __init__(self, location: Location, engine: Engine) -> None:
        self.location = location
        self._engine = engine

    @classmethod
    def open(cls, location: Location, *, must_exist: bool = False) -> Self:
        """Connect, and bring the tables up to date.

        Raises:
            StoreError: It cannot be reached or made, or is newer than this program.
            UsageError: The driver is not installed.
        """
        if location.folder is not None:
            _prepare(location.folder, must_exist=must_exist)
        database = cls(location, _engine(location))
        try:
            with database._migrating():
                migrate(database._engine)
        except SQLAlchemyError as error:
            database.close()
            raise _explained(error, location) from None
        except StoreError:
            database.close()
            raise
        return database

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction that may write: all of it happens, or nothing.

        Raises:
            StoreError: The database refuses.
        """
        with self._connected("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One view of the state, as it is at one time.

        Raises:
            StoreError: The database refuses.
        """
        with self._connected("BEGIN") as connection:
            yield connection

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the one process that works with this state; its end, however it comes, frees it.

        Raises:
            BusyError: There is one already.
        """
        with ExitStack() as stack:
            if self.location.folder is not None:
                is_alone = stack.enter_context(_locked(self.location.folder / "lock"))
            else:
                is_alone = stack.enter_context(self._advised(_ALONE))
            if not is_alone:
                raise BusyError(
                    f"another digestbot works with the state in {self.location}",
                    hint="one `serve` or `run` at a time; wait for it, or end it",
                )
            yield

    @property
    def revision(self) -> str:
        """The version of the tables."""
        with self.reading() as connection:
            return revision_of(connection)

    def backup(self, path: Path) -> None:
        """Write a copy of an SQLite state, whole or not at all, while others go on using it.

        Raises:
            StoreError: It cannot be written, or the state is in PostgreSQL.
        """
        if self.location.file is None:
            raise StoreError(
                "the state is in PostgreSQL, which has its own backups", hint="use pg_dump"
            )
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with (
                closing(sqlite3.connect(self.location.file)) as source,
                closing(sqlite3.connect(temporary)) as target,
            ):
                source.backup(target)
                (verdict,) = target.execute("PRAGMA integrity_check").fetchone()
            if verdict != "ok":
                raise StoreError(f"the copy is damaged: {verdict}", hint="digestbot db check")
            temporary.replace(path)
        except (OSError, sqlite3.Error) as error:
            message = f"cannot write the backup {path}: {error}"
            raise StoreError(message, hint="see to the folder and its space") from error
        finally:
            temporary.unlink(missing_ok=True)

    def check(self) -> tuple[str, ...]:
        """What is wrong with the state, as sentences; nothing where all is well.

        Raises:
            StoreError: It cannot even be read.
        """
        found: list[str] = []
        with self.reading() as connection:
            if self.location.file is not None:
                rows = connection.execute(text("PRAGMA integrity_check")).scalars()
                found += (str(row) for row in rows if row != "ok")
                orphans = connection.execute(text("PRAGMA foreign_key_check")).all()
                found += (f"a row of {row[0]} belongs to nothing" for row in orphans)
            found += undone(connection)
        return tuple(found)

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    @contextmanager
    def _connected(self, begin: str) -> Iterator[Connection]:
        try:
            with (
                self._engine.connect().execution_options(**{_BEGIN: begin}) as connection,
                connection.begin(),
            ):
                yield connection
        except SQLAlchemyError as error:
            raise _explained(error, self.location) from error

    @contextmanager
    def _migrating(self) -> Iterator[None]:
        if self.location.folder is not None:
            with _locked(self.location.folder / "lock.migrate", waits=True):
                yield
        else:
            with self._advised(_MIGRATING, waits=True):
                yield

    @contextmanager
    def _advised(self, key: int, *, waits: bool = False) -> Iterator[bool]:
        """Hold a lock of PostgreSQL on a connection of its own, with which it ends."""
        engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            take = "pg_advisory_lock" if waits else "pg_try_advisory_lock"
            taken = connection.execute(text(f"SELECT {take}(:key)"), {"key": key}).scalar()
            try:
                yield taken is not False
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})


def _engine(location: Location) -> Engine:
    if location.folder is not None:
        engine = create_engine(f"sqlite:///{location.file}", connect_args={"timeout": _BUSY_S})
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
        return engine
    url = make_url(location.url).set(drivername="postgresql+psycopg")
    if location.password:
        url = url.set(password=location.password.reveal())
    try:
        return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    except ModuleNotFoundError as error:
        raise UsageError(
            f"PostgreSQL needs a package that is not installed ({error.name})",
            hint="pip install 'digestbot[postgresql]'",
        ) from error


def _set_up(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    # Transactions begin when we say so: the driver's own way would let two writers deadlock.
    connection.isolation_level = None
    for setting in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {setting}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN IMMEDIATE"))


def _prepare(folder: Path, *, must_exist: bool) -> None:
    hint = "name a folder on a local disk that may be written, with `state: {folder: …}`"
    if must_exist and not folder.is_dir():
        raise StoreError(f"there is no state in {folder}", hint="digestbot run makes one")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make {folder}: {error.strerror}", hint=hint) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StoreError(f"the folder {folder} may not be written", hint=hint)


@contextmanager
def _locked(path: Path, *, waits: bool = False) -> Iterator[bool]:
    """Hold the lock of a file; whether it was free. The system frees it when a process ends."""
    try:
        with path.open("wb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            yield True
    except OSError as error:
        raise StoreError(f"cannot lock {path}: {error.strerror}") from error


def _explained(error: SQLAlchemyError, location: Location) -> StoreError:
    """Without the statement, its values and the address: any of them may be secret."""
    said = str(error.orig) if isinstance(error, DBAPIError) and error.orig else str(error)
    if location.password:
        said = said.replace(location.password.reveal(), "***")
    first = next(iter(said.strip().splitlines()), type(error).__name__)
    hint = "see that there is room, and that nobody else keeps it locked; digestbot db check"
    if location.folder is None:
        hint = "see that the database runs, and that user and password are right"
    return StoreError(f"the state in {location}: {first}", hint=hint)
