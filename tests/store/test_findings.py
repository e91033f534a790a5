"""What was found in each repo when it was worked on last."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection

from digestbot.files.occurrence import Occurrence, Steering
from digestbot.image import Digest, ImageReference, Platform
from digestbot.policy.finding import Finding, Status
from digestbot.registry.resolution import Query
from digestbot.store import findings, images, repos
from digestbot.store.findings import Freshness, StoredFinding
from digestbot.store.repos import Due
from digestbot.store.tables import FINDINGS
from tests.service.state import (
    DAY,
    HOUR,
    NEW,
    NOW,
    OLD,
    TARGET,
    add_digest,
    add_findings,
    add_repos,
    finding,
    held,
    query,
    settle,
)

APP, WEB = "acme/app", "acme/web"


def seen(connection: Connection, status: Status = Status.HELD) -> list[str]:
    """Repo and line of what has this status."""
    listed = findings.held if status is Status.HELD else findings.failed
    return [f"{one.repo}:{one.line}" for one in listed(connection)]


def of(
    written: str,
    status: Status = Status.CURRENT,
    *,
    tag: str | None = None,
    platform: Platform | None = None,
) -> Finding:
    reference = ImageReference.parse(written)
    occurrence = Occurrence("Dockerfile", 3, 1, "dockerfile", "from", written, reference)
    steered = replace(occurrence, steering=Steering(tag, platform))
    return Finding(steered, status, "why", "because")


def due(connection: Connection) -> list[Due]:
    return repos.due(connection, target=TARGET, rules="1", now=NOW)


def test_they_take_the_place_of_all_earlier_ones_of_the_repo(connection: Connection) -> None:
    ids = add_repos(connection, APP, WEB)
    for number in ids.values():
        add_findings(connection, number, held("a:1", "settling"), held("a:2", "settling", line=9))

    add_findings(connection, ids[APP], held("a:3", "settling", line=5))

    assert sorted(seen(connection)) == [f"{APP}:5", f"{WEB}:3", f"{WEB}:9"]


def test_there_may_be_none(connection: Connection) -> None:
    (number,) = add_repos(connection, APP).values()
    add_findings(connection, number, finding())

    add_findings(connection, number)

    assert findings.counts(connection) == dict.fromkeys(Status, 0)
    assert images.queries(connection) == []


def test_all_of_a_finding_is_kept(connection: Connection) -> None:
    (number,) = add_repos(connection, APP).values()
    given = replace(held("python:3.12", "settling", NOW + DAY), hint="wait", new_digest=NEW)

    add_findings(connection, number, given)

    assert findings.held(connection) == [
        StoredFinding(
            repo=APP,
            path="Dockerfile",
            line=3,
            image="docker.io/library/python:3.12",
            digest=str(OLD),
            status=Status.HELD,
            reason="settling",
            message="python:3.12 is held: settling",
            hint="wait",
            new_digest=str(NEW),
            until=NOW + DAY,
        )
    ]


def test_text_that_no_database_keeps_is_no_failure(connection: Connection) -> None:
    (number,) = add_repos(connection, APP).values()
    given = held("python:3.12", "settling")
    strange = replace(given.occurrence, path="a\0b\udcff", written="x\0")

    add_findings(connection, number, replace(given, occurrence=strange, message="\0"))

    (found,) = findings.held(connection)
    assert (found.path, found.message) == ("a?b?", "?")


def test_what_is_no_reference_is_kept_too(connection: Connection) -> None:
    (number,) = add_repos(connection, APP).values()
    occurrence = Occurrence("Dockerfile", 3, 1, "dockerfile", "from", "$BASE")
    given = Finding(occurrence, Status.FAILED, "not-a-reference", "no reference")

    add_findings(connection, number, given)

    (found,) = findings.failed(connection)
    assert (found.image, found.digest) == ("", None)


@pytest.mark.parametrize(
    "given, followed",
    [
        pytest.param(of("python:3.12"), query(), id="tag"),
        pytest.param(of(f"python:3.12@{OLD}"), query(), id="tag-and-digest"),
        pytest.param(of(f"python@{OLD}", tag="3.12"), query(), id="tag-in-a-comment"),
        pytest.param(
            of("python:3.12", platform=Platform.parse("linux/arm64")),
            Query(query().image, Platform.parse("linux/arm64")),
            id="platform",
        ),
        pytest.param(of("python:3.12", Status.FAILED), query(), id="failed"),
        pytest.param(of("python:3.12", Status.SKIPPED), None, id="skipped"),
        pytest.param(of("python:3.12", Status.UNPINNED), None, id="unpinned"),
        pytest.param(
            replace(of("python:3.12", Status.UNPINNED), new_digest=NEW), query(), id="to-be-pinned"
        ),
        pytest.param(of(f"python@{OLD}"), None, id="digest-alone"),
    ],
)
def test_what_is_asked_about_is_what_is_followed(
    connection: Connection, given: Finding, followed: Query | None
) -> None:
    (number,) = add_repos(connection, APP).values()

    add_findings(connection, number, given)

    assert images.queries(connection) == ([followed] if followed else [])


def test_they_were_judged_by_the_offer_of_that_moment(connection: Connection) -> None:
    (number,) = add_repos(connection, APP).values()
    images.image_id(connection, query())
    images.note_offer(connection, query(), "first")
    add_findings(connection, number, finding(), finding(line=9))
    repos.settle(
        connection,
        number,
        repo=replace(due(connection)[0].repo, pulse="1"),
        rules="1",
        due_at=None,
        now=NOW,
    )
    repos.note_listed(connection, TARGET, "r", [replace(due(connection)[0].repo, pulse="1")], NOW)
    before = due(connection)

    images.note_offer(connection, query(), "second")
    between = [one.reason for one in due(connection)]
    add_findings(connection, number, finding(), finding(line=9))

    assert (before, between, due(connection)) == ([], ["offers"], [])


def test_there_may_be_very_many(connection: Connection) -> None:
    (number,) = add_repos(connection, APP).values()
    many = [finding(f"acme/image-{line % 50}:1", line=line) for line in range(1, 3_001)]

    add_findings(connection, number, *many)

    assert findings.counts(connection)[Status.CURRENT] == 3_000
    assert len(images.queries(connection)) == 50


def test_each_status_is_counted(connection: Connection) -> None:
    ids = add_repos(connection, APP, WEB)
    add_findings(connection, ids[APP], *(finding(status=status) for status in Status))
    add_findings(connection, ids[WEB], finding(status=Status.STALE))

    expected = {**dict.fromkeys(Status, 1), Status.STALE: 2}
    assert findings.counts(connection) == expected


@pytest.mark.parametrize("left_out", [True, False], ids=["left-out", "gone"])
def test_of_repos_that_are_not_touched_nothing_is_said(
    connection: Connection, left_out: bool
) -> None:
    (number,) = add_repos(connection, APP).values()
    failure = finding(status=Status.FAILED)
    add_findings(connection, number, held("a:1", "settling"), failure, finding("b:1", Status.STALE))
    add_digest(connection, "b:1", NEW, NOW)

    if left_out:
        add_repos(connection, left_out=[APP])
    else:
        repos.note_gone(connection, TARGET, "another run", NOW)

    assert findings.counts(connection) == dict.fromkeys(Status, 0)
    assert seen(connection) == seen(connection, Status.FAILED) == []
    assert findings.denied(connection, [OLD]) == []
    assert findings.freshness(connection) == Freshness()


class TestLists:
    def test_what_is_due_first_comes_first_and_what_has_no_date_last(
        self, connection: Connection
    ) -> None:
        ids = add_repos(connection, APP, WEB)
        add_findings(
            connection,
            ids[WEB],
            held("a:1", "settling", line=1),
            held("a:1", "settling", NOW + DAY, line=2),
        )
        add_findings(
            connection,
            ids[APP],
            held("a:1", "settling", NOW + HOUR, line=3),
            held("a:1", "settling", line=5),
            held("a:1", "settling", line=4),
        )

        found = seen(connection)

        assert found == [f"{APP}:3", f"{WEB}:2", f"{APP}:5", f"{APP}:4", f"{WEB}:1"]

    def test_no_more_than_asked_for(self, connection: Connection) -> None:
        (number,) = add_repos(connection, APP).values()
        add_findings(connection, number, *(held("a:1", "x", line=line) for line in range(1, 5)))

        assert [one.line for one in findings.held(connection, limit=2)] == [1, 2]

    def test_what_pins_a_denied_digest_is_found_whatever_its_status(
        self, connection: Connection
    ) -> None:
        (number,) = add_repos(connection, APP).values()
        others = Digest("sha256", "c" * 64), Digest("sha256", "d" * 64)
        add_findings(
            connection,
            number,
            finding(digest=OLD, line=1),
            finding(digest=NEW, line=2, status=Status.SKIPPED),
            finding(digest=others[0], line=3),
        )

        found = findings.denied(connection, [OLD, NEW, others[1]])

        assert [one.line for one in found] == [1, 2]
        assert findings.denied(connection, []) == []


class TestFreshness:
    def test_without_pins_there_is_no_ratio(self, connection: Connection) -> None:
        assert findings.freshness(connection) == Freshness()
        assert Freshness().ratio is None

    def test_it_is_the_share_of_current_pins(self, connection: Connection) -> None:
        (number,) = add_repos(connection, APP).values()
        statuses = [Status.CURRENT, Status.CURRENT, Status.STALE, Status.HELD]
        unknown = [Status.FAILED, Status.SKIPPED, Status.UNPINNED]
        add_findings(connection, number, *(finding(status=one) for one in statuses + unknown))

        found = findings.freshness(connection)

        assert (found.current, found.stale, found.held, found.ratio) == (2, 1, 1, 0.5)

    def test_the_oldest_stale_pin_is_as_old_as_the_digest_it_lacks(
        self, connection: Connection
    ) -> None:
        (number,) = add_repos(connection, APP).values()
        for image, hours in (("a:1", 3), ("b:1", 2), ("c:1", 1)):
            add_digest(connection, image, NEW, NOW - hours * HOUR)
        stale = [finding(image, Status.STALE) for image in ("b:1", "c:1")]
        add_findings(connection, number, finding("a:1"), *stale)

        assert findings.freshness(connection).oldest_stale_since == NOW - 2 * HOUR


def test_a_repo_that_is_deleted_takes_its_findings_along(connection: Connection) -> None:
    (number,) = add_repos(connection, APP).values()
    add_findings(connection, number, finding())
    settle(connection, number, APP)

    connection.exec_driver_sql("DELETE FROM repos")

    assert connection.execute(FINDINGS.select()).all() == []
