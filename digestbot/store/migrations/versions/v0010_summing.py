"""Indexes from which the sums of the dashboard are read without a look at the rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision: str | None = "0009"


def upgrade() -> None:
    """Make them, some of them in place of narrower ones."""
    op.drop_index("ix_findings_image_id", "findings")
    op.create_index(
        "ix_findings_image_id_repo_id_status", "findings", ["image_id", "repo_id", "status"]
    )
    op.drop_index("ix_proposals_state", "proposals")
    op.create_index(
        "ix_proposals_state_opened_at_number_repo_id",
        "proposals",
        ["state", "opened_at", "number", "repo_id"],
    )
    op.drop_index("ix_repos_left_out_id", "repos")
    _create_index_of("repos", "left_out > ''", "left_out", "id")
    _create_index_of("repos", "gone_at IS NOT NULL", "gone_at")
    _create_index_of("repos", "problem_count > 0", "problem_count")


def _create_index_of(table: str, condition: str, *names: str) -> None:
    meets, name = sa.text(condition), "_".join(("ix", table, *names))
    op.create_index(name, table, list(names), sqlite_where=meets, postgresql_where=meets)
