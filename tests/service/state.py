"""A state in SQLite, filled by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from digestbot.files.occurrence import Occurrence
from digestbot.forge.repo import LeftOut, Repo
from digestbot.forge.sha import CommitSha, ObjectSha
from digestbot.image import Digest, ImageReference, ImageTag
from digestbot.policy.finding import Finding, Status
from digestbot.proposals.outcome import Outcome, Verdict
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolution
from digestbot.scan.result import Problem
from digestbot.store import findings, images, proposals, repos, runs
from digestbot.store.database import Database
from digestbot.store.location import Location
from digestbot.store.runs import RunState

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TARGET = "github:acme"
OLD, NEW = Digest("sha256", "a" * 64), Digest("sha256", "b" * 64)
HEAD, TREE = CommitSha("1" * 40), ObjectSha("2" * 40)


@contextmanager
def state(folder: Path) -> Iterator[Database]:
    """An empty one."""
    database = Database.open(Location(folder=folder))
    try:
        yield database
    finally:
        database.close()


def query(image: str = "python:3.12") -> Query:
    followed = ImageReference.parse(image).followed
    assert isinstance(followed, ImageTag)
    return Query(followed)


def add_run(
    connection: Connection,
    run_id: str = "a1b2c3",
    ended: RunState = RunState.DONE,
    *problems: Problem,
    at: datetime = NOW - HOUR,
    seconds: int = 12,
    **counts: int,
) -> None:
    runs.begin(connection, run_id, "cycle", at)
    if ended is not RunState.RUNNING:
        after = at + timedelta(seconds=seconds)
        runs.finish(connection, run_id, ended, counts, problems, after)


def listed(name: str) -> Repo:
    return Repo(name, "main", HEAD, TREE)


def add_repos(connection: Connection, *names: str, left_out: Sequence[str] = ()) -> dict[str, int]:
    """Their ids, by name."""
    apart = [LeftOut(name, "fork", "it is a fork") for name in left_out]
    repos.note_listed(connection, TARGET, "r", [*map(listed, names), *apart], NOW)
    found = repos.due(connection, target=TARGET, rules="1", now=NOW, limit=100_000)
    return {due.repo.name: due.id for due in found}


def settle(connection: Connection, number: int, name: str, *problems: Problem) -> None:
    repo = Repo(name, "main", HEAD, TREE)
    repos.settle(connection, number, repo=repo, rules="1", due_at=None, now=NOW, problems=problems)


def finding(
    image: str = "python:3.12",
    status: Status = Status.CURRENT,
    *,
    reason: str = "up-to-date",
    message: str = "it is so",
    path: str = "Dockerfile",
    line: int = 3,
    digest: Digest = OLD,
    until: datetime | None = None,
) -> Finding:
    written = f"{image}@{digest}"
    reference = ImageReference.parse(written)
    occurrence = Occurrence(path, line, 1, "dockerfile", "from", written, reference=reference)
    return Finding(occurrence, status, reason, message, until=until)


def held(image: str, reason: str, until: datetime | None = None, line: int = 3) -> Finding:
    message = f"{image} is held: {reason}"
    return finding(image, Status.HELD, reason=reason, message=message, until=until, line=line)


def add_findings(connection: Connection, number: int, *found: Finding) -> None:
    findings.replace(connection, number, found, NOW)


def add_failure(
    connection: Connection, image: str, code: str = "rate-limited", at: datetime = NOW
) -> None:
    asked = query(image)
    host = asked.image.registry
    error = RegistryError(f"{host} fails: {code}", code=code, host=host)
    images.note_failure(connection, asked, error, at)


def add_digest(connection: Connection, image: str, digest: Digest, at: datetime) -> None:
    asked = query(image)
    images.note_resolution(connection, asked, Resolution(asked, digest), at)


def add_proposal(
    connection: Connection,
    number: int,
    name: str,
    outcome: Outcome = Outcome.OPENED,
    *,
    pull: int = 12,
    at: datetime = NOW - DAY,
) -> None:
    url = f"https://github.com/{name}/pull/{pull}"
    verdict = Verdict("digestbot/images", outcome, "", "Update python:3.12", pull, url)
    proposals.note(connection, number, [verdict], at)
