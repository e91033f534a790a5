"""The database behind the state: opened, migrated, used by one process at a time."""

from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from digestbot.store.engines import READS, WRITES, engine_for
from digestbot.store.errors import BusyError, NoStateError, StoreError
from digestbot.store.explaining import explained
from digestbot.store.location import Location
from digestbot.store.migrating import migrate, revision_of, undone

# What PostgreSQL knows our locks by.
_ALONE, _MIGRATING = 0x64696765, 0x73746264


class Database:
    """Transactions on the state; safe to use from many threads. Close it in the end."""

    def __init__(self, location: Location, engine: Engine) -> None:
        self.location = location
        self._engine = engine

    @classmethod
    def open(cls, location: Location, *, must_exist: bool = False) -> Self:
        """Connect, and bring the tables up to date.

        Where it `must_exist`, nothing is made that is not there.

        Raises:
            StoreError: It cannot be reached or made, or is newer than this program.
            UsageError: The driver is not installed.
        """
        if location.folder is not None:
            _prepare(location.folder, location.file, must_exist=must_exist)
        database = cls(location, engine_for(location))
        try:
            database._update(must_exist=must_exist)
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
        with self._connected(WRITES) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One view of the state, as it is at one time.

        Raises:
            StoreError: The database refuses.
        """
        with self._connected(READS) as connection:
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
        if path.resolve() == self.location.file.resolve():
            raise StoreError(f"{path} is the state itself", hint="name another file")
        # Of a name that nobody guesses: others may write in that folder, and links lead elsewhere.
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            _private_file(temporary, os.O_EXCL).close()
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

    def _update(self, *, must_exist: bool) -> None:
        with self._migrating():
            with self.reading() as connection:
                found, is_behind = revision_of(connection), any(undone(connection))
            if must_exist and not found:
                raise _nothing_in(str(self.location))
            # Who only looks need not wait for those who write.
            if is_behind:
                with self.begin() as connection:
                    migrate(connection)

    @contextmanager
    def _connected(self, options: Mapping[str, Mapping[str, Any]]) -> Iterator[Connection]:
        chosen = options[self._engine.dialect.name]
        try:
            with (
                self._engine.connect().execution_options(**chosen) as connection,
                connection.begin(),
            ):
                yield connection
        except SQLAlchemyError as error:
            raise explained(error, self.location) from None

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
        take = "pg_advisory_lock" if waits else "pg_try_advisory_lock"
        engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with ExitStack() as stack:
            try:
                connection = stack.enter_context(engine.connect())
                taken = connection.scalar(text(f"SELECT {take}(:key)"), {"key": key}) is not False
            except SQLAlchemyError as error:
                raise explained(error, self.location) from None
            try:
                yield taken
            finally:
                # Where the connection is lost, so is the lock.
                with suppress(SQLAlchemyError):
                    if taken:
                        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})


def _prepare(folder: Path, file: Path | None, *, must_exist: bool) -> None:
    hint = "name a folder on a local disk that may be written, with `state: {folder: …}`"
    if must_exist and not (file and file.is_file()):
        raise _nothing_in(str(folder))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make {folder}: {error.strerror}", hint=hint) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StoreError(f"the folder {folder} may not be written", hint=hint)
    if file is not None:
        try:
            _private_file(file).close()
        except OSError as error:
            raise StoreError(f"cannot open {file}: {error.strerror}", hint=hint) from error


def _private_file(path: Path, flags: int = 0) -> FileIO:
    """A file that is made where there is none: for this user alone, as it tells of private repos.

    What it holds is left, and no link is followed: where others may write to the folder, it
    could lead to any file of this user.
    """
    return FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | flags, 0o600), "r+")


def _nothing_in(place: str) -> NoStateError:
    return NoStateError(f"there is no state in {place}", hint="digestbot run makes one")


@contextmanager
def _locked(path: Path, *, waits: bool = False) -> Iterator[bool]:
    """Hold the lock of a file; whether it was free. The system frees it when a process ends."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(_private_file(path))
            fcntl.flock(file, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
            is_free = True
        except BlockingIOError:
            is_free = False
        except OSError as error:
            message = f"cannot lock {path}: {error.strerror}"
            raise StoreError(message, hint="name a folder on a local disk") from error
        yield is_free
