"""Bringing the tables of a database up to date, by Alembic."""

from __future__ import annotations

from collections.abc import Iterator

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from digestbot.store.errors import NewerError


def migrate(connection: Connection) -> None:
    """Do what is to be done; the transaction is the caller's.

    Raises:
        NewerError: The database knows a revision that this program does not.
    """
    _check_known(revision_of(connection))
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def revision_of(connection: Connection) -> str:
    """The revision of the tables; empty where there are none."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def undone(connection: Connection) -> Iterator[str]:
    """What a database lacks, as sentences."""
    head, found = _scripts().get_current_head(), revision_of(connection)
    if found != head:
        yield f"its tables are of revision {found or 'none'}, and should be of {head}"


def _check_known(revision: str) -> None:
    known = {script.revision for script in _scripts().walk_revisions()}
    if revision and revision not in known:
        raise NewerError(
            f"the state was written by a newer digestbot (its tables are of revision {revision})",
            hint="run that version, or go back to a backup from before",
        )


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "digestbot.store:migrations")
    config.set_main_option("path_separator", "os")
    return config
