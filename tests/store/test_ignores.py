"""Images that are left alone: where, until when, and which repos hear of it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Connection, select

from digestbot.policy.finding import Status
from digestbot.store import ignores
from digestbot.store.tables import IGNORES, REPOS
from tests.service.state import NOW, add_findings, add_repos, finding, query, settle

IMAGE = query("python:3.12").image
LAST = date(2026, 11, 23)
TODAY = NOW.date()
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def fleet(connection: Connection) -> None:
    """Two repos with Python, one with Go."""
    images = {"acme/app": "python:3.12", "acme/web": "python:3.12", "acme/tool": "golang:1"}
    for name, number in add_repos(connection, *images).items():
        add_findings(connection, number, finding(images[name]))
        settle(connection, number, name)


def add(connection: Connection, repo: str = "", until: date = LAST) -> int | None:
    return ignores.add(connection, IMAGE, until, "loud", "ann", NOW, repo)


def asked(connection: Connection) -> list[str]:
    """The repos that wait."""
    names = select(REPOS.c.name).where(REPOS.c.asked_at == NOW).order_by(REPOS.c.name)
    return list(connection.execute(names).scalars())


def holding(connection: Connection, repo: str = "", day: date = TODAY) -> list[str]:
    return [row.repo for row in ignores.holding(connection, day, repo=repo)]


@pytest.mark.parametrize(
    "repo, found",
    [
        pytest.param("", ["acme/app", "acme/web"], id="all"),
        pytest.param("Acme/App", ["acme/app"], id="one"),
    ],
)
def test_the_repos_that_it_is_about_are_due(
    connection: Connection, repo: str, found: list[str]
) -> None:
    assert add(connection, repo) is not None

    assert asked(connection) == found


def test_what_is_about_no_repo_is_not_kept(connection: Connection) -> None:
    assert add(connection, "acme/tool") is None

    assert ignores.count(connection, TODAY) == 0
    assert asked(connection) == []


def test_it_holds_through_its_last_day(connection: Connection) -> None:
    add(connection)

    days = [LAST - DAY, LAST, LAST + DAY]
    assert [ignores.count(connection, day) for day in days] == [1, 1, 0]


def test_in_a_repo_hold_its_own_and_those_for_all(connection: Connection) -> None:
    for repo in ("", "acme/app", "acme/web"):
        add(connection, repo)

    assert holding(connection, "ACME/app") == ["acme/app", ""]
    assert [row.repo for row in ignores.holding_in(connection, "acme/app", TODAY)] == [
        "",
        "acme/app",
    ]
    assert [row.repo for row in ignores.holding_in(connection, "", TODAY)] == [""]


def test_the_newest_come_first_and_in_pages(connection: Connection) -> None:
    for repo in ("", "acme/app", "acme/web"):
        add(connection, repo)

    rows = ignores.holding(connection, TODAY, image=str(IMAGE), offset=1, limit=1)

    assert [(row.repo, row.who, row.reason, row.until) for row in rows] == [
        ("acme/app", "ann", "loud", LAST)
    ]


def test_a_new_one_takes_the_place_of_the_old_one(connection: Connection) -> None:
    add(connection)
    add(connection, until=LAST + DAY)

    assert [row.until for row in ignores.holding(connection, TODAY)] == [LAST + DAY]


def test_one_that_is_taken_back_has_ended_and_its_repos_are_due(connection: Connection) -> None:
    number = add(connection, "acme/app")
    assert number is not None
    left = finding("python:3.12", Status.SKIPPED, reason="ignored")
    add_findings(connection, 1, left)
    connection.execute(REPOS.update().values(asked_at=None))

    ended = ignores.take_back(connection, number, NOW)

    assert ended is not None
    assert ended.repo == "acme/app"
    assert holding(connection) == []
    assert asked(connection) == ["acme/app"]
    assert ignores.take_back(connection, number, NOW) is None


def test_those_that_ended_long_ago_are_forgotten(connection: Connection) -> None:
    add(connection, until=TODAY - ignores.KEPT - DAY)
    add(connection, "acme/app")

    assert len(connection.execute(select(IGNORES)).all()) == 1
