"""What was found in each repo when it was worked on last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update

from digestbot.image import Digest
from digestbot.policy.finding import DENIED_PINNED, Finding, Status
from digestbot.policy.judge import followed_tag
from digestbot.registry.resolution import Query
from digestbot.store import ages, images
from digestbot.store.tables import FINDINGS, IMAGES, REPOS

_C = FINDINGS.c
# Done for each repo that is worked on: what is put together once is compiled once.
_FORGET = delete(FINDINGS).where(_C.repo_id == bindparam("repo"))
_COUNT = update(REPOS).where(REPOS.c.id == bindparam("repo"))
_BEHIND_SINCE = select(func.min(ages.behind_since(_C.image_id, _C.digest))).where(
    _C.repo_id == bindparam("repo"), _C.status.in_(ages.BEHIND), _C.digest.is_not(None)
)


@dataclass(frozen=True, slots=True)
class StoredFinding:
    """A finding as the state has it; `image` has its tag, and its platform where it has one."""

    repo: str
    path: str
    line: int
    image: str
    digest: str | None
    status: Status
    reason: str
    message: str
    hint: str
    new_digest: str | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Freshness:
    """Of all pins that are followed: how many are what their tag has now, and how many are not.

    `oldest_stale_since` is since when the tag of the oldest stale pin has its digest.
    """

    current: int = 0
    stale: int = 0
    held: int = 0
    oldest_stale_since: datetime | None = None

    @property
    def ratio(self) -> float | None:
        """The share of current pins; None without any."""
        total = self.current + self.stale + self.held
        return self.current / total if total else None


def replace(
    connection: Connection, repo_id: int, findings: Iterable[Finding], now: datetime
) -> None:
    """Keep these findings of a repo in place of all earlier ones."""
    connection.execute(_FORGET, {"repo": repo_id})
    found = [(finding, _query(finding)) for finding in findings]
    # In one order for all, so that two who both make images never wait for each other.
    queries = sorted({query for _, query in found if query is not None}, key=str)
    offers = {query: images.known(connection, query) for query in queries}
    rows = [_row(finding, query, offers) for finding, query in found]
    if rows:
        shared = {"repo_id": repo_id, "found_at": now}
        connection.execute(insert(FINDINGS), [{**row, **shared} for row in rows])
    _count(connection, repo_id, [finding for finding, _ in found])


def counts(connection: Connection) -> dict[Status, int]:
    """How many findings have each status."""
    rows = connection.execute(
        select(_C.status, func.count().label("number"))
        .join(REPOS, _C.repo_id == REPOS.c.id)
        .where(REPOS.c.left_out == "")
        .group_by(_C.status)
    )
    found = {row.status: row.number for row in rows}
    return {status: found.get(status.value, 0) for status in Status}


def held(connection: Connection, limit: int = 100) -> list[StoredFinding]:
    """Those that policy holds back, what is due first, first."""
    return _listed(connection, _C.status == Status.HELD.value, limit)


def failed(connection: Connection, limit: int = 100) -> list[StoredFinding]:
    """Those of which nobody could say what their tag has."""
    return _listed(connection, _C.status == Status.FAILED.value, limit)


def denied(
    connection: Connection, digests: Collection[Digest], limit: int = 100
) -> list[StoredFinding]:
    """Those that pin one of these digests."""
    return _listed(connection, _C.digest.in_([str(digest) for digest in digests]), limit)


def freshness(connection: Connection) -> Freshness:
    """How fresh the pins of the fleet are."""
    found = counts(connection)
    oldest = connection.execute(
        select(func.min(IMAGES.c.since))
        .join(FINDINGS, _C.image_id == IMAGES.c.id)
        .join(REPOS, _C.repo_id == REPOS.c.id)
        .where(_C.status == Status.STALE.value, REPOS.c.left_out == "")
    ).scalar()
    return Freshness(found[Status.CURRENT], found[Status.STALE], found[Status.HELD], oldest)


def _listed(
    connection: Connection, condition: ColumnElement[bool], limit: int
) -> list[StoredFinding]:
    rows = connection.execute(
        select(FINDINGS, REPOS.c.name.label("repo"))
        .join(REPOS, _C.repo_id == REPOS.c.id)
        .where(condition, REPOS.c.left_out == "")
        .order_by(_C.until.is_(None), _C.until, REPOS.c.name, _C.id)
        .limit(limit)
    )
    return [
        StoredFinding(
            row.repo,
            row.path,
            row.line,
            row.image,
            row.digest,
            Status(row.status),
            row.reason,
            row.message,
            row.hint,
            row.new_digest,
            row.until,
        )
        for row in rows
    ]


def _count(connection: Connection, repo_id: int, findings: Sequence[Finding]) -> None:
    """Keep what they come to with the repo."""
    counted = Counter(finding.status.value for finding in findings)
    values: dict[str, Any] = {f"{one.value}_count": counted[one.value] for one in Status}
    values["denied_count"] = sum(finding.reason == DENIED_PINNED for finding in findings)
    is_behind = any(counted[one] for one in ages.BEHIND)
    since = connection.scalar(_BEHIND_SINCE, {"repo": repo_id}) if is_behind else None
    connection.execute(_COUNT, {"repo": repo_id, **values, "behind_since": since})


def _row(
    finding: Finding, query: Query | None, offers: Mapping[Query, tuple[int, str]]
) -> dict[str, Any]:
    occurrence = finding.occurrence
    reference = occurrence.reference
    number, offer = offers[query] if query is not None else (None, "")
    return {
        "image_id": number,
        "offer": offer,
        "path": occurrence.path,
        "line": occurrence.line,
        "column": occurrence.column,
        "format": occurrence.format,
        "kind": occurrence.kind,
        "written": occurrence.written,
        "image": str(query or (reference.image if reference else "")),
        "digest": str(reference.digest) if reference and reference.digest else None,
        "status": finding.status.value,
        "reason": finding.reason,
        "message": finding.message,
        "hint": finding.hint,
        "new_digest": str(finding.new_digest) if finding.new_digest else None,
        "until": finding.until,
        "owners": " ".join(finding.owners),
    }


def _query(finding: Finding) -> Query | None:
    """What is asked about; nothing where the reference is not followed."""
    if finding.status is Status.SKIPPED or (
        finding.status is Status.UNPINNED and finding.new_digest is None
    ):
        return None
    tag = followed_tag(finding.occurrence)
    return Query(tag, finding.occurrence.steering.platform) if tag else None
