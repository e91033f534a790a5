"""A state that the first version wrote is brought up to date, and loses nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from digestbot.scan.result import Problem
from digestbot.store import ages, images, places, repos, runs
from digestbot.store.ages import PinGroup
from digestbot.store.database import Database
from digestbot.store.engines import WRITES, engine_for
from digestbot.store.location import Location
from digestbot.store.repos import RepoCounts
from tests.service.state import DAY, NEW, NOW, OLD, TARGET, query

PROBLEM = {"scope": "repo", "subject": "acme/a", "code": "denied", "message": "no"}
COUNTS = ("current", "stale", "held", "failed", "unpinned", "skipped", "denied")


def at(moment: datetime) -> datetime:
    """As tables have it: in UTC, without saying so."""
    return moment.replace(tzinfo=None)


def add(connection: Connection, table: str, **values: Any) -> None:
    names = ", ".join(f'"{name}"' for name in values)
    places = ", ".join(f":{name}" for name in values)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({places})"), values)


def add_finding(connection: Connection, repo: int, status: str, **values: Any) -> None:
    known: Mapping[str, Any] = {
        "repo_id": repo,
        "image_id": 1,
        "path": "Dockerfile",
        "line": 1,
        "column": 1,
        "format": "dockerfile",
        "kind": "from",
        "written": "x",
        "image": "x",
        "digest": str(OLD),
        "status": status,
        "reason": "x",
        "message": "x",
        "found_at": at(NOW),
    }
    add(connection, "findings", **{**known, **values})


def add_repo(connection: Connection, number: int, *problems: Mapping[str, str]) -> None:
    listed = {
        "target": TARGET,
        "name": f"acme/{number}",
        "ours": "[]",
        "open_pulls": 0,
        "opened": "[]",
        "allows_auto_merge": False,
        "deletes_branches": False,
        "listed_run": "a1",
        "listed_at": at(NOW),
        "problems": json.dumps(problems),
    }
    add(connection, "repos", **listed)


def fill(connection: Connection) -> None:
    """A state of the first version: two repos, an image that moved, a run."""
    add_repo(connection, 1, PROBLEM)
    add_repo(connection, 2)
    followed = query().image
    name = {"registry": followed.registry, "repository": followed.repository, "platform": ""}
    add(connection, "images", key="k", tag=followed.tag, **name)
    for days, digest in ((9, OLD), (3, NEW)):
        seen = at(NOW - timedelta(days=days))
        add(
            connection,
            "sightings",
            image_id=1,
            digest=str(digest),
            first_seen=seen,
            last_seen=seen,
        )
    add_finding(connection, 1, "stale")
    add_finding(connection, 1, "held", digest="sha256:" + "c" * 64)
    add_finding(connection, 1, "current", digest=str(NEW), reason="denied-pinned")
    add_finding(connection, 2, "unpinned", digest=None, image_id=None)
    started = {"started_at": at(NOW), "counts": '{"listed": 2}'}
    both = json.dumps([PROBLEM, PROBLEM])
    add(connection, "runs", id="a1", kind="cycle", state="done", problems=both, **started)


@pytest.fixture
def first(location: Location) -> Location:
    """A state as the first version left it."""
    if location.folder is not None:
        location.folder.mkdir()
    engine = engine_for(location)
    config = Config()
    config.set_main_option("script_location", "digestbot.store:migrations")
    config.set_main_option("path_separator", "os")
    options = WRITES[engine.dialect.name]
    with engine.connect().execution_options(**options) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        fill(connection)
    engine.dispose()
    return location


def test_all_is_there_afterwards(first: Location) -> None:
    with closing(Database.open(first)) as database, database.reading() as connection:
        assert repos.count(connection) == RepoCounts(live=2, with_problems=1)
        assert images.queries(connection) == [query()]
        (run,) = runs.latest(connection)

        assert (run.id, run.counts) == ("a1", {"listed": 2})
        assert run.problems == (Problem(**PROBLEM),) * 2


def test_nobody_is_known_to_look_after_what_was_found_before(first: Location) -> None:
    with closing(Database.open(first)) as database, database.reading() as connection:
        images = places.followed(connection, lambda _image: True)

        assert {place.owners for place in places.places(connection, images)} == {()}


def test_it_is_well(first: Location) -> None:
    with closing(Database.open(first)) as database:
        assert database.check() == ()


def test_what_repos_and_runs_come_to_is_counted(first: Location) -> None:
    with closing(Database.open(first)) as database, database.reading() as connection:
        rows = connection.execute(text("SELECT * FROM repos ORDER BY id")).mappings().all()
        found = [[row[f"{name}_count"] for name in COUNTS] for row in rows]

        assert found == [[1, 1, 1, 0, 0, 0, 1], [0, 0, 0, 0, 1, 0, 0]]
        assert [row["problem_count"] for row in rows] == [1, 0]
        assert connection.scalar(text("SELECT problem_count FROM runs")) == 2


def test_since_when_a_repo_is_behind_is_what_the_history_says(first: Location) -> None:
    with closing(Database.open(first)) as database, database.reading() as connection:
        (stored,) = connection.execute(
            text("SELECT CAST(behind_since AS VARCHAR) FROM repos WHERE id = 1")
        ).scalars()
        groups = ages.groups(connection)

    # What was never seen is behind since the tag was seen at all, at least.
    never = PinGroup(1, "sha256:" + "c" * 64, 1, NOW - 9 * DAY, is_at_least=True)
    assert groups == [PinGroup(1, str(OLD), 1, NOW - 3 * DAY, is_at_least=False), never]
    assert stored.startswith(f"{NOW - 9 * DAY:%Y-%m-%d %H:%M}")
