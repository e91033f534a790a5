"""What repos pin of a few images, as they were looked at last."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from digestbot.image import ImageTag
from digestbot.rollout.plan import Move
from digestbot.store import images
from digestbot.store.tables import FINDINGS, IMAGES, REPOS

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Pin:
    """A digest in a file of a repo, the tag that it follows, and when it was seen there."""

    repo: str
    path: str
    line: int
    image: ImageTag
    digest: str
    found_at: datetime


def of_repos(connection: Connection, names: Sequence[str], moves: Iterable[Move]) -> list[Pin]:
    """The pins of these repos that follow one of the images, before or after their move."""
    tags = {tag for move in moves for tag in (move.image, move.to) if tag is not None}
    return [pin for part in _parts(names) for pin in _of(connection, part, tags)]


def _of(connection: Connection, names: Sequence[str], tags: Collection[ImageTag]) -> list[Pin]:
    rows = connection.execute(
        select(
            REPOS.c.name,
            FINDINGS.c.path,
            FINDINGS.c.line,
            FINDINGS.c.digest,
            FINDINGS.c.found_at,
            IMAGES.c.registry,
            IMAGES.c.repository,
            IMAGES.c.tag,
        )
        .join(REPOS, FINDINGS.c.repo_id == REPOS.c.id)
        .join(IMAGES, FINDINGS.c.image_id == IMAGES.c.id)
        .where(REPOS.c.name.in_(names), FINDINGS.c.digest.is_not(None), images.is_one_of(tags))
        .order_by(REPOS.c.name, FINDINGS.c.path, FINDINGS.c.line)
    )
    return [
        Pin(
            repo=row.name,
            path=row.path,
            line=row.line,
            image=ImageTag(row.registry, row.repository, row.tag),
            digest=row.digest,
            found_at=row.found_at,
        )
        for row in rows
    ]


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), _AT_ONCE):
        yield names[start : start + _AT_ONCE]
