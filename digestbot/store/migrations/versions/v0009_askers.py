"""Who asked for a run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0008"


def upgrade() -> None:
    """Make the column."""
    op.add_column("runs", sa.Column("asked_by", sa.JSON(), nullable=True))
