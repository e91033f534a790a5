"""How it is known who asked for something."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    """Make the column."""
    op.add_column("acts", sa.Column("how", sa.Text(), server_default="", nullable=False))
