"""Findings and proposals of all repos, and how these stand."""

from __future__ import annotations

import pytest

from digestbot.policy.finding import Status
from digestbot.proposals.outcome import Outcome
from digestbot.store import finding_rows, proposal_rows
from digestbot.store.database import Database
from digestbot.store.finding_rows import FindingFilter
from digestbot.store.proposal_rows import ProposalFilter
from digestbot.store.proposals import State
from digestbot.store.standing import Standing, standing
from tests.service.state import (
    DAY,
    NEW,
    NOW,
    OLD,
    add_digest,
    add_findings,
    add_proposal,
    add_repos,
    finding,
    held,
    settle,
)


@pytest.fixture
def ids(database: Database) -> dict[str, int]:
    """Two repos that were looked at, one that was not, and one that is left out."""
    with database.begin() as connection:
        add_digest(connection, "python:3.12", OLD, NOW - 9 * DAY)
        add_digest(connection, "python:3.12", NEW, NOW - 3 * DAY)
        found = add_repos(connection, "acme/app", "acme/tool", "acme/new", left_out=["acme/fork"])
        stale = [finding(status=Status.STALE, line=line) for line in (1, 2)]
        never = finding(status=Status.STALE, line=3, digest=type(OLD)("sha256", "c" * 64))
        add_findings(connection, found["acme/app"], *stale, never, held("alpine:3", "settling"))
        add_findings(connection, found["acme/tool"], finding())
        add_proposal(connection, found["acme/app"], "acme/app")
        add_proposal(connection, found["acme/tool"], "acme/tool", Outcome.MERGED)
        for name in ("acme/app", "acme/tool"):
            settle(connection, found[name], name)
    return found


@pytest.mark.parametrize(
    "asked, expected",
    [
        pytest.param(FindingFilter(), 5, id="all"),
        pytest.param(FindingFilter(status=Status.STALE), 3, id="status"),
        pytest.param(FindingFilter(q="TOOL"), 1, id="name"),
        pytest.param(FindingFilter(q="_"), 0, id="no wildcard"),
        pytest.param(FindingFilter(image=99), 0, id="image"),
    ],
)
def test_findings_are_those_that_are_asked_for(
    database: Database, ids: dict[str, int], asked: FindingFilter, expected: int
) -> None:
    with database.reading() as connection:
        assert len(finding_rows.after(connection, asked)) == expected


def test_findings_of_one_repo_and_image(database: Database, ids: dict[str, int]) -> None:
    with database.reading() as connection:
        found = finding_rows.after(connection, FindingFilter(repo=ids["acme/tool"]))
        image = found[0].image_id
        follows = finding_rows.after(connection, FindingFilter(image=image or 0))

    assert [(one.repo, one.repo_id) for one in found] == [("acme/tool", ids["acme/tool"])]
    assert len(follows) == 4


def test_findings_tell_since_when_they_are_behind(database: Database, ids: dict[str, int]) -> None:
    with database.reading() as connection:
        found = finding_rows.after(connection, FindingFilter())

    behind = [(one.status, one.behind_since, one.is_at_least) for one in found]
    assert behind == [
        (Status.STALE, NOW - 3 * DAY, False),
        (Status.STALE, NOW - 3 * DAY, False),
        (Status.STALE, NOW - 9 * DAY, True),
        (Status.HELD, None, False),
        (Status.CURRENT, None, False),
    ]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_pieces_have_each_row_once(database: Database, ids: dict[str, int], size: int) -> None:
    found: list[int] = []
    proposals: list[int] = []

    with database.reading() as connection:
        while piece := finding_rows.after(connection, FindingFilter(), max(found, default=0), size):
            found += [one.id for one in piece]
        while rows := proposal_rows.after(
            connection, ProposalFilter(), max(proposals, default=0), size
        ):
            proposals += [one.id for one in rows]

    assert len(found) == len(set(found)) == 5
    assert len(proposals) == len(set(proposals)) == 2


@pytest.mark.parametrize(
    "asked, expected",
    [
        pytest.param(ProposalFilter(), ["acme/app", "acme/tool"], id="all"),
        pytest.param(ProposalFilter(state=State.MERGED), ["acme/tool"], id="state"),
        pytest.param(ProposalFilter(q="App"), ["acme/app"], id="name"),
        pytest.param(ProposalFilter(repo=9999), [], id="repo"),
    ],
)
def test_proposals_are_those_that_are_asked_for(
    database: Database, ids: dict[str, int], asked: ProposalFilter, expected: list[str]
) -> None:
    with database.reading() as connection:
        assert [one.repo for one in proposal_rows.after(connection, asked)] == expected


@pytest.mark.parametrize(
    "name, expected",
    [
        pytest.param(None, Standing(3, 2, 1, 3, 1, 0), id="all that are watched"),
        pytest.param("acme/app", Standing(1, 1, 0, 3, 1, 0), id="one"),
        pytest.param("ACME/Tool", Standing(1, 1, 1, 0, 0, 0), id="in whatever case"),
        pytest.param("acme/new", Standing(1), id="not looked at yet"),
        pytest.param("acme/fork", Standing(), id="left out"),
        pytest.param("acme/none", Standing(), id="not there"),
    ],
)
def test_repos_stand_as_their_findings_do(
    database: Database, ids: dict[str, int], name: str | None, expected: Standing
) -> None:
    with database.reading() as connection:
        assert standing(connection, name) == expected
