"""Which tags moved lately."""

from __future__ import annotations

from sqlalchemy import Connection, text

from digestbot.image import Digest
from digestbot.policy.finding import Status
from digestbot.store import images, moves
from digestbot.store.moves import Move
from tests.service.state import (
    DAY,
    HOUR,
    NEW,
    NOW,
    OLD,
    add_digest,
    add_findings,
    add_repos,
    finding,
    query,
)

THIRD = Digest("sha256", "c" * 64)


def add_image(connection: Connection, image: str = "python:3.12") -> int:
    """It moved yesterday, and an hour ago."""
    for digest, at in ((OLD, NOW - 2 * DAY), (NEW, NOW - DAY), (THIRD, NOW - HOUR)):
        add_digest(connection, image, digest, at)
    return images.known(connection, query(image))[0]


def test_each_is_told_once_with_what_was_before(connection: Connection) -> None:
    number = add_image(connection)

    found = moves.moved(connection, NOW - 9 * DAY)

    assert found == [Move(number, query(), str(NEW), str(THIRD), NOW - HOUR, 2, 0)]


def test_the_newest_come_first(connection: Connection) -> None:
    add_digest(connection, "debian:12", OLD, NOW - 2 * DAY)
    add_digest(connection, "debian:12", NEW, NOW - 2 * HOUR)
    add_image(connection)

    found = moves.moved(connection, NOW - 9 * DAY)

    assert [one.at for one in found] == [NOW - HOUR, NOW - 2 * HOUR]


def test_what_was_seen_first_is_no_move(connection: Connection) -> None:
    add_digest(connection, "python:3.12", OLD, NOW)

    assert moves.moved(connection, NOW - DAY) == []


def test_what_moved_before_that_time_is_not_told(connection: Connection) -> None:
    add_image(connection)

    assert [one.at for one in moves.moved(connection, NOW - HOUR)] == [NOW - HOUR]
    assert moves.moved(connection, NOW) == []


def test_so_many_at_most(connection: Connection) -> None:
    for image in ("python:3.12", "debian:12", "node:24"):
        add_image(connection, image)

    assert len(moves.moved(connection, NOW - 9 * DAY, limit=2)) == 2


def test_it_tells_how_many_repos_still_pin_what_was_before(connection: Connection) -> None:
    add_image(connection)
    numbers = add_repos(connection, "acme/a", "acme/b", "acme/c", "acme/d")
    stale = finding(status=Status.STALE, digest=NEW)
    add_findings(connection, numbers["acme/a"], stale, stale)
    add_findings(connection, numbers["acme/b"], finding(status=Status.HELD, digest=NEW))
    add_findings(connection, numbers["acme/c"], finding(digest=THIRD))
    add_findings(connection, numbers["acme/d"], stale)
    connection.execute(text("UPDATE repos SET left_out = 'fork' WHERE name = 'acme/d'"))

    found = moves.moved(connection, NOW - DAY)

    assert [one.repos_on_old for one in found] == [2]
