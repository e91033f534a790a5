from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select

from digestbot.policy.finding import Status
from digestbot.store import findings, images, proposals, repos, runs
from digestbot.store.database import Database
from digestbot.store.location import Location
from digestbot.store.tables import FINDINGS, REPOS
from tests.service.state import NOW
from tests.web.fleets import empty, small
from tests.web.large_fleet import fill
from tests.web.rows import Rows


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database.open(Location(tmp_path / "state"))) as opened:
        yield opened


def test_the_empty_fleet_is_empty(database: Database) -> None:
    empty(database)

    with database.reading() as connection:
        assert repos.count(connection) == repos.RepoCounts()


def test_the_small_fleet_has_everything_worth_seeing(database: Database) -> None:
    small(database)

    with database.reading() as connection:
        counted = repos.count(connection)
        assert (counted.live, counted.left_out, counted.gone) == (12, 2, 1)
        assert counted.with_problems == 2
        assert all(findings.counts(connection)[status] for status in Status)
        assert len(images.failing(connection)) == 2
        states = proposals.counts(connection)
        assert all(number for state, number in states.items() if state != "ended")
        assert {one.state.value for one in runs.latest(connection, 100)} == set(runs.RunState)


def test_a_large_fleet_is_the_same_each_time() -> None:
    first, again = Rows(NOW), Rows(NOW)

    fill(first, repos=50, images=20)
    fill(again, repos=50, images=20)

    assert first.rows == again.rows


@pytest.mark.parametrize("status", list(Status))
def test_what_repos_come_to_is_what_their_findings_are(database: Database, status: Status) -> None:
    rows = Rows(NOW)
    fill(rows, repos=200, images=40)
    rows.write(database)

    with database.reading() as connection:
        told = connection.scalar(select(func.sum(REPOS.c[f"{status.value}_count"])))
        found = connection.scalar(
            select(func.count()).select_from(FINDINGS).where(FINDINGS.c.status == status.value)
        )
    assert told == found
