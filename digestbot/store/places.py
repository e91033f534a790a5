"""The pins of all repos that follow some images: what a rollout chooses from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, select, tuple_

from digestbot.image import Digest, ImageTag
from digestbot.registry.resolution import Query
from digestbot.rollout.selection import Place
from digestbot.store import ages
from digestbot.store.images import query_of
from digestbot.store.tables import FINDINGS, IMAGES, REPOS

PAGE: Final = 1000
"""So many are read at a time."""
_C, _R = FINDINGS.c, REPOS.c
_IS_LIVE = _R.gone_at.is_(None) & (_R.left_out == "")
# Asked for each image: what is put together once is compiled once.
_PAGE_OF = (
    select(_C.id, _C.repo_id, _C.path, _C.line, _C.column, _C.digest, _C.written, _C.owners)
    .add_columns(_R.name, _R.topics)
    .join(REPOS, _C.repo_id == _R.id)
    .where(_C.image_id == bindparam("image"), _C.digest.is_not(None), _IS_LIVE)
    # In the order of an index.
    .where(tuple_(_C.repo_id, _C.id) > tuple_(bindparam("repo"), bindparam("last")))
    .order_by(_C.repo_id, _C.id)
    .limit(PAGE)
)


def followed(connection: Connection, is_meant: Callable[[ImageTag], bool]) -> dict[int, Query]:
    """The images that are meant, by id: each tag, and each platform of it, that a pin follows."""
    is_pinned = select(_C.id).where(_C.image_id == IMAGES.c.id, _C.digest.is_not(None)).exists()
    found: dict[int, Query] = {}
    for row in connection.execute(select(IMAGES).where(is_pinned).order_by(IMAGES.c.id)):
        query = query_of(row)
        if is_meant(query.image):
            found[row.id] = query
    return found


def fleet(connection: Connection) -> int:
    """How many repos there are that are watched."""
    return connection.scalar(select(func.count(_R.name.distinct())).where(_IS_LIVE)) or 0


def places(connection: Connection, images: Mapping[int, Query]) -> Iterator[Place]:
    """The pins of these images in repos that are watched, a page in memory at a time.

    A repo that two targets have is told once.
    """
    doubles = _doubles(connection)
    for number, query in images.items():
        groups = ages.groups(connection, [number])
        since = {group.digest: group.behind_since for group in groups}
        for row in _rows(connection, number):
            if row.repo_id in doubles:
                continue
            yield Place(
                repo=row.name,
                path=row.path,
                line=row.line,
                image=query.image,
                digest=Digest.parse(row.digest),
                platform=query.platform,
                behind_since=since.get(row.digest),
                topics=frozenset(row.topics or ()),
                owners=tuple(row.owners.split()),
                column=row.column,
                written=row.written,
            )


def _rows(connection: Connection, image_id: int) -> Iterator[Row[*tuple[Any, ...]]]:
    behind = {"repo": 0, "last": 0}
    while page := connection.execute(_PAGE_OF, {"image": image_id, **behind}).all():
        yield from page
        behind = {"repo": page[-1].repo_id, "last": page[-1].id}


def _doubles(connection: Connection) -> frozenset[int]:
    """The repos that another target has, too: all but the first of each name."""
    first = select(func.min(_R.id)).where(_IS_LIVE).group_by(_R.name)
    return frozenset(
        connection.execute(select(_R.id).where(_IS_LIVE, _R.id.not_in(first))).scalars()
    )
