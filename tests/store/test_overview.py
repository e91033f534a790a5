from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection, update

from digestbot.image import Digest
from digestbot.policy.finding import Status
from digestbot.proposals.outcome import Outcome
from digestbot.scan.result import Problem
from digestbot.store import conditions, moves, overview, runs
from digestbot.store.conditions import Condition
from digestbot.store.overview import MOST_PULLS, Asked, Glance, glance
from digestbot.store.runs import RunState
from digestbot.store.tables import REPOS
from tests.service.state import (
    DAY,
    HOUR,
    NEW,
    NOW,
    OLD,
    add_digest,
    add_failure,
    add_findings,
    add_proposal,
    add_repos,
    add_run,
    finding,
    held,
    settle,
)
from tests.store.statements import counted

ASKED = Asked(NOW, 30, 7 * DAY, (), ("platform-lost",))


def seen(connection: Connection) -> Glance:
    return glance(connection, ASKED)


def digest(number: int) -> Digest:
    return Digest("sha256", f"{number:064x}")


def test_of_an_empty_state_there_is_nothing_to_say(connection: Connection) -> None:
    found = seen(connection)

    assert found.cycle is None
    assert found.last_success is None
    assert (found.images, found.open_total, found.waiting_total, found.moved) == (0, 0, 0, 0)
    assert not any((found.failing, found.troubled, found.denied, found.held, found.waiting))


def test_the_last_whole_cycle_is_told_and_no_run_over_a_part(connection: Connection) -> None:
    add_run(connection, "first", at=NOW - 3 * HOUR)
    add_run(connection, "second", RunState.RUNNING, at=NOW - 2 * HOUR)
    runs.begin(connection, "part", "image", NOW - HOUR)

    found = seen(connection)

    assert found.cycle == overview.LastCycle("second", RunState.RUNNING, NOW - 2 * HOUR)
    assert found.last_success is not None


def test_pull_requests_that_wait_for_too_long_are_told_the_oldest_first(
    connection: Connection,
) -> None:
    ids = add_repos(connection, "acme/a", "acme/b", "acme/c")
    add_proposal(connection, ids["acme/a"], "acme/a", at=NOW - 8 * DAY)
    add_proposal(connection, ids["acme/b"], "acme/b", at=NOW - 9 * DAY)
    add_proposal(connection, ids["acme/c"], "acme/c", at=NOW - 6 * DAY)

    found = seen(connection)

    assert [(one.repo_id, one.repo) for one in found.waiting] == [
        (ids["acme/b"], "acme/b"),
        (ids["acme/a"], "acme/a"),
    ]
    assert (found.open_total, found.waiting_total) == (3, 2)


def test_only_the_first_of_many_pull_requests_are_read(connection: Connection) -> None:
    names = [f"acme/r{number}" for number in range(MOST_PULLS + 2)]
    for name, number in add_repos(connection, *names).items():
        add_proposal(connection, number, name, at=NOW - 8 * DAY)

    found = seen(connection)

    assert len(found.waiting) == MOST_PULLS
    assert found.waiting_total == MOST_PULLS + 2


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"left_out": "archived"}, id="left out"),
        pytest.param({"gone_at": NOW}, id="gone"),
    ],
)
def test_of_repos_that_nobody_works_on_nothing_is_asked(
    connection: Connection, change: dict[str, object]
) -> None:
    number = add_repos(connection, "acme/a")["acme/a"]
    add_proposal(connection, number, "acme/a", at=NOW - 8 * DAY)
    settle(connection, number, "acme/a", Problem("repo", "acme/a", "denied", "no"))
    connection.execute(update(REPOS).values(**change))

    found = seen(connection)

    assert (found.open_total, found.waiting, found.troubled) == (0, [], [])


@pytest.mark.parametrize("outcome", [Outcome.MERGED, Outcome.CLOSED, Outcome.LIMITED])
def test_what_is_not_open_does_not_wait_for_anybody(
    connection: Connection, outcome: Outcome
) -> None:
    number = add_repos(connection, "acme/a")["acme/a"]
    add_proposal(connection, number, "acme/a", at=NOW - 8 * DAY)
    add_proposal(connection, number, "acme/a", outcome, at=NOW - DAY)

    found = seen(connection)

    assert (found.open_total, found.waiting_total) == (0, 0)


