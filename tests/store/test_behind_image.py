from __future__ import annotations

import pytest
from sqlalchemy import Connection

from digestbot.image import Digest
from digestbot.policy.finding import Finding, Status
from digestbot.proposals.outcome import Outcome
from digestbot.store import behind_image, images
from digestbot.store.behind_image import BehindPin
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
    query,
)

OLDER, NEVER = Digest("sha256", "d" * 64), Digest("sha256", "c" * 64)
BRANCH = "digestbot/images"


@pytest.fixture
def python(connection: Connection) -> int:
    """The id of an image whose tag had `OLDER`, then `OLD`, and `NEW` for two days."""
    add_digest(connection, "python:3.12", OLDER, NOW - 9 * DAY)
    add_digest(connection, "python:3.12", OLD, NOW - 5 * DAY)
    add_digest(connection, "python:3.12", NEW, NOW - 2 * DAY)
    return images.known(connection, query())[0]


def stale(digest: Digest = OLD, line: int = 3) -> Finding:
    return finding(status=Status.STALE, reason="digest-moved", digest=digest, line=line)


def behind(
    connection: Connection, image: int, *branches: str, offset: int = 0, limit: int = 50
) -> list[behind_image.BehindRepo]:
    return behind_image.repos(connection, image, branches, offset=offset, limit=limit)


def test_nobody_is_behind_who_has_what_the_tag_has(connection: Connection, python: int) -> None:
    number = add_repos(connection, "acme/a")["acme/a"]
    add_findings(connection, number, finding(digest=NEW))

    assert behind(connection, python) == []
    assert behind_image.count(connection, python) == 0


def test_a_repo_is_behind_since_its_oldest_pin_ceased_to_be_the_tags(
    connection: Connection, python: int
) -> None:
    number = add_repos(connection, "acme/a")["acme/a"]
    add_findings(connection, number, stale(OLD), stale(OLDER, 4), finding(digest=NEW, line=5))

    [repo] = behind(connection, python)

    assert (repo.id, repo.name, repo.places) == (number, "acme/a", 2)
    assert (repo.since, repo.is_at_least) == (NOW - 5 * DAY, False)
    assert repo.pins == (
        BehindPin(number, str(OLD), "stale", "digest-moved", 1),
        BehindPin(number, str(OLDER), "stale", "digest-moved", 1),
    )


def test_what_was_never_seen_is_behind_for_longer_than_the_tag_is_known(
    connection: Connection, python: int
) -> None:
    number = add_repos(connection, "acme/a")["acme/a"]
    add_findings(connection, number, stale(NEVER))

    [repo] = behind(connection, python)

    assert repo.since == NOW - 9 * DAY
    assert repo.is_at_least is True


def test_what_is_held_is_behind_too(connection: Connection, python: int) -> None:
    number = add_repos(connection, "acme/a")["acme/a"]
    add_findings(connection, number, held("python:3.12", "settling"), held("node:22", "older"))

    [repo] = behind(connection, python)

    assert repo.pins == (BehindPin(number, str(OLD), "held", "settling", 1),)
    assert repo.since == NOW - 2 * DAY


def test_those_that_are_behind_for_longest_come_first_page_by_page(
    connection: Connection, python: int
) -> None:
    repos = add_repos(connection, "acme/a", "acme/b", "acme/c", "acme/d")
    add_findings(connection, repos["acme/a"], stale(OLD))
    add_findings(connection, repos["acme/b"], stale(OLDER))
    add_findings(connection, repos["acme/c"], stale(NEVER))
    add_findings(connection, repos["acme/d"], stale(OLD))

    names = [one.name for one in behind(connection, python)]
    second = [one.name for one in behind(connection, python, offset=2, limit=2)]

    assert names == ["acme/c", "acme/b", "acme/a", "acme/d"]
    assert second == ["acme/a", "acme/d"]
    assert behind_image.count(connection, python) == 4


def test_repos_that_are_left_out_are_not_told(connection: Connection, python: int) -> None:
    number = add_repos(connection, "acme/a")["acme/a"]
    add_findings(connection, number, stale())
    add_repos(connection, left_out=["acme/a"])

    assert behind(connection, python) == []
    assert behind_image.count(connection, python) == 0


def test_a_repo_comes_with_what_is_open_about_the_image(
    connection: Connection, python: int
) -> None:
    repos = add_repos(connection, "acme/a", "acme/b")
    for name, number in repos.items():
        add_findings(connection, number, stale())
        add_proposal(connection, number, name, pull=7)

    found = behind(connection, python, BRANCH)

    assert [[one.number for one in repo.proposals] for repo in found] == [[7], [7]]
    assert found[0].proposals[0].url == "https://github.com/acme/a/pull/7"
    assert found[0].proposals[0].opened_at == NOW - DAY


@pytest.mark.parametrize("outcome", [Outcome.MERGED, Outcome.CLOSED, Outcome.REJECTED])
def test_what_is_over_is_not_open(connection: Connection, python: int, outcome: Outcome) -> None:
    number = add_repos(connection, "acme/a")["acme/a"]
    add_findings(connection, number, stale())
    add_proposal(connection, number, "acme/a", outcome)

    [repo] = behind(connection, python, BRANCH)

    assert repo.proposals == ()


def test_what_is_proposed_on_another_branch_is_about_other_images(
    connection: Connection, python: int
) -> None:
    number = add_repos(connection, "acme/a")["acme/a"]
    add_findings(connection, number, stale())
    add_proposal(connection, number, "acme/a")

    [repo] = behind(connection, python, "digestbot/python-3-12-0a1b2c3d")

    assert repo.proposals == ()
