"""The topics of repos, by which rollouts choose."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"


def upgrade() -> None:
    """Make the column."""
    op.add_column("repos", sa.Column("topics", sa.JSON(none_as_null=True), nullable=True))
