"""What the dashboard shows: freshness over time, what each repo comes to, what runs asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"

_FINDINGS = sa.table("findings", *map(sa.column, ("repo_id", "status", "reason")))
_COUNTED = {
    "current_count": _FINDINGS.c.status == "current",
    "stale_count": _FINDINGS.c.status == "stale",
    "held_count": _FINDINGS.c.status == "held",
    "failed_count": _FINDINGS.c.status == "failed",
    "unpinned_count": _FINDINGS.c.status == "unpinned",
    "skipped_count": _FINDINGS.c.status == "skipped",
    "denied_count": _FINDINGS.c.reason == "denied-pinned",
}
_SHARED = ("id", "problems", "problem_count")
_REPOS = sa.table("repos", *map(sa.column, (*_SHARED, *_COUNTED)))
_RUNS = sa.table("runs", *map(sa.column, _SHARED))


def upgrade() -> None:
    """Make the table, the columns and the indexes, and count what is there."""
    op.create_table(
        "tallies",
        sa.Column("hour", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("current", sa.Integer(), nullable=False),
        sa.Column("stale", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("unpinned", sa.Integer(), nullable=False),
        sa.Column("p50_s", sa.Integer(), nullable=True),
        sa.Column("p90_s", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("hour", name="pk_tallies"),
    )
    for name in (*_COUNTED, "problem_count"):
        op.add_column("repos", _count(name))
    op.add_column("repos", sa.Column("behind_since", sa.DateTime(), nullable=True))
    op.add_column("runs", _count("problem_count"))
    op.add_column("runs", sa.Column("requests", sa.JSON(), nullable=True))
    op.create_index("ix_repos_left_out_id", "repos", ["left_out", "id"])
    # It begins with the status, too.
    op.drop_index("ix_findings_status", "findings")
    op.create_index(
        "ix_findings_status_image_id_digest_repo_id",
        "findings",
        ["status", "image_id", "digest", "repo_id"],
    )
    op.create_index("ix_sightings_image_id_digest_id", "sightings", ["image_id", "digest", "id"])
    op.create_index("ix_sightings_first_seen", "sightings", ["first_seen"])
    op.create_index("ix_runs_kind_state_started_at", "runs", ["kind", "state", "started_at"])
    op.create_index("ix_proposals_ended_at", "proposals", ["ended_at"])
    _count_all()


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default="0", nullable=False)


def _count_all() -> None:
    for name, condition in _COUNTED.items():
        found = sa.select(sa.func.count()).where(_FINDINGS.c.repo_id == _REPOS.c.id, condition)
        op.execute(sa.update(_REPOS).values({name: found.scalar_subquery()}))
    for table in (_REPOS, _RUNS):
        number = sa.func.json_array_length(table.c.problems)
        op.execute(sa.update(table).values(problem_count=number))
    # Since the sighting after the last one of what is pinned; else since the first there is.
    op.execute(
        "UPDATE repos SET behind_since = ("
        "SELECT min(later.first_seen) FROM findings "
        "JOIN sightings later ON later.image_id = findings.image_id "
        "WHERE findings.repo_id = repos.id AND findings.status IN ('stale', 'held') "
        "AND findings.digest IS NOT NULL AND later.id > coalesce("
        "(SELECT max(pinned.id) FROM sightings pinned WHERE pinned.image_id = findings.image_id "
        "AND pinned.digest = findings.digest), 0))"
    )
