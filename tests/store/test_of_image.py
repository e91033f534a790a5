from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from digestbot.image import Digest
from digestbot.policy.finding import Finding, Status
from digestbot.store import images, of_image
from digestbot.store.of_image import HeldReason, PinnedDigest, Seen
from tests.service.state import (
    DAY,
    HOUR,
    NEW,
    NOW,
    OLD,
    add_digest,
    add_failure,
    add_findings,
    add_repos,
    finding,
    held,
    query,
)

NEVER = Digest("sha256", "c" * 64)


@pytest.fixture
def python(connection: Connection) -> int:
    """The id of an image whose tag moved from `OLD` to `NEW` two days ago."""
    add_digest(connection, "python:3.12", OLD, NOW - 9 * DAY)
    add_digest(connection, "python:3.12", OLD, NOW - 3 * DAY)
    add_digest(connection, "python:3.12", NEW, NOW - 2 * DAY)
    return images.known(connection, query())[0]


def stale(digest: Digest = OLD, line: int = 3) -> Finding:
    return finding(status=Status.STALE, digest=digest, line=line)


def test_an_image_that_nobody_knows_has_no_state(connection: Connection) -> None:
    assert of_image.image_state(connection, 4711) is None


def test_an_image_is_what_its_tag_has_and_who_follows_it(
    connection: Connection, python: int
) -> None:
    repos = add_repos(connection, "acme/a", "acme/b")
    add_findings(connection, repos["acme/a"], finding(digest=NEW), stale(line=9))
    add_findings(connection, repos["acme/b"], stale(), finding("node:22"))

    state = of_image.image_state(connection, python)

    assert state is not None
    assert (state.query, state.digest, state.repos) == (query(), str(NEW), 2)
    assert (state.since, state.checked_at) == (NOW - 2 * DAY, NOW - 2 * DAY)
    assert state.places == {"current": 1, "stale": 2}
    assert state.failing_since is None


def test_an_image_without_an_answer_says_since_when_and_why(
    connection: Connection, python: int
) -> None:
    add_failure(connection, "python:3.12", "unauthorized", NOW - HOUR)
    add_failure(connection, "python:3.12", "timeout", NOW)

    state = of_image.image_state(connection, python)

    assert state is not None
    assert (state.failing_since, state.failing_code) == (NOW - HOUR, "timeout")
    assert (state.failing_host, state.digest) == ("docker.io", str(NEW))


def test_repos_that_are_left_out_follow_nothing(connection: Connection, python: int) -> None:
    number = add_repos(connection, "acme/a")["acme/a"]
    add_findings(connection, number, stale())
    add_repos(connection, left_out=["acme/a"])

    state = of_image.image_state(connection, python)

    assert state is not None
    assert (state.repos, state.places) == (0, {})
    assert of_image.digests(connection, python, 10) == ([], 0)


def test_sightings_are_told_the_newest_first(connection: Connection, python: int) -> None:
    assert of_image.sightings(connection, python) == [
        Seen(str(NEW), NOW - 2 * DAY, NOW - 2 * DAY),
        Seen(str(OLD), NOW - 9 * DAY, NOW - 3 * DAY),
    ]
    assert of_image.sightings(connection, python, limit=1) == [
        Seen(str(NEW), NOW - 2 * DAY, NOW - 2 * DAY)
    ]


def test_digests_are_told_with_who_pins_them_the_most_used_first(
    connection: Connection, python: int
) -> None:
    repos = add_repos(connection, "acme/a", "acme/b", "acme/c")
    add_findings(connection, repos["acme/a"], stale(), stale(line=4))
    add_findings(connection, repos["acme/b"], stale(), finding(digest=NEW, line=5))
    add_findings(connection, repos["acme/c"], stale(NEVER), finding("node:22", digest=NEVER))

    found, total = of_image.digests(connection, python, 10)

    assert found == [
        PinnedDigest(str(OLD), places=3, repos=2, behind=3),
        PinnedDigest(str(NEW), places=1, repos=1, behind=0),
        PinnedDigest(str(NEVER), places=1, repos=1, behind=1),
    ]
    assert total == 3
    assert of_image.digests(connection, python, 1) == (found[:1], 3)


def test_a_pin_that_could_not_be_judged_is_still_one(connection: Connection, python: int) -> None:
    number = add_repos(connection, "acme/a")["acme/a"]
    add_findings(connection, number, finding(status=Status.FAILED, reason="timeout"))

    expected = [PinnedDigest(str(OLD), 1, 1, behind=0)]
    assert of_image.digests(connection, python, 10) == (expected, 1)


def test_what_is_held_is_told_by_reason(connection: Connection, python: int) -> None:
    soon, later = NOW + timedelta(minutes=20), NOW + HOUR
    repos = add_repos(connection, "acme/a", "acme/b")
    settling = [held("python:3.12", "settling", later), held("python:3.12", "settling", soon, 8)]
    add_findings(connection, repos["acme/a"], *settling, held("node:22", "flapping"))
    add_findings(connection, repos["acme/b"], held("python:3.12", "platform-lost"))

    assert of_image.held(connection, python) == [
        HeldReason("settling", "python:3.12 is held: settling", soon, places=2, repos=1),
        HeldReason("platform-lost", "python:3.12 is held: platform-lost", None, 1, 1),
    ]
