"""One repo: as it was listed and worked on, its findings, its proposals."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection

from digestbot.forge.repo import LeftOut, Repo
from digestbot.image import ImageTag
from digestbot.policy.finding import Status
from digestbot.proposals.outcome import Outcome, Verdict
from digestbot.scan.result import Problem
from digestbot.store import findings, of_repo, proposals, repos
from digestbot.store.database import Database
from digestbot.store.proposals import State
from digestbot.store.repo_state import RepoState
from tests.service.state import (
    DAY,
    HEAD,
    HOUR,
    NEW,
    NOW,
    OLD,
    TARGET,
    TREE,
    add_digest,
    finding,
)
from tests.web.rows import Pin, Rows

APP = Repo("acme/app", "main", HEAD, TREE, pulse="p", url="https://github.com/acme/app")
PROBLEM = Problem("file", "Dockerfile", "encoding", "it is not UTF-8", "write it so", "acme/app")


def listed(connection: Connection, repo: Repo | LeftOut = APP) -> None:
    repos.note_listed(connection, TARGET, "run", [repo], NOW)


def settled(connection: Connection, repo: Repo = APP, *problems: Problem) -> None:
    repos.settle(connection, 1, repo=repo, rules="r", due_at=NOW + DAY, now=NOW, problems=problems)


def test_there_is_nothing_to_say_of_a_repo_that_never_was(connection: Connection) -> None:
    assert of_repo.record(connection, 1) is None
    assert of_repo.findings(connection, 1) == []
    assert of_repo.count_findings(connection, 1) == 0
    assert of_repo.proposals(connection, 1) == []
    assert repos.why_due(connection, 1, NOW) == ""


def test_a_repo_that_was_listed_is_new(connection: Connection) -> None:
    listed(connection)

    found = of_repo.record(connection, 1)

    assert found is not None
    assert (found.name, found.target, found.url) == ("acme/app", TARGET, APP.url)
    assert (found.default_branch, found.head) == ("main", HEAD.value)
    assert found.state is RepoState.NEW
    assert (found.settled_at, found.settled_head, found.due_at) == (None, None, None)
    assert found.listed_at == NOW
    assert repos.why_due(connection, 1, NOW) == "first-seen"


def test_a_repo_that_was_worked_on_says_what_came_of_it(connection: Connection) -> None:
    listed(connection)
    add_digest(connection, "python:3.12", OLD, NOW - 9 * DAY)
    add_digest(connection, "python:3.12", NEW, NOW - 2 * DAY)
    denied = finding("alpine:3", Status.SKIPPED, reason="denied-pinned")
    findings.replace(connection, 1, [finding(status=Status.STALE), finding(), denied], NOW)
    settled(connection, APP, PROBLEM)

    found = of_repo.record(connection, 1)

    assert found is not None
    assert found.counts[Status.STALE] == found.counts[Status.CURRENT] == 1
    assert found.denied == found.counts[Status.SKIPPED] == 1
    assert found.behind_since == NOW - 2 * DAY
    assert found.problems == (PROBLEM,)
    assert found.state is RepoState.DENIED
    assert (found.settled_head, found.settled_at) == (HEAD.value, NOW)
    assert found.due_at == NOW + DAY


def test_a_repo_that_is_left_out_says_why(connection: Connection) -> None:
    listed(connection, LeftOut("acme/app", "archived", "it is archived"))

    found = of_repo.record(connection, 1)

    assert found is not None
    assert found.state is RepoState.LEFT_OUT
    assert (found.left_out, found.left_out_message) == ("archived", "it is archived")
    assert repos.why_due(connection, 1, NOW) == ""


def test_a_repo_that_is_gone_says_since_when(connection: Connection) -> None:
    listed(connection)
    repos.note_gone(connection, TARGET, "another", NOW + HOUR)

    found = of_repo.record(connection, 1)

    assert found is not None
    assert (found.state, found.gone_at) == (RepoState.GONE, NOW + HOUR)


@pytest.mark.parametrize(
    "now_listed, hours, reason",
    [
        pytest.param(APP, 0, "", id="nothing happened"),
        pytest.param(replace(APP, head=type(HEAD)("f" * 40)), 0, "moved", id="its branch moved"),
        pytest.param(replace(APP, pulse="q"), 0, "pulse", id="something of ours moved"),
        pytest.param(APP, 24, "time", id="its time has come"),
    ],
)
def test_why_a_repo_is_due_is_said_whatever_the_rules(
    connection: Connection, now_listed: Repo, hours: int, reason: str
) -> None:
    listed(connection)
    settled(connection)
    listed(connection, now_listed)

    assert repos.why_due(connection, 1, NOW + hours * HOUR) == reason


def test_findings_are_told_in_the_order_in_which_they_matter(database: Database) -> None:
    number = seed(database)

    with database.reading() as connection:
        found = of_repo.findings(connection, number)

    assert [(one.path, one.line, one.status.value) for one in found] == [
        ("z", 1, "held"),
        ("f", 1, "failed"),
        ("a", 2, "stale"),
        ("a", 10, "stale"),
        ("h", 1, "held"),
        ("u", 1, "unpinned"),
        ("c", 1, "current"),
        ("s", 1, "skipped"),
    ]
    assert found[0].reason == "denied-pinned"


@pytest.mark.parametrize(
    "status, paths",
    [
        pytest.param("denied", ["z"], id="denied"),
        pytest.param("failed", ["f"], id="failed"),
        pytest.param("stale", ["a", "a"], id="stale"),
        pytest.param("held", ["z", "h"], id="held"),
        pytest.param("unpinned", ["u"], id="unpinned"),
        pytest.param("current", ["c"], id="current"),
        pytest.param("skipped", ["s"], id="skipped"),
        pytest.param("another", [], id="none that there is"),
    ],
)
def test_findings_of_one_status_are_told_and_counted(
    database: Database, status: str, paths: list[str]
) -> None:
    number = seed(database)

    with database.reading() as connection:
        found = of_repo.findings(connection, number, status=status)
        many = of_repo.count_findings(connection, number, status=status)

    assert [one.path for one in found] == paths
    assert many == len(paths)


def test_findings_are_told_in_pages(database: Database) -> None:
    number = seed(database)

    with database.reading() as connection:
        whole = of_repo.findings(connection, number)
        pieces = [of_repo.findings(connection, number, offset=at, limit=3) for at in (0, 3, 6, 9)]

    assert [one for piece in pieces for one in piece] == whole
    assert pieces[-1] == []


def test_a_pin_is_behind_since_its_tag_moved_on(database: Database) -> None:
    number = seed(database)

    with database.reading() as connection:
        told = {(one.path, one.line): one for one in of_repo.findings(connection, number)}

    assert told["a", 2].behind_since == NOW - 3 * DAY
    assert not told["a", 2].is_at_least
    assert told["a", 10].behind_since == NOW - 90 * DAY
    assert told["a", 10].is_at_least
    assert told["h", 1].behind_since == NOW - 3 * DAY
    for path in "fucs":
        assert (told[path, 1].behind_since, told[path, 1].is_at_least) == (None, False)


def test_a_finding_says_what_is_pinned_and_what_is_to_be(database: Database) -> None:
    number = seed(database)

    with database.reading() as connection:
        told = {(one.path, one.line): one for one in of_repo.findings(connection, number)}

    stale, skipped = told["a", 2], told["s", 1]
    assert stale.image == "docker.io/library/python:3.12"
    assert stale.image_id == 1
    assert stale.digest is not None
    assert stale.new_digest not in (None, stale.digest)
    assert (skipped.image_id, skipped.digest, skipped.written) == (None, None, "$BASE")
    assert told["h", 1].until == NOW + HOUR


def test_the_images_of_a_repo_are_told_once_each(database: Database) -> None:
    rows = Rows(NOW)
    python = rows.image(ImageTag("docker.io", "library/python", "3.12"), [9])
    arm = rows.image(ImageTag("docker.io", "library/python", "3.12"), [9], "linux/arm64")
    other = rows.image(ImageTag("ghcr.io", "acme/tool", "v1"), [9])
    rows.image(ImageTag("a.example", "not", "followed"), [9])
    number = rows.repo("acme/app", [Pin(other), Pin(python), Pin(python), Pin(arm), Pin(None)])
    rows.write(database)

    with database.reading() as connection:
        found = of_repo.images(connection, number)
        first = of_repo.images(connection, number, limit=1)

    assert found == ["docker.io/library/python:3.12", "ghcr.io/acme/tool:v1"]
    assert first == found[:1]


def seed(database: Database) -> int:
    """A repo with one finding of each kind, in another order; and another repo."""
    rows = Rows(NOW)
    python = rows.image(ImageTag("docker.io", "library/python", "3.12"), [90, 20, 3])
    rows.repo("acme/other", [Pin(python, 1)])
    number = rows.repo(
        "acme/app",
        [
            Pin(None, None, "s", written="$BASE", reason="build-arg", message="no default"),
            Pin(python, 0, "c"),
            Pin(python, None, "u"),
            Pin(python, 1, "h", status="held", reason="settling", until=NOW + HOUR),
            Pin(python, 7, "a", 10),
            Pin(python, 1, "a", 2),
            Pin(python, 0, "f", status="failed", reason="unauthorized"),
            Pin(python, 1, "z", status="held", reason="denied-pinned"),
        ],
    )
    rows.write(database)
    return number


def noted(connection: Connection, branch: str, outcome: Outcome, hours: int, pull: int) -> None:
    url = f"{APP.url}/pull/{pull}" if pull else ""
    verdict = Verdict(branch, outcome, "so it is", f"Update {branch}", pull, url)
    proposals.note(connection, 1, [verdict], NOW + hours * HOUR, is_complete=False)


def test_open_proposals_come_first_and_then_those_that_ended_last(connection: Connection) -> None:
    listed(connection)
    noted(connection, "merged", Outcome.OPENED, 0, 1)
    noted(connection, "newer", Outcome.OPENED, 2, 2)
    noted(connection, "older", Outcome.OPENED, 1, 3)
    noted(connection, "merged", Outcome.MERGED, 3, 1)
    noted(connection, "closed", Outcome.CLOSED, 4, 4)
    noted(connection, "waits", Outcome.LIMITED, 5, 0)

    found = of_repo.proposals(connection, 1)

    assert [(one.branch, one.state) for one in found] == [
        ("older", State.OPEN),
        ("newer", State.OPEN),
        ("waits", State.WAITING),
        ("closed", State.CLOSED),
        ("merged", State.MERGED),
    ]
    assert [one.branch for one in of_repo.proposals(connection, 1, limit=2)] == ["older", "newer"]


def test_a_proposal_says_what_became_of_it(connection: Connection) -> None:
    listed(connection)
    noted(connection, "digestbot/x", Outcome.OPENED, 0, 7)
    noted(connection, "digestbot/x", Outcome.MERGED, 5, 7)

    (found,) = of_repo.proposals(connection, 1)

    assert (found.number, found.url) == (7, f"{APP.url}/pull/7")
    assert (found.title, found.message) == ("Update digestbot/x", "so it is")
    assert (found.outcome, found.state) == ("merged", State.MERGED)
    assert (found.opened_at, found.ended_at) == (NOW, NOW + 5 * HOUR)
