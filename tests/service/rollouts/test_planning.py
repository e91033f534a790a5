from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from digestbot.image import Digest
from digestbot.policy.finding import Finding, Status
from digestbot.registry.resolution import Query
from digestbot.rollout.machine import Verb
from digestbot.rollout.objections import Limits, objections
from digestbot.rollout.plan import Move, Plan, RolloutRules
from digestbot.rollout.selection import Selection
from digestbot.scan.result import Problem
from digestbot.service.rollouts.moving import Moves
from digestbot.service.rollouts.planning import again, choose, tags
from digestbot.service.rollouts.telling import Told, tell
from digestbot.store import rollouts
from digestbot.store.database import Database
from tests.service.state import (
    DAY,
    NEW,
    NOW,
    OLD,
    add_digest,
    add_findings,
    add_repos,
    finding,
    query,
    state,
)

OLDEST = Digest("sha256", "9" * 64)
SELECTION = Selection("docker.io/library/python")
MOVES = Moves((Move(query().image, NEW),))
LIMITS = Limits(1.0, 1000)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Three repos that pin python:3.12, one of which is current, and one with another image."""
    with state(tmp_path / "state") as opened:
        with opened.begin() as connection:
            for days, digest in ((9, OLDEST), (5, OLD), (2, NEW)):
                add_digest(connection, "python:3.12", digest, NOW - days * DAY)
            numbers = add_repos(connection, "acme/a", "acme/b", "acme/done", "acme/other")
            add_findings(connection, numbers["acme/a"], stale(), stale("ci/Dockerfile"))
            add_findings(connection, numbers["acme/b"], stale(digest=OLDEST))
            add_findings(connection, numbers["acme/done"], finding(digest=NEW))
            add_findings(connection, numbers["acme/other"], finding("node:22"))
        yield opened


def stale(path: str = "Dockerfile", digest: Digest = OLD, image: str = "python:3.12") -> Finding:
    return finding(image, Status.STALE, digest=digest, path=path)


def planned(database: Database, selection: Selection = SELECTION, moves: Moves = MOVES) -> Plan:
    return choose(database, selection, NOW).plan(moves, RolloutRules(), "ann")


def reached(plan: Plan) -> dict[str, int]:
    return {target.repo: len(target.edits) for target in plan.targets}


def replaced(database: Database, repo: str, *found: Finding) -> None:
    with database.begin() as connection:
        add_findings(connection, add_repos(connection, repo)[repo], *found)


def test_a_plan_reaches_whatever_pins_something_else(database: Database) -> None:
    plan = planned(database)

    assert reached(plan) == {"acme/a": 2, "acme/b": 1}
    assert (plan.fleet, plan.by, plan.made_at) == (4, "ann", NOW)


def test_each_image_that_is_chosen_is_asked_about_once_with_what_is_pinned(
    database: Database,
) -> None:
    choice = choose(database, SELECTION, NOW)

    assert choice.images == 1
    assert choice.pinned() == {query(): (OLD, OLDEST, NEW)}


def test_what_is_not_chosen_is_not_asked_about(database: Database) -> None:
    replaced(database, "acme/b", stale(image="python:3.11"))

    choice = choose(database, Selection("*", repos=("acme/a",)), NOW)

    assert choice.images == 3
    assert list(choice.pinned()) == [query()]


@pytest.mark.parametrize(
    "selection, repos",
    [
        pytest.param(
            Selection("docker.io/library/python", digests=frozenset({OLDEST})), ["acme/b"], id="now"
        ),
        pytest.param(
            Selection("docker.io/library/python", behind=timedelta(days=3)), ["acme/b"], id="behind"
        ),
        pytest.param(
            Selection("docker.io/library/python", behind=timedelta(0)),
            ["acme/a", "acme/b"],
            id="whatever-is-behind",
        ),
        pytest.param(Selection("docker.io/library/python", paths=("ci/*",)), ["acme/a"], id="path"),
        pytest.param(Selection("docker.io/library/python", orgs=("other",)), [], id="org"),
    ],
)
def test_what_is_said_holds(database: Database, selection: Selection, repos: list[str]) -> None:
    assert sorted(reached(planned(database, selection))) == repos


def test_a_repo_in_which_a_rollout_is_under_way_is_left_out(database: Database) -> None:
    first = planned(database, Selection("docker.io/library/python", repos=("acme/a",)))
    with database.begin() as connection:
        name = rollouts.create(connection, first)
    tell(database, name, Told(Verb.START, "ann"), NOW)

    plan = planned(database)

    assert reached(plan) == {"acme/b": 1}
    assert plan.left_out == {"acme/a": f"rollout {name} is under way in it"}


def test_a_repo_of_whose_images_nothing_is_known_is_left_out_and_others_are_not(
    database: Database,
) -> None:
    replaced(database, "acme/a", stale(), stale(image="node:22"))
    gone: dict[Query, str] = {query("node:22"): "node:22: there is no such tag"}
    moves = Moves(MOVES.moves, gone, (Problem("registry", "docker.io", "not-found", "no"),))

    plan = planned(database, Selection("*"), moves)

    assert reached(plan) == {"acme/a": 1, "acme/b": 1}
    assert plan.left_out == {"acme/other": "node:22: there is no such tag"}


class TestAgain:
    def test_nothing_changed_where_nothing_did(self, database: Database) -> None:
        plan = planned(database)

        assert objections(plan, again(database, plan), LIMITS, NOW) == ()

    def test_what_comes_to_be_behind_long_enough_changes_nothing(self, database: Database) -> None:
        plan = planned(
            database, Selection("docker.io/library/python", behind=timedelta(days=2, hours=1))
        )

        assert list(reached(again(database, plan))) == ["acme/b"]

    def test_a_repo_that_was_updated_since_is_found(self, database: Database) -> None:
        plan = planned(database)
        replaced(database, "acme/b", finding(digest=NEW))

        [found] = objections(plan, again(database, plan), LIMITS, NOW)

        assert found.message.endswith(": acme/b is not chosen any more")

    def test_a_repo_that_came_along_is_found(self, database: Database) -> None:
        plan = planned(database)
        replaced(database, "acme/new", stale())

        [found] = objections(plan, again(database, plan), LIMITS, NOW)

        assert found.message.endswith(": acme/new is chosen now, too")

    def test_a_tag_that_moved_since_changes_nothing(self, database: Database) -> None:
        plan = planned(database)
        with database.begin() as connection:
            add_digest(connection, "python:3.12", Digest("sha256", "f" * 64), NOW)

        assert objections(plan, again(database, plan), LIMITS, NOW) == ()


def test_tags_are_told_once() -> None:
    assert tags([query(), query(), query("node:22")]) == [
        "docker.io/library/node:22",
        "docker.io/library/python:3.12",
    ]
