"""The tables. What a change here needs in databases that exist is a migration beside it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """An aware time, kept as UTC; SQLite knows no time zones."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To what the database keeps."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From what the database keeps."""
        return None if value is None else value.replace(tzinfo=UTC)


METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


REPOS = Table(
    "repos",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("target", Text, nullable=False),
    Column("name", Text, nullable=False),
    # As it was listed last.
    _text("url"),
    _text("default_branch"),
    Column("head", Text),
    Column("tree", Text),
    Column("ours", JSON, nullable=False),
    Column("open_pulls", Integer, nullable=False),
    Column("opened", JSON, nullable=False),
    _text("pulse"),
    Column("allows_auto_merge", Boolean, nullable=False),
    Column("deletes_branches", Boolean, nullable=False),
    _text("left_out"),
    _text("left_out_message"),
    Column("listed_run", Text, nullable=False),
    Column("listed_at", Moment, nullable=False),
    Column("gone_at", Moment),
    # As it was worked on last.
    Column("settled_head", Text),
    Column("settled_pulse", Text),
    Column("settled_rules", Text),
    Column("settled_at", Moment),
    Column("due_at", Moment),
    Column("problems", JSON, nullable=False),
    UniqueConstraint("target", "name"),
    Index(None, "due_at"),
)

IMAGES = Table(
    "images",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("registry", Text, nullable=False),
    Column("repository", Text, nullable=False),
    Column("tag", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("digest", Text),
    Column("since", Moment),
    Column("checked_at", Moment),
    Column("failing_since", Moment),
    _text("failing_host"),
    _text("failing_code"),
    _text("failing_message"),
    _text("offer"),
    UniqueConstraint("registry", "repository", "tag", "platform"),
)

SIGHTINGS = Table(
    "sightings",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("image_id", ForeignKey("images.id"), nullable=False),
    Column("digest", Text, nullable=False),
    _text("media_type"),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Index(None, "image_id", "id"),
)

FINDINGS = Table(
    "findings",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("repo_id", ForeignKey("repos.id", ondelete="CASCADE"), nullable=False),
    Column("image_id", ForeignKey("images.id")),
    Column("path", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("column", Integer, nullable=False),
    Column("format", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("written", Text, nullable=False),
    Column("image", Text, nullable=False),
    Column("digest", Text),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("message", Text, nullable=False),
    _text("hint"),
    Column("new_digest", Text),
    Column("until", Moment),
    # What could be proposed for the image when this was found.
    _text("offer"),
    Column("found_at", Moment, nullable=False),
    Index(None, "repo_id"),
    Index(None, "image_id"),
    Index(None, "status"),
    Index(None, "digest"),
)

PROPOSALS = Table(
    "proposals",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("repo_id", ForeignKey("repos.id", ondelete="CASCADE"), nullable=False),
    Column("branch", Text, nullable=False),
    Column("number", Integer, nullable=False),
    _text("url"),
    _text("title"),
    Column("outcome", Text, nullable=False),
    _text("message"),
    Column("state", Text, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("opened_at", Moment),
    Column("ended_at", Moment),
    UniqueConstraint("repo_id", "branch"),
    Index(None, "state"),
    Index(None, "opened_at"),
)

RUNS = Table(
    "runs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("counts", JSON, nullable=False),
    Column("problems", JSON, nullable=False),
    Index(None, "started_at"),
)

SCHEDULES = Table(
    "schedules",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("started_at", Moment, nullable=False),
)

CONDITIONS = Table(
    "conditions",
    METADATA,
    Column("subject", Text, primary_key=True),
    Column("event", Text, nullable=False),
    Column("state", Text, nullable=False),
    _text("message"),
    _text("hint"),
    Column("since", Moment, nullable=False),
    Column("ended_at", Moment),
)

TOLD = Table(
    "told",
    METADATA,
    Column("notifier", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("event", Text, nullable=False),
    Column("state", Text, nullable=False),
    _text("message"),
    _text("hint"),
)
