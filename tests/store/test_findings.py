"""What was found in each repo."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from digestbot.files.occurrence import Occurrence, Skip, Steering
from digestbot.image import Digest, ImageReference, Platform
from digestbot.policy.finding import DENIED_PINNED, Finding, Status
from digestbot.registry.resolution import Query
from digestbot.store import findings, images, repos
from digestbot.store.findings import Freshness, StoredFinding
from digestbot.store.tables import REPOS
from tests.service.state import (
    DAY,
    HOUR,
    NEW,
    NOW,
    OLD,
    TARGET,
    add_digest,
    add_repos,
    finding,
    query,
)
from tests.store.statements import counted

STALE = replace(finding(status=Status.STALE, reason="digest-moved"), new_digest=NEW)


def held(image: str, until: datetime | None, line: int = 3) -> Finding:
    return finding(image, Status.HELD, reason="settling", until=until, line=line)


def occurrence(written: str, **more: object) -> Occurrence:
    reference = ImageReference.parse(written)
    plain = Occurrence("Dockerfile", 1, 1, "dockerfile", "from", written, reference=reference)
    return replace(plain, **more)  # type: ignore[arg-type] # names of its fields


class TestReplace:
    def test_the_earlier_ones_are_gone(self, connection: Connection) -> None:
        number = add_repos(connection, "acme/a")["acme/a"]
        findings.replace(connection, number, [finding(), STALE], NOW)

        findings.replace(connection, number, [STALE], NOW + HOUR)

        assert findings.counts(connection) == {**dict.fromkeys(Status, 0), Status.STALE: 1}

    def test_those_of_other_repos_stay(self, connection: Connection) -> None:
        numbers = add_repos(connection, "acme/a", "acme/b")
        for number in numbers.values():
            findings.replace(connection, number, [finding()], NOW)

        findings.replace(connection, numbers["acme/a"], [], NOW)

        assert findings.counts(connection)[Status.CURRENT] == 1

    def test_a_thousand_of_one_image_are_a_handful_of_statements(
        self, connection: Connection
    ) -> None:
        number = add_repos(connection, "acme/a")["acme/a"]
        many = [finding(line=line) for line in range(1, 1001)]

        with counted(connection) as statements:
            findings.replace(connection, number, many, NOW)

        assert len(statements) < 10
        assert findings.counts(connection)[Status.CURRENT] == 1000

    def test_a_repo_that_is_looked_at_again_costs_a_statement_for_each_image(
        self, connection: Connection
    ) -> None:
        number = add_repos(connection, "acme/a")["acme/a"]
        found = [finding("debian:12"), finding("python:3"), finding("node:24")]
        findings.replace(connection, number, found, NOW)

        with counted(connection) as statements:
            findings.replace(connection, number, found, NOW + HOUR)

        # The old ones go, the new ones come, and what they come to is kept with the repo.
        assert len(statements) == 3 + 3

    def test_what_they_come_to_is_kept_with_the_repo(self, connection: Connection) -> None:
        number = add_repos(connection, "acme/a")["acme/a"]
        denied = finding(status=Status.CURRENT, reason=DENIED_PINNED)
        found = [finding(status=Status.STALE), *(finding(status=one) for one in Status), denied]

        findings.replace(connection, number, found, NOW)

        (row,) = connection.execute(REPOS.select()).all()
        assert (row.current_count, row.stale_count, row.held_count) == (2, 2, 1)
        assert (row.failed_count, row.unpinned_count, row.skipped_count) == (1, 1, 1)
        assert row.denied_count == 1

    def test_where_there_are_none_any_more_it_comes_to_nothing(
        self, connection: Connection
    ) -> None:
        number = add_repos(connection, "acme/a")["acme/a"]
        add_digest(connection, "python:3.12", NEW, NOW)
        findings.replace(connection, number, [finding(status=Status.STALE)], NOW)

        findings.replace(connection, number, [], NOW)

        (row,) = connection.execute(REPOS.select()).all()
        assert (row.stale_count, row.behind_since) == (0, None)

    def test_the_platform_of_the_comment_is_part_of_the_question(
        self, connection: Connection
    ) -> None:
        number = add_repos(connection, "acme/a")["acme/a"]
        arm = Platform.parse("linux/arm64")
        found = occurrence(f"python@{OLD}", steering=Steering(tag="3.12", platform=arm))

        findings.replace(connection, number, [Finding(found, Status.CURRENT, "x", "")], NOW)

        assert images.queries(connection) == [Query(query("python:3.12").image, arm)]

    def test_what_is_not_followed_has_no_question(self, connection: Connection) -> None:
        number = add_repos(connection, "acme/a")["acme/a"]
        skip = Skip("stage", "it is a stage")
        unreadable = Occurrence("Dockerfile", 1, 1, "dockerfile", "from", "$X", skip=skip)

        findings.replace(
            connection,
            number,
            [
                Finding(unreadable, Status.SKIPPED, "stage", "it is a stage"),
                Finding(occurrence(f"python:3@{OLD}"), Status.SKIPPED, "ignored", "so it says"),
                Finding(occurrence("python:3"), Status.UNPINNED, "no-digest", "it has none"),
            ],
            NOW,
        )

        assert images.queries(connection) == []
        assert findings.counts(connection)[Status.SKIPPED] == 2

    def test_what_is_to_be_pinned_has_one(self, connection: Connection) -> None:
        number = add_repos(connection, "acme/a")["acme/a"]
        found = Finding(occurrence("python:3"), Status.UNPINNED, "no-digest", "", new_digest=NEW)

        findings.replace(connection, number, [found], NOW)

        assert images.queries(connection) == [query("python:3")]

    def test_a_digest_alone_has_none_and_a_failure_has_one(self, connection: Connection) -> None:
        number = add_repos(connection, "acme/a")["acme/a"]
        alone = Finding(occurrence(f"python@{OLD}"), Status.FAILED, "no-tag", "")
        failed = finding("node:22", Status.FAILED)

        findings.replace(connection, number, [alone, failed], NOW)

        assert images.queries(connection) == [query("node:22")]

    def test_very_many_of_many_images(self, connection: Connection) -> None:
        number = add_repos(connection, "acme/a")["acme/a"]
        many = [finding(f"acme/image-{line % 50}:1", line=line) for line in range(1, 3_001)]

        findings.replace(connection, number, many, NOW)

        assert findings.counts(connection)[Status.CURRENT] == 3_000
        assert len(images.queries(connection)) == 50

    def test_names_and_words_may_be_odd(self, connection: Connection) -> None:
        number = add_repos(connection, "acme/a")["acme/a"]

        findings.replace(
            connection,
            number,
            [finding(status=Status.FAILED, path="a\0b\udcff", message="\0")],
            NOW,
        )

        (found,) = findings.failed(connection)
        assert (found.path, found.message) == ("a?b?", "?")


class TestLists:
    def test_a_held_one_has_all_that_is_to_be_said_of_it(self, connection: Connection) -> None:
        number = add_repos(connection, "acme/a")["acme/a"]
        findings.replace(connection, number, [held("python:3.12", NOW + HOUR)], NOW)

        assert findings.held(connection) == [
            StoredFinding(
                repo="acme/a",
                path="Dockerfile",
                line=3,
                image="docker.io/library/python:3.12",
                digest=str(OLD),
                status=Status.HELD,
                reason="settling",
                message="it is so",
                hint="",
                new_digest=None,
                until=NOW + HOUR,
            )
        ]

    def test_what_is_due_first_comes_first(self, connection: Connection) -> None:
        number = add_repos(connection, "acme/a")["acme/a"]
        found = [
            held("python:3.12", None, line=1),
            held("python:3.12", NOW + DAY, line=2),
            held("python:3.12", NOW + HOUR, line=3),
        ]
        findings.replace(connection, number, found, NOW)

        assert [one.line for one in findings.held(connection)] == [3, 2, 1]
        assert [one.line for one in findings.held(connection, limit=1)] == [3]

    def test_failed_ones(self, connection: Connection) -> None:
        number = add_repos(connection, "acme/a")["acme/a"]
        failed = finding(status=Status.FAILED, reason="timeout")
        findings.replace(connection, number, [finding(), failed], NOW)

        assert [one.reason for one in findings.failed(connection)] == ["timeout"]

    def test_those_that_pin_a_denied_digest(self, connection: Connection) -> None:
        number = add_repos(connection, "acme/a")["acme/a"]
        findings.replace(connection, number, [finding(digest=OLD), finding(digest=NEW)], NOW)
        never = Digest("sha256", "f" * 64)

        assert [one.digest for one in findings.denied(connection, [NEW, never])] == [str(NEW)]
        assert findings.denied(connection, []) == []

    def test_a_denied_digest_is_found_whatever_else_is_true_of_it(
        self, connection: Connection
    ) -> None:
        number = add_repos(connection, "acme/a")["acme/a"]
        found = [finding(status=status, line=line) for line, status in enumerate(Status, start=1)]
        findings.replace(connection, number, found, NOW)

        assert [one.status for one in findings.denied(connection, [OLD])] == list(Status)

    def test_repos_that_are_gone_are_not_in_them(self, connection: Connection) -> None:
        number = add_repos(connection, "acme/a")["acme/a"]
        failed = finding(status=Status.FAILED)
        findings.replace(connection, number, [held("python:3.12", None), STALE, failed], NOW)
        add_digest(connection, "python:3.12", NEW, NOW)

        repos.note_gone(connection, TARGET, "later", NOW)

        assert findings.held(connection) == findings.failed(connection) == []
        assert findings.denied(connection, [OLD]) == []
        assert not any(findings.counts(connection).values())
        assert findings.freshness(connection) == Freshness()

    def test_repos_that_are_left_out_are_not_in_them(self, connection: Connection) -> None:
        number = add_repos(connection, "acme/a")["acme/a"]
        findings.replace(connection, number, [held("python:3.12", None), STALE], NOW)
        add_digest(connection, "python:3.12", NEW, NOW)

        add_repos(connection, left_out=["acme/a"])

        assert findings.held(connection) == []
        assert not any(findings.counts(connection).values())
        assert findings.freshness(connection) == Freshness()


class TestFreshness:
    def test_without_pins_there_is_no_ratio(self, connection: Connection) -> None:
        found = findings.freshness(connection)

        assert found == Freshness()
        assert found.ratio is None

    def test_it_is_about_what_is_followed(self, connection: Connection) -> None:
        number = add_repos(connection, "acme/a")["acme/a"]
        unpinned = Finding(occurrence("python:3"), Status.UNPINNED, "no-digest", "")
        pins = [finding(), finding(), STALE, held("python:3.12", None)]
        findings.replace(connection, number, [*pins, unpinned], NOW)

        found = findings.freshness(connection)

        assert (found.current, found.stale, found.held) == (2, 1, 1)
        assert found.ratio == 0.5

    def test_the_oldest_stale_one_is_as_old_as_the_move_of_its_tag(
        self, connection: Connection
    ) -> None:
        number = add_repos(connection, "acme/a")["acme/a"]
        findings.replace(connection, number, [STALE, finding("node:22")], NOW)
        add_digest(connection, "node:22", OLD, NOW - 2 * DAY)
        add_digest(connection, "python:3.12", OLD, NOW - 2 * DAY)
        add_digest(connection, "python:3.12", NEW, NOW - DAY)

        assert findings.freshness(connection).oldest_stale_since == NOW - DAY