def test_repos_with_problems_are_told_with_all_of_them(connection: Connection) -> None:
    ids = add_repos(connection, "acme/b", "acme/a", "acme/fine")
    denied = Problem("repo", "acme/a", "denied", "no", "log in")
    settle(connection, ids["acme/b"], "acme/b", denied)
    settle(connection, ids["acme/a"], "acme/a", denied, replace(denied, code="other"))
    settle(connection, ids["acme/fine"], "acme/fine")

    found = seen(connection)

    assert [(one.id, one.name, len(one.problems)) for one in found.troubled] == [
        (ids["acme/a"], "acme/a", 2),
        (ids["acme/b"], "acme/b", 1),
    ]


def test_images_are_counted_that_live_repos_follow(connection: Connection) -> None:
    ids = add_repos(connection, "acme/a", "acme/b")
    add_findings(connection, ids["acme/a"], finding("python:3.12"), finding("node:22", line=4))
    add_findings(connection, ids["acme/b"], finding("python:3.12"), finding("redis:7", line=4))
    connection.execute(update(REPOS).where(REPOS.c.id == ids["acme/b"]).values(left_out="archived"))

    assert seen(connection).images == 2


def test_what_fails_is_told_where_a_live_repo_has_it(connection: Connection) -> None:
    ids = add_repos(connection, "acme/a", "acme/b", "acme/c")
    for name in ("acme/a", "acme/b"):
        add_findings(connection, ids[name], finding("python:3.12"))
    add_findings(connection, ids["acme/c"], finding("redis:7"))
    add_failure(connection, "python:3.12", "timeout", NOW - HOUR)
    add_failure(connection, "redis:7", "timeout", NOW - DAY)
    connection.execute(update(REPOS).where(REPOS.c.id == ids["acme/c"]).values(left_out="archived"))

    found = seen(connection)

    assert [(str(one.query), one.repos) for one in found.failing] == [
        ("docker.io/library/python:3.12", 2)
    ]


def test_what_somebody_has_to_decide_is_told_with_its_image(connection: Connection) -> None:
    number = add_repos(connection, "acme/a")["acme/a"]
    add_digest(connection, "java:21", NEW, NOW)
    add_findings(
        connection, number, held("redis:7", "settling"), held("java:21", "platform-lost", line=4)
    )

    found = seen(connection)

    assert [(one.reason, one.image_id) for one in found.held] == [("platform-lost", 1)]
    assert found.held_total == 2


def test_what_operators_were_told_and_what_is_denied_is_there(connection: Connection) -> None:
    number = add_repos(connection, "acme/a")["acme/a"]
    add_findings(connection, number, finding(digest=OLD))
    told = Condition("target:github:acme", "cycle", "unauthorized", "no", "log in")
    conditions.note(connection, [told], NOW)

    found = glance(connection, replace(ASKED, deny=[str(OLD)]))

    assert found.conditions == [told]
    assert [(one.digest, one.repos) for one in found.denied] == [(str(OLD), 1)]


def test_a_tag_that_moves_all_the_time_is_told_once(connection: Connection) -> None:
    number = add_repos(connection, "acme/a")["acme/a"]
    for place in range(5):
        add_digest(connection, "python:3.12", digest(place), NOW - (5 - place) * HOUR)
    add_digest(connection, "redis:7", OLD, NOW - 9 * DAY)
    add_digest(connection, "redis:7", NEW, NOW - DAY)
    add_digest(connection, "node:22", NEW, NOW - DAY)
    stale = finding(status=Status.STALE, digest=digest(3))
    add_findings(connection, number, stale, finding("redis:7", digest=NEW, line=9))

    found = seen(connection)

    assert [
        (str(one.query), one.old_digest, one.new_digest, one.times, one.repos_on_old)
        for one in found.moves
    ] == [
        ("docker.io/library/python:3.12", str(digest(3)), str(digest(4)), 4, 1),
        ("docker.io/library/redis:7", str(OLD), str(NEW), 1, 0),
    ]
    assert found.moved == moves.count(connection, NOW - 7 * DAY) == 2


def test_the_same_questions_are_asked_however_large_the_fleet_is(connection: Connection) -> None:
    names = [f"acme/r{number}" for number in range(30)]
    for name, number in add_repos(connection, *names).items():
        add_findings(connection, number, finding(status=Status.STALE))
        settle(connection, number, name, Problem("repo", name, "denied", "no"))

    with counted(connection) as asked:
        seen(connection)

    assert len(asked) <= 20
