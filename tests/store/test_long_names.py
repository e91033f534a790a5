"""A name may be longer than an index takes: what a repo is made of is anybody's."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection

from digestbot.store import conditions, findings, images
from digestbot.store.conditions import Condition
from tests.service.state import HOUR, NEW, NOW, add_digest, add_repos, finding, query

# Of all different letters: what repeats itself would be made short.
LETTERS = "".join(hashlib.sha256(f"{number}".encode()).hexdigest() for number in range(200))
IMAGE = f"{LETTERS}.example/python:3"


def test_of_a_registry(connection: Connection) -> None:
    (number,) = add_repos(connection, "acme/a").values()

    findings.replace(connection, number, [finding(IMAGE)], NOW)
    add_digest(connection, IMAGE, NEW, NOW)

    assert images.queries(connection) == [query(IMAGE)]
    assert [one.digest for one in images.history(connection, query(IMAGE))] == [NEW]


def test_of_two_that_are_alike_for_long(connection: Connection) -> None:
    (number,) = add_repos(connection, "acme/a").values()
    other = IMAGE.replace("python:3", "python:4")

    findings.replace(connection, number, [finding(IMAGE), finding(other)], NOW)

    assert len(images.queries(connection)) == 2


def test_of_what_operators_are_told_of(connection: Connection) -> None:
    one, other = (
        Condition(f"registry:{LETTERS}{end}", "registries", "unreachable", "") for end in "ab"
    )
    conditions.note(connection, [one, other], NOW)
    changes = conditions.pending(connection, "ops")
    conditions.told(connection, "ops", changes)

    conditions.note(connection, [one, other], NOW + HOUR)

    assert len(changes) == 2
    assert conditions.pending(connection, "ops") == []
    conditions.note(connection, [one], NOW + HOUR)
    assert [change.after for change in conditions.pending(connection, "ops")] == [None]
