"""Who looks after the files, by whom rollouts choose."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision: str | None = "0007"


def upgrade() -> None:
    """Make the column."""
    op.add_column("findings", sa.Column("owners", sa.Text(), server_default="", nullable=False))
