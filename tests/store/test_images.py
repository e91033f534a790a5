"""Images, and the history of their digests."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from itertools import count, groupby, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from digestbot.image import Digest, Platform
from digestbot.policy.holding import Sighting
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolution
from digestbot.store import findings, images, repos
from digestbot.store.database import Database
from digestbot.store.images import Failing, TagState
from tests.service.state import (
    HOUR,
    NEW,
    NOW,
    OLD,
    TARGET,
    add_digest,
    add_failure,
    add_repos,
    finding,
    query,
)

PYTHON, NODE = "python:3.12", "node:22"
MEDIA = "application/vnd.oci.image.index.v1+json"


def follow(connection: Connection, *names: str) -> dict[str, int]:
    """Repos, each of which follows PYTHON."""
    numbers = add_repos(connection, *names)
    for number in numbers.values():
        findings.replace(connection, number, [finding(PYTHON)], NOW)
    return numbers


class TestHistory:
    def test_of_an_image_that_was_never_asked_about_is_empty(self, connection: Connection) -> None:
        assert images.history(connection, query(PYTHON)) == ()

    def test_the_first_answer_is_no_move(self, connection: Connection) -> None:
        asked = query(PYTHON)

        moved = images.note_resolution(connection, asked, Resolution(asked, OLD, MEDIA), NOW)

        assert not moved
        assert images.history(connection, asked) == (Sighting(OLD, NOW, NOW, MEDIA),)

    def test_the_same_answer_goes_on(self, connection: Connection) -> None:
        asked = query(PYTHON)
        add_digest(connection, PYTHON, OLD, NOW)

        moved = images.note_resolution(connection, asked, Resolution(asked, OLD), NOW + HOUR)

        assert not moved
        assert images.history(connection, asked) == (Sighting(OLD, NOW, NOW + HOUR),)

    def test_a_tag_that_flaps_has_three_sightings(self, connection: Connection) -> None:
        asked = query(PYTHON)
        moved = [
            images.note_resolution(connection, asked, Resolution(asked, digest), NOW + hour * HOUR)
            for hour, digest in enumerate((OLD, NEW, OLD))
        ]

        assert moved == [False, True, True]
        assert images.history(connection, asked) == (
            Sighting(OLD, NOW, NOW),
            Sighting(NEW, NOW + HOUR, NOW + HOUR),
            Sighting(OLD, NOW + 2 * HOUR, NOW + 2 * HOUR),
        )

    def test_the_newest_are_told_the_oldest_of_them_first(self, connection: Connection) -> None:
        for hour in range(10):
            add_digest(connection, PYTHON, (OLD, NEW)[hour % 2], NOW + hour * HOUR)

        found = images.history(connection, query(PYTHON), limit=3)

        assert [one.first_seen for one in found] == [NOW + hour * HOUR for hour in (7, 8, 9)]

    def test_each_platform_has_its_own(self, connection: Connection) -> None:
        index = query(PYTHON)
        arm = Query(index.image, Platform.parse("linux/arm64"))
        images.note_resolution(connection, index, Resolution(index, OLD), NOW)
        images.note_resolution(connection, arm, Resolution(arm, NEW), NOW)

        assert [one.digest for one in images.history(connection, index)] == [OLD]
        assert [one.digest for one in images.history(connection, arm)] == [NEW]

    def test_a_failure_is_no_part_of_it(self, connection: Connection) -> None:
        add_digest(connection, PYTHON, OLD, NOW)
        add_failure(connection, PYTHON, at=NOW + HOUR)
        add_digest(connection, PYTHON, OLD, NOW + 2 * HOUR)

        assert images.history(connection, query(PYTHON)) == (Sighting(OLD, NOW, NOW + 2 * HOUR),)

    def test_nobody_follows_it_any_more_and_it_stays(self, connection: Connection) -> None:
        follow(connection, "acme/a")
        add_digest(connection, PYTHON, OLD, NOW)

        repos.note_gone(connection, TARGET, "later", NOW)

        assert images.queries(connection) == []
        assert len(images.history(connection, query(PYTHON))) == 1

    def test_rows_are_added_and_never_removed(self, connection: Connection) -> None:
        seen: list[int] = []
        for hour, digest in enumerate((OLD, OLD, NEW, OLD, OLD, NEW)):
            add_digest(connection, PYTHON, digest, NOW + hour * HOUR)
            rows = connection.execute(text("SELECT id FROM sightings ORDER BY id")).scalars().all()
            assert list(rows[: len(seen)]) == seen
            seen = list(rows)

        assert len(seen) == 4


NUMBERS = count()
STEPS = st.lists(
    st.tuples(
        st.sampled_from([Digest("sha256", letter * 64) for letter in "abc"]),
        # A clock may be set back, too.
        st.integers(min_value=-3600, max_value=36_000),
    ),
    min_size=1,
    max_size=20,
)


# The examples share a state: each asks about a tag of its own.
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_is_seen_history_is_in_order(
    database: Database, steps: list[tuple[Digest, int]]
) -> None:
    asked, now = query(f"python:{next(NUMBERS)}"), NOW
    with database.begin() as connection:
        for digest, seconds in steps:
            now += timedelta(seconds=seconds)
            images.note_resolution(connection, asked, Resolution(asked, digest), now)

        found = images.history(connection, asked)

    assert all(one.first_seen <= one.last_seen for one in found)
    assert all(one.last_seen <= after.first_seen for one, after in pairwise(found))
    # Each move is there, and nothing else.
    assert [one.digest for one in found] == [
        digest for digest, _ in groupby(one for one, _ in steps)
    ]


def test_a_name_may_be_longer_than_an_index_takes(connection: Connection) -> None:
    # Of all different letters: what repeats itself would be made short.
    letters = "".join(hashlib.sha256(f"{number}".encode()).hexdigest() for number in range(200))
    numbers = add_repos(connection, "acme/a")
    asked = query(f"{letters}.example/python:3")

    findings.replace(connection, numbers["acme/a"], [finding(str(asked))], NOW)

    assert images.queries(connection) == [asked]


class TestQueries:
    def test_each_is_told_once(self, connection: Connection) -> None:
        numbers = follow(connection, "acme/a", "acme/b")
        findings.replace(
            connection, numbers["acme/b"], [finding(PYTHON), finding(NODE, line=9)], NOW
        )

        assert images.queries(connection) == [query(PYTHON), query(NODE)]

    def test_what_most_repos_follow_comes_first(self, connection: Connection) -> None:
        strange = [finding(f"r{n}.example/a:1", line=n + 1) for n in range(20)]
        findings.replace(connection, add_repos(connection, "acme/x")["acme/x"], strange, NOW)
        names = ["acme/x", "acme/y", "acme/z"]
        for number in list(add_repos(connection, *names).values())[1:]:
            findings.replace(connection, number, [finding(PYTHON)], NOW)

        first, *others = images.queries(connection)

        assert first == query(PYTHON)
        assert len(others) == 20

    def test_what_only_was_followed_is_none(self, connection: Connection) -> None:
        numbers = follow(connection, "acme/a")

        findings.replace(connection, numbers["acme/a"], [finding(NODE)], NOW)

        assert images.queries(connection) == [query(NODE)]

    def test_repos_that_are_left_out_have_none(self, connection: Connection) -> None:
        follow(connection, "acme/a")

        add_repos(connection, left_out=["acme/a"])

        assert images.queries(connection) == []


class TestFailing:
    def test_it_tells_how_many_repos_follow_it(self, connection: Connection) -> None:
        follow(connection, "acme/a", "acme/b")
        add_failure(connection, PYTHON)

        (found,) = images.failing(connection)

        assert found.repos == 2

    def test_it_has_been_since_the_first_failure(self, connection: Connection) -> None:
        follow(connection, "acme/a")
        add_failure(connection, PYTHON, "timeout", NOW)
        add_failure(connection, PYTHON, "rate-limited", NOW + HOUR)

        (found,) = images.failing(connection)

        message = "docker.io fails: rate-limited"
        assert found == Failing(query(PYTHON), "docker.io", "rate-limited", message, NOW)

    def test_an_answer_ends_it(self, connection: Connection) -> None:
        follow(connection, "acme/a")
        add_failure(connection, PYTHON)

        add_digest(connection, PYTHON, OLD, NOW + HOUR)

        assert images.failing(connection) == []

    def test_another_failure_later_is_new(self, connection: Connection) -> None:
        follow(connection, "acme/a")
        add_failure(connection, PYTHON)
        add_digest(connection, PYTHON, OLD, NOW + HOUR)

        add_failure(connection, PYTHON, at=NOW + 2 * HOUR)

        assert [one.since for one in images.failing(connection)] == [NOW + 2 * HOUR]

    def test_what_nobody_follows_does_not_matter(self, connection: Connection) -> None:
        add_failure(connection, PYTHON)

        assert images.failing(connection) == []

    def test_those_that_have_been_for_longest_come_first(self, connection: Connection) -> None:
        number = follow(connection, "acme/a")["acme/a"]
        findings.replace(connection, number, [finding(PYTHON), finding(NODE)], NOW)
        add_failure(connection, PYTHON, at=NOW)
        add_failure(connection, NODE, at=NOW - HOUR)

        assert [one.query for one in images.failing(connection)] == [query(NODE), query(PYTHON)]

    def test_what_the_tag_had_is_not_forgotten(self, connection: Connection) -> None:
        follow(connection, "acme/a")
        add_digest(connection, PYTHON, OLD, NOW)

        add_failure(connection, PYTHON, at=NOW + HOUR)

        assert images.tags(connection) == [TagState(query(PYTHON), OLD, NOW, NOW, repos=1)]

    def test_who_was_asked_is_named_not_who_the_image_names(self, connection: Connection) -> None:
        follow(connection, "acme/a")
        error = RegistryError("it is busy", code="timeout", host="mirror.example.com")

        images.note_failure(connection, query(PYTHON), error, NOW)

        assert [one.host for one in images.failing(connection)] == ["mirror.example.com"]

    def test_what_a_registry_says_may_be_odd(self, connection: Connection) -> None:
        follow(connection, "acme/a")
        error = RegistryError("it says \0\udcff", code="unexpected", host="docker.io")

        images.note_failure(connection, query(PYTHON), error, NOW)

        assert [one.message for one in images.failing(connection)] == ["it says ??"]


class TestPrune:
    def test_a_tag_that_always_moves_is_not_kept_without_end(
        self, connection: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(images, "KEPT", 3)
        follow(connection, "acme/a")
        add_digest(connection, NODE, OLD, NOW)
        for hour in range(10):
            add_digest(connection, PYTHON, Digest.of(bytes([hour])), NOW + hour * HOUR)
        newest = images.history(connection, query(PYTHON))[-3:]

        images.prune(connection, NOW - HOUR)

        assert images.history(connection, query(PYTHON)) == newest
        assert len(images.history(connection, query(NODE))) == 1

    def test_what_nobody_follows_any_more_is_forgotten_after_a_time(
        self, connection: Connection
    ) -> None:
        follow(connection, "acme/a")
        for image in (PYTHON, NODE):
            add_digest(connection, image, OLD, NOW)
        add_failure(connection, "old:1")

        images.prune(connection, NOW)
        kept = connection.execute(text("SELECT count(*) FROM images")).scalar()
        images.prune(connection, NOW + HOUR)

        assert kept == 3
        assert connection.execute(text("SELECT tag FROM images")).scalars().all() == ["3.12"]
        assert images.history(connection, query(PYTHON)) != ()

    def test_what_a_repo_that_is_left_out_has_is_kept(self, connection: Connection) -> None:
        follow(connection, "acme/a")
        add_digest(connection, PYTHON, OLD, NOW)
        add_repos(connection, left_out=["acme/a"])

        images.prune(connection, NOW + HOUR)

        assert images.history(connection, query(PYTHON)) != ()


class TestTags:
    def test_those_that_most_repos_follow_come_first(self, connection: Connection) -> None:
        numbers = add_repos(connection, "acme/a", "acme/b")
        twice = [finding(PYTHON, line=1), finding(PYTHON, line=2)]
        findings.replace(connection, numbers["acme/a"], [finding(NODE), *twice], NOW)
        findings.replace(connection, numbers["acme/b"], twice, NOW)
        add_digest(connection, PYTHON, OLD, NOW - HOUR)
        add_digest(connection, PYTHON, OLD, NOW)

        assert images.tags(connection) == [
            TagState(query(PYTHON), OLD, NOW - HOUR, NOW, repos=2),
            TagState(query(NODE), None, None, None, repos=1),
        ]

    def test_since_is_when_it_moved_last(self, connection: Connection) -> None:
        follow(connection, "acme/a")
        for hour, digest in enumerate((OLD, NEW, NEW)):
            add_digest(connection, PYTHON, digest, NOW + hour * HOUR)

        (found,) = images.tags(connection)

        assert (found.digest, found.since, found.checked_at) == (NEW, NOW + HOUR, NOW + 2 * HOUR)

    def test_repos_that_are_left_out_do_not_count(self, connection: Connection) -> None:
        follow(connection, "acme/a", "acme/b")

        add_repos(connection, left_out=["acme/b"])

        assert [one.repos for one in images.tags(connection)] == [1]
