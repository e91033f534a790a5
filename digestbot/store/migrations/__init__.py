"""What Alembic runs; see `digestbot.store.migrating`."""
