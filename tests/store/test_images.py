"""The images of the fleet, and the history of their digests."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete

from digestbot.image import Digest, ImageTag, Platform
from digestbot.policy.holding import Sighting
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolution
from digestbot.store import images, repos
from digestbot.store.database import Database
from digestbot.store.images import Failing
from digestbot.store.tables import IMAGES, SIGHTINGS
from tests.service.state import (
    DAY,
    HOUR,
    NEW,
    NOW,
    OLD,
    TARGET,
    add_failure,
    add_findings,
    add_repos,
    finding,
    query,
)

PYTHON = query("python:3.12")
ARM = Query(PYTHON.image, Platform.parse("linux/arm64"))
INDEX = "application/vnd.oci.image.index.v1+json"


def note(connection: Connection, asked: Query, digest: Digest, hours: float = 0) -> bool:
    resolution = Resolution(asked, digest, INDEX)
    return images.note_resolution(connection, asked, resolution, NOW + timedelta(hours=hours))


def fail(connection: Connection, asked: Query, code: str, hours: float = 0) -> None:
    error = RegistryError(f"{code}!", code=code, host="mirror.example.com", hint="wait")
    images.note_failure(connection, asked, error, NOW + timedelta(hours=hours))


class TestHistory:
    def test_of_an_unknown_image_there_is_none(self, connection: Connection) -> None:
        assert images.history(connection, PYTHON) == ()

    def test_a_digest_that_stays_is_one_sighting(self, connection: Connection) -> None:
        moved = [note(connection, PYTHON, OLD, hours) for hours in range(3)]

        assert moved == [False, False, False]
        assert images.history(connection, PYTHON) == (Sighting(OLD, NOW, NOW + 2 * HOUR, INDEX),)

    def test_a_digest_that_comes_back_is_another_sighting(self, connection: Connection) -> None:
        moved = [
            note(connection, PYTHON, digest, hours) for hours, digest in enumerate([OLD, NEW, OLD])
        ]

        assert moved == [False, True, True]
        assert images.history(connection, PYTHON) == (
            Sighting(OLD, NOW, NOW, INDEX),
            Sighting(NEW, NOW + HOUR, NOW + HOUR, INDEX),
            Sighting(OLD, NOW + 2 * HOUR, NOW + 2 * HOUR, INDEX),
        )

    def test_a_failure_in_between_breaks_no_sighting(self, connection: Connection) -> None:
        note(connection, PYTHON, OLD)
        fail(connection, PYTHON, "rate-limited", 1)

        has_moved = note(connection, PYTHON, OLD, 2)

        assert not has_moved
        assert images.history(connection, PYTHON) == (Sighting(OLD, NOW, NOW + 2 * HOUR, INDEX),)

    def test_each_image_and_platform_has_its_own(self, connection: Connection) -> None:
        other = Query(ImageTag("ghcr.io", PYTHON.image.repository, PYTHON.image.tag))
        for asked, digest in ((PYTHON, OLD), (ARM, NEW), (other, NEW)):
            note(connection, asked, digest)

        found = [images.history(connection, asked) for asked in (PYTHON, ARM, other)]

        assert [[one.digest for one in history] for history in found] == [[OLD], [NEW], [NEW]]

    def test_the_newest_are_told_the_oldest_of_them_first(self, connection: Connection) -> None:
        for hours in range(6):
            note(connection, PYTHON, NEW if hours % 2 else OLD, hours)

        found = images.history(connection, PYTHON, limit=3)

        assert [one.first_seen for one in found] == [NOW + hours * HOUR for hours in (3, 4, 5)]

    @pytest.mark.parametrize("digest", [OLD, NEW])
    def test_a_clock_that_was_set_back_changes_no_order(
        self, connection: Connection, digest: Digest
    ) -> None:
        note(connection, PYTHON, OLD, 2)

        note(connection, PYTHON, digest, 1)

        assert all(one.first_seen == NOW + 2 * HOUR for one in images.history(connection, PYTHON))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(-2, 30), st.sampled_from([PYTHON, ARM])),
        max_size=15,
    )
)
def test_any_history_is_ordered_and_ends_with_what_the_tag_has(
    database: Database, answers: list[tuple[str, int, Query]]
) -> None:
    with database.begin() as connection:
        for table in (SIGHTINGS, IMAGES):
            connection.execute(delete(table))
        hours, expected = 0.0, dict[Query, list[Digest]]()

        for letter, later, asked in answers:
            hours, digest = hours + later, Digest("sha256", letter * 64)
            seen = expected.setdefault(asked, [])
            assert note(connection, asked, digest, hours) == (bool(seen) and seen[-1] != digest)
            if not seen or seen[-1] != digest:
                seen.append(digest)

        for asked in (PYTHON, ARM):
            history = images.history(connection, asked)
            assert [one.digest for one in history] == expected.get(asked, [])
            assert all(one.first_seen <= one.last_seen for one in history)
            assert all(one.last_seen <= after.first_seen for one, after in pairwise(history))


class TestFailures:
    @pytest.fixture(autouse=True)
    def followed(self, connection: Connection) -> None:
        (number,) = add_repos(connection, "acme/app").values()
        add_findings(connection, number, finding("python:3.12"), finding("debian:12"))

    def test_since_is_the_first_of_them_and_the_words_are_the_last(
        self, connection: Connection
    ) -> None:
        fail(connection, PYTHON, "timeout")
        fail(connection, PYTHON, "rate-limited", 1)

        (found,) = images.failing(connection)

        assert found == Failing(PYTHON, "mirror.example.com", "rate-limited", "rate-limited!", NOW)

    def test_an_answer_ends_them(self, connection: Connection) -> None:
        fail(connection, PYTHON, "timeout")

        note(connection, PYTHON, OLD, 1)
        ended = images.failing(connection)
        fail(connection, PYTHON, "timeout", 2)

        assert ended == []
        assert [one.since for one in images.failing(connection)] == [NOW + 2 * HOUR]

    def test_what_the_tag_had_is_not_forgotten(self, connection: Connection) -> None:
        note(connection, PYTHON, OLD)

        fail(connection, PYTHON, "timeout", 1)

        (state,) = [one for one in images.tags(connection) if one.query == PYTHON]
        assert (state.digest, state.since, state.checked_at) == (OLD, NOW, NOW)

    def test_those_that_last_longest_come_first(self, connection: Connection) -> None:
        add_failure(connection, "python:3.12", at=NOW)
        add_failure(connection, "debian:12", at=NOW - DAY)

        found = images.failing(connection)

        assert [one.query for one in found] == [query("debian:12"), PYTHON]

    def test_of_what_nobody_follows_nothing_is_said(self, connection: Connection) -> None:
        add_failure(connection, "redis:7")

        assert images.failing(connection) == []


class TestFollowed:
    def test_each_is_asked_about_once_however_many_follow_it(self, connection: Connection) -> None:
        ids = add_repos(connection, "acme/app", "acme/web")
        for number in ids.values():
            add_findings(connection, number, finding(), finding(line=9), finding("debian:12"))

        assert images.queries(connection) == [query("debian:12"), PYTHON]

    def test_the_platform_is_part_of_the_question(self, connection: Connection) -> None:
        note(connection, ARM, OLD)
        number = images.image_id(connection, ARM)

        assert number == images.image_id(connection, ARM) != images.image_id(connection, PYTHON)

    def test_repos_that_are_gone_follow_nothing(self, connection: Connection) -> None:
        (number,) = add_repos(connection, "acme/app").values()
        add_findings(connection, number, finding())

        repos.note_gone(connection, TARGET, "another run", NOW)

        assert images.queries(connection) == []
        assert images.tags(connection) == []

    def test_repos_that_are_left_out_follow_nothing(self, connection: Connection) -> None:
        (number,) = add_repos(connection, "acme/app").values()
        add_findings(connection, number, finding())

        add_repos(connection, left_out=["acme/app"])

        assert images.queries(connection) == []
        assert images.failing(connection) == []
        assert images.tags(connection) == []

    def test_tags_that_most_repos_follow_come_first(self, connection: Connection) -> None:
        ids = add_repos(connection, "acme/app", "acme/web")
        add_findings(connection, ids["acme/app"], finding("debian:12"), finding("debian:12"))
        for number in ids.values():
            add_findings(connection, number, finding("redis:7"), finding("debian:12"))
        add_findings(connection, ids["acme/web"], finding("redis:7"))
        note(connection, query("redis:7"), NEW)

        first, second = images.tags(connection)

        assert (first.query, first.digest, first.repos) == (query("redis:7"), NEW, 2)
        assert (first.since, first.checked_at) == (NOW, NOW)
        assert (second.query, second.digest, second.repos) == (query("debian:12"), None, 1)

    def test_since_is_when_the_digest_came_not_when_it_was_last_asked_about(
        self, connection: Connection
    ) -> None:
        (number,) = add_repos(connection, "acme/app").values()
        add_findings(connection, number, finding())
        for hours, digest in enumerate([OLD, NEW, NEW]):
            note(connection, PYTHON, digest, hours)

        (state,) = images.tags(connection)

        assert (state.digest, state.since, state.checked_at) == (NEW, NOW + HOUR, NOW + 2 * HOUR)
