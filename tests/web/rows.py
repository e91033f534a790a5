"""Rows of a state, collected and written at once: what a service would have after months."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Connection, Table, insert, null, text

from digestbot.image import ImageTag, Platform
from digestbot.proposals.grouping import branch_of
from digestbot.proposals.settings import ProposalSettings
from digestbot.registry.resolution import Query
from digestbot.scan.result import Problem
from digestbot.store.database import Database
from digestbot.store.images import _key
from digestbot.store.tables import (
    CONDITIONS,
    FINDINGS,
    IMAGES,
    PROPOSALS,
    REPOS,
    RUNS,
    SCHEDULES,
    SIGHTINGS,
    TALLIES,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
INDEX = "application/vnd.oci.image.index.v1+json"
_TABLES = (IMAGES, SIGHTINGS, REPOS, FINDINGS, PROPOSALS, RUNS, TALLIES, SCHEDULES, CONDITIONS)
_NUMBERED = (IMAGES, SIGHTINGS, REPOS, FINDINGS, PROPOSALS)
_BATCH = 2_000


def hex_of(*parts: object, length: int = 64) -> str:
    """Hexadecimal digits that are always the same for the same words."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:length]


@dataclass(frozen=True, slots=True)
class Image:
    """An image as the fleet has it: its tag, and what that had, the oldest first."""

    id: int
    query: Query
    digests: Sequence[str]
    moved: Sequence[datetime]
    row: dict[str, Any]

    def digest(self, back: int = 0) -> str:
        """What the tag had so many moves ago; before all of them, something nobody ever saw."""
        if back < len(self.digests):
            return self.digests[-1 - back]
        return f"sha256:{hex_of(self.query, 'before', back)}"

    def behind_since(self, back: int) -> datetime | None:
        """Since when that is not what the tag has."""
        if back == 0 or not self.moved:
            return None
        return self.moved[max(len(self.moved) - back, 0)]


@dataclass(frozen=True, slots=True)
class Pin:
    """A reference in a file. `back` is how many moves ago the tag had what is pinned.

    Attributes:
        back: None is a reference without digest.
        status: What is true of it; left out, it is what follows from `back`.
    """

    image: Image | None
    back: int | None = 0
    path: str = "Dockerfile"
    line: int = 1
    status: str = ""
    reason: str = ""
    message: str = ""
    hint: str = ""
    until: datetime | None = None
    written: str = ""


