"""Runs migrations on the connection that `digestbot.store.migrating` hands over."""

from __future__ import annotations

from alembic import context

from digestbot.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # SQLite changes a column by copying its table.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
