"""The images of the fleet, each with the history of its digests as this bot saw it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from digestbot.image import Digest, ImageTag, Platform
from digestbot.policy.holding import Sighting
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolution
from digestbot.store import ages
from digestbot.store.tables import FINDINGS, IMAGES, REPOS, SIGHTINGS
from digestbot.store.upsert import upsert

KEPT = 200
"""How many sightings of a tag are told, and kept for good."""

_C, _S = IMAGES.c, SIGHTINGS.c
# Asked for each image of each repo that is worked on: what is put together once is compiled once.
_KNOWN = select(_C.id, _C.offer).where(_C.key == bindparam("key"))


@dataclass(frozen=True, slots=True)
class Failing:
    """An image about which a registry gives no answer, since when, and how many repos follow it."""

    query: Query
    host: str
    code: str
    message: str
    since: datetime
    repos: int = 1


@dataclass(frozen=True, slots=True)
class TagState:
    """What a tag has, since when, when that was asked, and how many repos follow it."""

    query: Query
    digest: Digest | None
    since: datetime | None
    checked_at: datetime | None
    repos: int


@dataclass(frozen=True, slots=True)
class TagNow:
    """An image, what its tag has, and since when; None where no registry said so yet."""

    id: int
    digest: str | None
    since: datetime | None


def is_one_of(tags: Collection[ImageTag]) -> ColumnElement[bool]:
    """Whether an image, on any platform, is one of these tags."""
    return or_(
        false(),
        *(
            and_(_C.registry == one.registry, _C.repository == one.repository, _C.tag == one.tag)
            for one in tags
        ),
    )


def queries(connection: Connection, tags: Collection[ImageTag] | None = None) -> list[Query]:
    """Everything that the findings of live repos follow, each once; of these tags, if any are told.

    What most repos follow comes first: what one of them alone names may be slow on purpose, or
    use up what its registry gives, and then costs the others nothing.
    """
    repos = func.count(FINDINGS.c.repo_id.distinct())
    rows = connection.execute(
        select(IMAGES)
        .join(FINDINGS, FINDINGS.c.image_id == _C.id)
        .join(REPOS, FINDINGS.c.repo_id == REPOS.c.id)
        .where(REPOS.c.gone_at.is_(None), REPOS.c.left_out == "")
        .where(true() if tags is None else is_one_of(tags))
        .group_by(_C.id)
        .order_by(repos.desc(), _C.id)
    )
    return [query_of(row) for row in rows]


def known(connection: Connection, query: Query) -> tuple[int, str]:
    """The id of an image, which is made where there is none, and what may be proposed for it."""
    key = {"key": _key(query)}
    found = connection.execute(_KNOWN, key).first()
    if found is None:
        values = _values(query)
        upsert(connection, IMAGES, [{**key, **values}], key=("key",), keeps=values)
        found = connection.execute(_KNOWN, key).one()
    return found.id, found.offer


def note_resolution(
    connection: Connection, query: Query, resolution: Resolution, now: datetime
) -> bool:
    """Keep what a tag has now; whether that is another digest than last time.

    History is only ever added to: the last sighting goes on, or another one begins.
    """
    (number, _), digest = known(connection, query), str(resolution.digest)
    last = connection.execute(
        select(_S.id, _S.digest, _S.last_seen)
        .where(_S.image_id == number)
        .order_by(_S.id.desc())
        .limit(1)
    ).first()
    is_same = last is not None and last.digest == digest
    # A clock that was set back does not change what came after what.
    now = max(now, last.last_seen) if last is not None else now
    if last is not None and is_same:
        connection.execute(update(SIGHTINGS).where(_S.id == last.id).values(last_seen=now))
    else:
        row = {"image_id": number, "digest": digest, "media_type": resolution.media_type}
        connection.execute(insert(SIGHTINGS).values(first_seen=now, last_seen=now, **row))
    since = {} if is_same else {"since": now}
    connection.execute(
        update(IMAGES)
        .where(_C.id == number)
        .values(
            digest=digest,
            checked_at=now,
            failing_since=None,
            failing_host="",
            failing_code="",
            failing_message="",
            **since,
        )
    )
    return last is not None and not is_same


def note_failure(connection: Connection, query: Query, error: RegistryError, now: datetime) -> None:
    """Keep that there is no answer; what the tag had is not forgotten."""
    number, _ = known(connection, query)
    connection.execute(
        update(IMAGES)
        .where(_C.id == number)
        .values(
            failing_since=func.coalesce(_C.failing_since, now),
            failing_host=error.host,
            failing_code=error.code,
            failing_message=str(error),
        )
    )


def history(connection: Connection, query: Query, limit: int = KEPT) -> tuple[Sighting, ...]:
    """The newest sightings of a tag, the oldest of them first."""
    rows = connection.execute(
        select(SIGHTINGS)
        .join(IMAGES, _S.image_id == _C.id)
        .where(_is(query))
        .order_by(_S.id.desc())
        .limit(limit)
    ).all()
    return tuple(
        Sighting(Digest.parse(row.digest), row.first_seen, row.last_seen, row.media_type)
        for row in reversed(rows)
    )


def prune(connection: Connection, before: datetime) -> None:
    """Forget the images that nobody follows and nobody asked about since that time.

    Of the others the newest sightings stay that `history` tells: a tag may move each time it
    is asked about.
    """
    place = func.row_number().over(partition_by=_S.image_id, order_by=_S.id.desc())
    placed = select(_S.id, place.label("place")).subquery()
    surplus = select(placed.c.id).where(placed.c.place > KEPT)
    connection.execute(delete(SIGHTINGS).where(_S.id.in_(surplus)))
    asked_at = func.coalesce(_C.failing_since, _C.checked_at)
    is_followed = exists().where(FINDINGS.c.image_id == _C.id)
    forgotten = select(_C.id).where(asked_at < before, ~is_followed)
    connection.execute(delete(SIGHTINGS).where(_S.image_id.in_(forgotten)))
    connection.execute(delete(IMAGES).where(_C.id.in_(forgotten)))


def note_offer(connection: Connection, query: Query, offer: str) -> None:
    """Keep what may be proposed for an image now, as a text that changes when that does."""
    is_another = _is(query) & (_C.offer != offer)
    connection.execute(update(IMAGES).where(is_another).values(offer=offer))


def failing(connection: Connection) -> list[Failing]:
    """The followed images without an answer, those that have been for longest first."""
    repos = func.count(FINDINGS.c.repo_id.distinct())
    rows = connection.execute(
        select(IMAGES, repos.label("repos"))
        .join(FINDINGS, FINDINGS.c.image_id == _C.id)
        .where(_C.failing_since.is_not(None), ages.is_live())
        .group_by(_C.id)
        .order_by(_C.failing_since, _C.id)
    )
    return [
        Failing(
            query_of(row),
            row.failing_host,
            row.failing_code,
            row.failing_message,
            row.failing_since,
            row.repos,
        )
        for row in rows
    ]


def tags(connection: Connection) -> list[TagState]:
    """The followed images, those that most repos follow first."""
    repos = func.count(FINDINGS.c.repo_id.distinct())
    rows = connection.execute(
        select(IMAGES, repos.label("repos"))
        .join(FINDINGS, FINDINGS.c.image_id == _C.id)
        .join(REPOS, FINDINGS.c.repo_id == REPOS.c.id)
        .where(REPOS.c.left_out == "")
        .group_by(*IMAGES.c)
        .order_by(repos.desc(), _C.id)
    )
    return [
        TagState(
            query_of(row),
            Digest.parse(row.digest) if row.digest else None,
            row.since,
            row.checked_at,
            row.repos,
        )
        for row in rows
    ]


def tag_now(connection: Connection, query: Query) -> TagNow | None:
    """What a tag has now; None where nobody follows it."""
    row = connection.execute(select(_C.id, _C.digest, _C.since).where(_is(query))).first()
    return None if row is None else TagNow(row.id, row.digest, row.since)


def _values(query: Query) -> dict[str, str]:
    return {
        "registry": query.image.registry,
        "repository": query.image.repository,
        "tag": query.image.tag,
        "platform": str(query.platform or ""),
    }


def _key(query: Query) -> str:
    return hashlib.sha256("\n".join(_values(query).values()).encode()).hexdigest()


def _is(query: Query) -> ColumnElement[bool]:
    return _C.key == _key(query)


def query_of(row: Row[Any]) -> Query:
    """The tag and platform of a row of `IMAGES`."""
    image = ImageTag(row.registry, row.repository, row.tag)
    return Query(image, Platform.parse(row.platform) if row.platform else None)