@dataclass
class Rows:
    """Everything that is to be in a state at one moment."""

    now: datetime
    rows: dict[Table, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    _numbers: dict[Table, count[int]] = field(
        default_factory=lambda: {table: count(1) for table in _NUMBERED}
    )

    def write(self, database: Database) -> None:
        """Put all of it into an empty state."""
        with database.begin() as connection:
            for table in _TABLES:
                rows = self.rows[table]
                for start in range(0, len(rows), _BATCH):
                    connection.execute(insert(table), rows[start : start + _BATCH])
            if connection.dialect.name == "postgresql":
                _catch_up(connection)

    def image(
        self, tag: ImageTag, moved: Sequence[float] = (), platform: str = "", **more: Any
    ) -> Image:
        """An image whose tag moved so many days ago, each time; `more` are values of its row."""
        query = Query(tag, Platform.parse(platform) if platform else None)
        number = next(self._numbers[IMAGES])
        moments = [self.now - timedelta(days=days) for days in sorted(moved, reverse=True)]
        digests = [f"sha256:{hex_of(query, place)}" for place in range(len(moments))]
        checked = self.now - timedelta(minutes=4)
        row: dict[str, Any] = {
            "id": number,
            "key": _key(query),
            "registry": tag.registry,
            "repository": tag.repository,
            "tag": tag.tag,
            "platform": platform,
            "digest": digests[-1] if digests else None,
            "since": moments[-1] if moments else None,
            "checked_at": checked if digests else None,
            "failing_since": None,
            "failing_host": "",
            "failing_code": "",
            "failing_message": "",
            "offer": digests[-1] if digests else "",
        }
        row |= more
        self.rows[IMAGES].append(row)
        # Each was seen last when the next one came.
        ends = [*moments[1:], row["checked_at"] or checked][: len(moments)]
        self.rows[SIGHTINGS] += [
            {
                "id": next(self._numbers[SIGHTINGS]),
                "image_id": number,
                "digest": digest,
                "media_type": INDEX,
                "first_seen": first,
                "last_seen": max(first, last - timedelta(minutes=30)) if last < checked else last,
            }
            for digest, first, last in zip(digests, moments, ends, strict=True)
        ]
        return Image(number, query, digests, moments, row)

    def repo(
        self,
        name: str,
        pins: Sequence[Pin] = (),
        *,
        target: str = "github:acme",
        problems: Sequence[Problem] = (),
        **more: Any,
    ) -> int:
        """A repo with what was found in it; its id. `more` are values of its row."""
        number, head = next(self._numbers[REPOS]), hex_of(name, "head", length=40)
        settled = self.now - timedelta(minutes=3 + number % 40)
        found = [self._finding(number, pin, settled) for pin in pins]
        late = [
            since
            for pin, row in zip(pins, found, strict=True)
            if row["status"] in {"stale", "held"} and pin.image and pin.back
            if (since := pin.image.behind_since(pin.back))
        ]
        row = {
            "id": number,
            "target": target,
            "name": name,
            "url": f"https://github.com/{name}",
            "default_branch": "main",
            "head": head,
            "tree": hex_of(name, "tree", length=40),
            "ours": [],
            "open_pulls": 0,
            "opened": [],
            "pulse": "p",
            "allows_auto_merge": False,
            "deletes_branches": False,
            "left_out": "",
            "left_out_message": "",
            "listed_run": "r0",
            "listed_at": self.now - timedelta(minutes=20),
            "gone_at": None,
            "settled_head": head,
            "settled_pulse": "p",
            "settled_rules": "rules",
            "settled_at": settled,
            "due_at": None,
            "problems": [asdict(problem) for problem in problems],
            "problem_count": len(problems),
            "behind_since": min(late, default=None),
            "denied_count": sum(one["reason"] == "denied-pinned" for one in found),
        }
        row |= {
            f"{status}_count": sum(one["status"] == status for one in found)
            for status in ("current", "stale", "held", "failed", "unpinned", "skipped")
        }
        self.rows[REPOS].append(row | more)
        self.rows[FINDINGS] += found
        return number

    def proposal(
        self, repo_id: int, image: Image, state: str, outcome: str, days: float, **more: Any
    ) -> None:
        """A proposal that was opened so many days ago."""
        number = next(self._numbers[PROPOSALS])
        name = next(row["name"] for row in reversed(self.rows[REPOS]) if row["id"] == repo_id)
        is_over = state not in {"open", "waiting"}
        is_there = state != "waiting"
        row = {
            "id": number,
            "repo_id": repo_id,
            "branch": branch_of(image.query.image, ProposalSettings(group="image")),
            "number": 100 + number if is_there else 0,
            "url": f"https://github.com/{name}/pull/{100 + number}" if is_there else "",
            "title": f"Update {image.query} to {image.digest()[7:14]}",
            "outcome": outcome,
            "message": "",
            "state": state,
            "seen_at": self.now - timedelta(minutes=5),
            "opened_at": self.now - timedelta(days=days) if is_there else None,
            "ended_at": self.now - timedelta(days=days / 2) if is_over else None,
        }
        self.rows[PROPOSALS].append(row | more)

    def run(
        self,
        started: timedelta,
        seconds: int | None,
        state: str,
        problems: Sequence[Problem] = (),
        kind: str = "cycle",
        asked_by: Sequence[str] = (),
        **counts: int,
    ) -> None:
        """A run that began so long ago; without seconds it is under way."""
        begun = self.now - started
        length = timedelta(seconds=seconds or 0)
        row = {
            "id": hex_of("run", begun.isoformat(), kind, length=12),
            "kind": kind,
            "state": state,
            "started_at": begun,
            "finished_at": begun + length if seconds is not None else None,
            "counts": counts,
            "problems": [asdict(problem) for problem in problems],
            "problem_count": len(problems),
            "requests": _REQUESTS if seconds is not None else null(),
            "asked_by": list(asked_by),
        }
        self.rows[RUNS].append(row)

    def tally(self, ago: timedelta, counts: Mapping[str, int], p50: timedelta) -> None:
        """How fresh the fleet was so long ago."""
        at = self.now - ago
        row = {
            "hour": int(at.timestamp()) // 3600,
            "at": at,
            "p50_s": int(p50.total_seconds()),
            "p90_s": int(p50.total_seconds() * 3),
        }
        self.rows[TALLIES].append(row | dict(counts))

    def condition(
        self, subject: str, event: str, message: str, hint: str, days: float, stands: str = "is"
    ) -> None:
        """Something that operators were told so many days ago, and that still is so."""
        since = self.now - timedelta(days=days)
        row = {
            "subject": subject,
            "event": event,
            "state": stands,
            "message": message,
            "hint": hint,
        }
        self.rows[CONDITIONS].append(row | {"since": since, "ended_at": None})

    def _finding(self, repo_id: int, pin: Pin, at: datetime) -> dict[str, Any]:
        image, query = pin.image, pin.image.query if pin.image else None
        digest = image.digest(pin.back) if image and pin.back is not None else None
        status = pin.status or _status(pin)
        is_followed = image is not None and status != "skipped"
        new = image.digest() if image and status in {"stale", "unpinned"} else None
        tag = str(query.image) if query else pin.written
        return {
            "id": next(self._numbers[FINDINGS]),
            "repo_id": repo_id,
            "image_id": image.id if image and is_followed else None,
            "path": pin.path,
            "line": pin.line,
            "column": 6,
            "format": "dockerfile",
            "kind": "from",
            "written": pin.written or (f"{tag}@{digest}" if digest else tag),
            "image": str(query or tag),
            "digest": digest,
            "status": status,
            "reason": pin.reason or _REASONS[status],
            "message": pin.message or _message(status, str(query or tag), new),
            "hint": pin.hint,
            "new_digest": new,
            "until": pin.until,
            "offer": image.row["offer"] if image else "",
            "found_at": at,
        }


_REASONS = {
    "current": "up-to-date",
    "stale": "digest-moved",
    "held": "settling",
    "failed": "unauthorized",
    "unpinned": "no-digest",
    "skipped": "ignored",
}


_REQUESTS = {
    "registries": {
        "docker.io": {"200": 7, "304": 31},
        "quay.io": {"401": 1},
        "registry.gone.example": {"unreachable": 3},
    },
    "forges": {"api.github.com": {"200": 41, "304": 160, "502": 2}},
    "left": {"api.github.com": {"core": 4321.0, "graphql": 0.0}, "docker.io": {"pulls": 94.0}},
}


def _status(pin: Pin) -> str:
    if pin.image is None:
        return "skipped"
    if pin.back is None:
        return "unpinned"
    return "stale" if pin.back else "current"


def _message(status: str, image: str, new: str | None) -> str:
    if status == "current":
        return f"{image} is what the tag has now"
    return f"{image} moved to {new}" if new else f"{image}: {status}"


def _catch_up(connection: Connection) -> None:
    """Rows brought their numbers: the next ones come after them. And PostgreSQL knows its data.

    A server that runs for longer than a minute has seen to the latter itself.
    """
    for table in _NUMBERED:
        connection.execute(
            text(
                f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), "
                f"(SELECT coalesce(max(id), 1) FROM {table.name}))"
            )
        )
    connection.execute(text("ANALYZE"))
