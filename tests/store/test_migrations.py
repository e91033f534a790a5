"""The migrations make the tables that the code speaks of."""

from __future__ import annotations

from contextlib import closing

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from digestbot.store.database import Database
from digestbot.store.location import Location
from digestbot.store.tables import METADATA


def test_migrations_and_tables_do_not_differ(connection: Connection) -> None:
    # SQLite tells defaults as they were written, not what they are.
    tells_defaults = connection.dialect.name == "postgresql"
    options = {"compare_type": True, "compare_server_default": tells_defaults}
    context = MigrationContext.configure(connection, opts=options)

    assert compare_metadata(context, METADATA) == []


def test_a_difference_would_be_found(location: Location) -> None:
    with closing(Database.open(location)) as database, database.begin() as connection:
        connection.execute(text("DROP INDEX ix_findings_digest"))
        connection.execute(text("ALTER TABLE runs ADD COLUMN more INTEGER"))

        found = compare_metadata(MigrationContext.configure(connection), METADATA)

    assert [one[0] for one in found] == ["add_index", "remove_column"]


def test_each_table_has_a_primary_key_and_names_for_its_constraints(database: Database) -> None:
    with database.reading() as connection:
        inspector = inspect(connection)
        for name in METADATA.tables:
            assert inspector.get_pk_constraint(name)["name"] == f"pk_{name}"
            for key in inspector.get_foreign_keys(name):
                assert (key["name"] or "").startswith(f"fk_{name}_")
