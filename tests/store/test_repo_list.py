"""The list of repos: which, in which order, a page at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digestbot.image import ImageTag
from digestbot.policy.finding import Status
from digestbot.scan.result import Problem
from digestbot.store import repo_list
from digestbot.store.database import Database
from digestbot.store.repo_list import ListedRepo, RepoFilter, Sort
from digestbot.store.repo_state import RepoState
from tests.service.state import DAY, NOW
from tests.web.rows import Image, Pin, Rows

BROKEN = Problem("repo", "acme/broken", "push-refused", "it refused the push", "ask it")


def held(image: Image) -> Pin:
    return Pin(image, 1, status="held", reason="settling")


@pytest.fixture(autouse=True)
def fleet(database: Database) -> None:
    """One repo in each state, and some with two things at once."""
    rows = Rows(NOW)
    python = rows.image(ImageTag("docker.io", "library/python", "3.12"), [90, 20, 3])
    tool = rows.image(ImageTag("ghcr.io", "acme/tool", "v1_%"), [50, 10])
    rows.repo("acme/fresh", [Pin(python)])
    rows.repo("acme/Stale", [Pin(python, 1), Pin(tool)])
    rows.repo("acme/older", [Pin(python, 2), held(python)])
    rows.repo("acme/held", [held(tool)])
    rows.repo("acme/failing", [Pin(python, status="failed"), Pin(python, 1)])
    broken = rows.repo("acme/broken", [Pin(python, 1)], problems=[BROKEN, BROKEN])
    rows.repo("acme/denied", [Pin(tool, 1, reason="denied-pinned")], problems=[BROKEN])
    rows.repo("acme/loose", [Pin(tool, None)])
    rows.repo("acme/new", settled_at=None, settled_head=None)
    rows.repo("acme/100%_sure", [Pin(python)], settled_at=NOW - 2 * DAY)
    rows.repo("acme/fork", [Pin(python, 2)], left_out="fork", left_out_message="it is a fork")
    gone = rows.repo("acme/gone", gone_at=NOW - DAY, settled_at=None)
    rows.proposal(gone, python, "open", "unchanged", 30)
    rows.proposal(2, python, "open", "unchanged", 2)
    rows.proposal(broken, python, "open", "unchanged", 9)
    rows.proposal(broken, tool, "open", "unchanged", 5)
    rows.proposal(broken, rows.image(ImageTag("a.b", "c", "d")), "merged", "merged", 40)
    rows.write(database)


def page(
    database: Database,
    asked: RepoFilter | None = None,
    *,
    sort: Sort = "attention",
    offset: int = 0,
    limit: int = 50,
) -> list[ListedRepo]:
    with database.reading() as connection:
        return repo_list.page(
            connection, asked or RepoFilter(), sort=sort, offset=offset, limit=limit
        )


def names(found: list[ListedRepo]) -> list[str]:
    return [one.name.removeprefix("acme/") for one in found]


def test_what_needs_somebody_comes_first_and_then_what_is_behind_for_longest(
    database: Database,
) -> None:
    found = page(database)

    assert [(one.name.removeprefix("acme/"), one.state) for one in found] == [
        ("denied", RepoState.DENIED),
        ("broken", RepoState.PROBLEMS),
        ("failing", RepoState.FAILED),
        ("older", RepoState.STALE),
        ("Stale", RepoState.STALE),
        ("held", RepoState.HELD),
        ("100%_sure", RepoState.FRESH),
        ("fresh", RepoState.FRESH),
        ("loose", RepoState.UNPINNED),
        ("new", RepoState.NEW),
    ]


@pytest.mark.parametrize(
    "sort, first",
    [
        pytest.param("name", ["100%_sure", "broken", "denied", "failing"], id="name"),
        pytest.param("behind", ["older", "denied", "held", "broken"], id="behind"),
        pytest.param("waiting", ["broken", "Stale", "100%_sure", "denied"], id="waiting"),
        pytest.param("scanned", ["new", "100%_sure", "loose", "denied"], id="scanned"),
    ],
)
def test_there_are_other_orders(database: Database, sort: Sort, first: list[str]) -> None:
    assert names(page(database, sort=sort, limit=4)) == first


@pytest.mark.parametrize(
    "asked, found",
    [
        pytest.param(RepoFilter(q="STALE"), {"Stale"}, id="part of a name, in any case"),
        pytest.param(RepoFilter(q="0%_s"), {"100%_sure"}, id="what databases mean otherwise"),
        pytest.param(RepoFilter(q="%"), {"100%_sure"}, id="a wildcard is none"),
        pytest.param(RepoFilter(q="nothing"), set(), id="none of that name"),
        pytest.param(RepoFilter(status="denied"), {"denied"}, id="denied"),
        pytest.param(RepoFilter(status="problems"), {"denied", "broken"}, id="problems"),
        pytest.param(RepoFilter(status="failed"), {"failing"}, id="failed"),
        pytest.param(
            RepoFilter(status="stale"),
            {"Stale", "older", "failing", "broken", "denied"},
            id="stale, whatever else",
        ),
        pytest.param(RepoFilter(status="held"), {"held", "older"}, id="held"),
        pytest.param(RepoFilter(status="unpinned"), {"loose"}, id="unpinned"),
        pytest.param(RepoFilter(status="fresh"), {"fresh", "100%_sure"}, id="fresh"),
        pytest.param(RepoFilter(status="new"), {"new"}, id="new"),
        pytest.param(RepoFilter(status="left-out"), {"fork"}, id="left out"),
        pytest.param(RepoFilter(status="gone"), {"gone"}, id="gone"),
        pytest.param(
            RepoFilter(attention=True), {"denied", "broken", "failing"}, id="needs somebody"
        ),
        pytest.param(
            RepoFilter(attention=True, status="stale", q="r"), {"broken"}, id="all at once"
        ),
        pytest.param(
            RepoFilter(image="TOOL:v1_%"), {"Stale", "held", "denied", "loose"}, id="an image"
        ),
        pytest.param(RepoFilter(image="docker.io/acme"), set(), id="no such image"),
        pytest.param(RepoFilter(image="python", status="left-out"), {"fork"}, id="left out, too"),
    ],
)
def test_a_filter_lets_through_what_it_says_and_counts_it(
    database: Database, asked: RepoFilter, found: set[str]
) -> None:
    with database.reading() as connection:
        number = repo_list.count(connection, asked)

    assert set(names(page(database, asked))) == found
    assert number == len(found)


def test_pages_are_parts_of_one_order(database: Database) -> None:
    whole = names(page(database))

    pieces = [names(page(database, offset=offset, limit=3)) for offset in (0, 3, 6, 9, 12)]

    assert [name for piece in pieces for name in piece] == whole
    assert pieces[-1] == []


def test_a_row_says_what_the_repo_comes_to(database: Database) -> None:
    (older,) = page(database, RepoFilter(q="older"))

    assert older.counts == {
        **dict.fromkeys(Status, 0),
        Status.STALE: 1,
        Status.HELD: 1,
    }
    assert older.behind_since == NOW - 20 * DAY
    assert older.settled_at is not None
    assert older.url == "https://github.com/acme/older"
    assert (older.problems, older.problem, older.denied) == (0, None, 0)
    assert (older.open_proposals, older.oldest_proposal) == (0, None)


def test_a_row_has_the_first_problem_and_the_proposal_that_waits_for_longest(
    database: Database,
) -> None:
    (broken,) = page(database, RepoFilter(q="broken"))

    assert (broken.problems, broken.problem) == (2, BROKEN)
    assert broken.open_proposals == 2
    assert broken.oldest_proposal is not None
    assert broken.oldest_proposal.opened_at == NOW - timedelta(days=9)


def test_a_row_says_why_a_repo_is_not_worked_on(database: Database) -> None:
    (fork,) = page(database, RepoFilter(status="left-out"))
    (gone,) = page(database, RepoFilter(status="gone"))

    assert (fork.state, fork.left_out) == (RepoState.LEFT_OUT, "fork")
    assert (gone.state, gone.gone_at) == (RepoState.GONE, NOW - DAY)


def test_nobody_waits_for_what_was_proposed_in_a_repo_that_is_gone(database: Database) -> None:
    (gone,) = page(database, RepoFilter(status="gone"))

    assert (gone.open_proposals, gone.oldest_proposal) == (0, None)


def test_all_of_them_can_be_read_in_pieces(database: Database) -> None:
    asked, read, last = RepoFilter(status="stale"), [], 0

    with database.reading() as connection:
        while found := repo_list.after(connection, asked, last, limit=2):
            read += names(found)
            last = found[-1].id

    assert read == ["Stale", "older", "failing", "broken", "denied"]
