"""The tables. What a change here needs in databases that exist is a migration beside it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """An aware time, kept as UTC; SQLite knows no time zones."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To what the database keeps."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"{value} does not know its time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From what the database keeps."""
        return None if value is None else value.replace(tzinfo=UTC)


class Words(TypeDecorator[str]):
    """Text from anywhere: what not every database can keep becomes a question mark."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """To what the database keeps: no NUL, and nothing that UTF-8 cannot say."""
        if value is None:
            return None
        return value.encode("utf-8", "replace").decode().replace("\0", "?")


METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str) -> Column[str]:
    return Column(name, Words, nullable=False, server_default="")


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0")


def _index_of(condition: str, *names: str) -> Index:
    """An index of those rows alone that meet a condition."""
    meets = text(condition)
    return Index(None, *names, sqlite_where=meets, postgresql_where=meets)


REPOS = Table(
    "repos",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("target", Words, nullable=False),
    Column("name", Words, nullable=False),
    # As it was listed last.
    _text("url"),
    _text("default_branch"),
    Column("head", Words),
    Column("tree", Words),
    Column("ours", JSON, nullable=False),
    Column("open_pulls", Integer, nullable=False),
    Column("opened", JSON, nullable=False),
    _text("pulse"),
    Column("allows_auto_merge", Boolean, nullable=False),
    Column("deletes_branches", Boolean, nullable=False),
    # Nothing where it was not listed since there is such a column.
    Column("topics", JSON(none_as_null=True)),
    _text("left_out"),
    _text("left_out_message"),
    Column("listed_run", Words, nullable=False),
    Column("listed_at", Moment, nullable=False),
    Column("gone_at", Moment),
    # As it was worked on last.
    Column("settled_head", Words),
    Column("settled_pulse", Words),
    Column("settled_rules", Words),
    Column("settled_at", Moment),
    Column("due_at", Moment),
    # What people asked for: when, and `look` or `propose`; until it was worked on.
    Column("asked_at", Moment),
    _text("asked_for"),
    # What was seen by then has been seen long enough.
    Column("waived_at", Moment),
    Column("problems", JSON, nullable=False),
    _count("problem_count"),
    # What its findings come to, written with them: lists are ordered by it.
    _count("current_count"),
    _count("stale_count"),
    _count("held_count"),
    _count("failed_count"),
    _count("unpinned_count"),
    _count("skipped_count"),
    _count("denied_count"),
    Column("behind_since", Moment),
    UniqueConstraint("target", "name"),
    # Pages of a target are read in order of their ids.
    Index(None, "target", "id"),
    Index(None, "due_at"),
    # Of few repos, and looked for among all.
    _index_of("left_out > ''", "left_out", "id"),
    _index_of("gone_at IS NOT NULL", "gone_at"),
    _index_of("problem_count > 0", "problem_count"),
)

IMAGES = Table(
    "images",
    METADATA,
    Column("id", Integer, primary_key=True),
    # A hash of the next four: what a repo names may be longer than an index takes.
    Column("key", Words, nullable=False),
    Column("registry", Words, nullable=False),
    Column("repository", Words, nullable=False),
    Column("tag", Words, nullable=False),
    Column("platform", Words, nullable=False),
    Column("digest", Words),
    Column("since", Moment),
    Column("checked_at", Moment),
    Column("failing_since", Moment),
    _text("failing_host"),
    _text("failing_code"),
    _text("failing_message"),
    _text("offer"),
    UniqueConstraint("key"),
)

SIGHTINGS = Table(
    "sightings",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("image_id", ForeignKey("images.id"), nullable=False),
    Column("digest", Words, nullable=False),
    _text("media_type"),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Index(None, "image_id", "id"),
    Index(None, "image_id", "digest", "id"),
    Index(None, "first_seen"),
)

FINDINGS = Table(
    "findings",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("repo_id", ForeignKey("repos.id", ondelete="CASCADE"), nullable=False),
    Column("image_id", ForeignKey("images.id")),
    Column("path", Words, nullable=False),
    Column("line", Integer, nullable=False),
    Column("column", Integer, nullable=False),
    Column("format", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("written", Words, nullable=False),
    Column("image", Words, nullable=False),
    Column("digest", Words),
    Column("status", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("message", Words, nullable=False),
    _text("hint"),
    Column("new_digest", Words),
    Column("until", Moment),
    # What could be proposed for the image when this was found.
    _text("offer"),
    # Who looks after the file, a space between any two of them.
    _text("owners"),
    Column("found_at", Moment, nullable=False),
    Index(None, "repo_id"),
    # Enough to sum up each image, and in this order: who follows it is counted as it is read.
    Index(None, "image_id", "repo_id", "status"),
    # Enough to sum up who is behind, and with what, without a look at the rows.
    Index(None, "status", "image_id", "digest", "repo_id"),
    Index(None, "digest"),
)

PROPOSALS = Table(
    "proposals",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("repo_id", ForeignKey("repos.id", ondelete="CASCADE"), nullable=False),
    Column("branch", Words, nullable=False),
    Column("number", Integer, nullable=False),
    _text("url"),
    _text("title"),
    Column("outcome", Words, nullable=False),
    _text("message"),
    Column("state", Words, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("opened_at", Moment),
    Column("ended_at", Moment),
    UniqueConstraint("repo_id", "branch"),
    # Enough to say which wait for longest, and how many do.
    Index(None, "state", "opened_at", "number", "repo_id"),
    Index(None, "opened_at"),
    Index(None, "ended_at"),
)

RUNS = Table(
    "runs",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("counts", JSON, nullable=False),
    Column("problems", JSON, nullable=False),
    _count("problem_count"),
    Column("requests", JSON),
    # Nothing for runs from before this was written down.
    Column("asked_by", JSON),
    Index(None, "started_at"),
    Index(None, "kind", "state", "started_at"),
)

TALLIES = Table(
    "tallies",
    METADATA,
    # Hours since the epoch: one row for each.
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("current", Integer, nullable=False),
    Column("stale", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("unpinned", Integer, nullable=False),
    Column("p50_s", Integer),
    Column("p90_s", Integer),
)

SCHEDULES = Table(
    "schedules",
    METADATA,
    Column("key", Words, primary_key=True),
    Column("started_at", Moment, nullable=False),
)

CONDITIONS = Table(
    "conditions",
    METADATA,
    Column("subject", Words, primary_key=True),
    Column("event", Words, nullable=False),
    Column("state", Words, nullable=False),
    _text("message"),
    _text("hint"),
    Column("since", Moment, nullable=False),
    Column("ended_at", Moment),
)

IGNORES = Table(
    "ignores",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("image", Words, nullable=False),
    # Empty is all of them.
    Column("repo", Words, nullable=False),
    Column("until", Date, nullable=False),
    Column("reason", Words, nullable=False),
    Column("who", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("ended_at", Moment),
    Index(None, "repo"),
)

ACTS = Table(
    "acts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("who", Words, nullable=False),
    Column("how", Words, nullable=False, server_default=""),
    Column("what", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("result", Words, nullable=False),
    Index(None, "at"),
)

ROLLOUTS = Table(
    "rollouts",
    METADATA,
    Column("id", Words, primary_key=True),
    # All of it, as the contract writes it.
    Column("plan", Text, nullable=False),
    Column("image", Words, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("by", Words, nullable=False),
    # Where its events lead.
    Column("state", Words, nullable=False),
    Column("pace_share", Float, nullable=False),
    Column("pace_since", Moment),
    Column("issue", Integer, nullable=False, server_default="0"),
    Column("is_settled", Boolean, nullable=False, server_default=false()),
    Index(None, "made_at"),
)

ROLLOUT_EVENTS = Table(
    "rollout_events",
    METADATA,
    Column("rollout_id", ForeignKey("rollouts.id", ondelete="CASCADE"), primary_key=True),
    # Two who have something happen at once cannot have the same number.
    Column("number", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("verb", Words, nullable=False),
    Column("by", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("repo", Words, nullable=False),
    Column("evidence", JSON(none_as_null=True)),
)

ROLLOUT_TARGETS = Table(
    "rollout_targets",
    METADATA,
    Column("rollout_id", ForeignKey("rollouts.id", ondelete="CASCADE"), primary_key=True),
    Column("repo", Words, primary_key=True),
    # Whether it is about the way back.
    Column("is_back", Boolean, primary_key=True),
    Column("wave", Integer, nullable=False),
    Column("state", Words, nullable=False),
    Column("why", Words, nullable=False),
    Column("number", Integer, nullable=False),
    Column("url", Words, nullable=False),
    Column("failing", JSON, nullable=False),
    Column("is_adopted", Boolean, nullable=False),
    Column("opened_at", Moment),
    Column("ended_at", Moment),
)

ROLLOUT_DEEDS = Table(
    "rollout_deeds",
    METADATA,
    Column("rollout_id", ForeignKey("rollouts.id", ondelete="CASCADE"), primary_key=True),
    Column("repo", Words, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("deed", Words, primary_key=True),
    Column("at", Moment, nullable=False),
)

TOLD = Table(
    "told",
    METADATA,
    Column("notifier", Words, primary_key=True),
    Column("subject", Words, primary_key=True),
    Column("event", Words, nullable=False),
    Column("state", Words, nullable=False),
    _text("message"),
    _text("hint"),
)
