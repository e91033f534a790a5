"""Repos that people asked for: due until they were worked on, and not a moment less."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, update

from digestbot.store import asks, repos
from digestbot.store.asks import Asked
from digestbot.store.tables import REPOS
from tests.service.state import NOW, TARGET, add_repos, listed, settle

LATER = NOW + timedelta(minutes=1)


@pytest.fixture(autouse=True)
def fleet(connection: Connection) -> None:
    """Two repos that were worked on, and one that is left out."""
    for name, number in add_repos(
        connection, "acme/app", "acme/web", left_out=["acme/old"]
    ).items():
        settle(connection, number, name)
    connection.execute(update(REPOS).values(pulse="p", settled_pulse="p"))


def due(connection: Connection) -> dict[str, str]:
    found = repos.due(connection, target=TARGET, rules="1", now=NOW, only=repos.is_touched((), ()))
    return {one.repo.name: one.reason for one in found}


def done(connection: Connection, asked_at: datetime | None) -> None:
    """The first repo was worked on, which was asked for then."""
    repo = listed("acme/app")
    repos.settle(connection, 1, repo=repo, rules="1", due_at=None, now=NOW, asked_at=asked_at)
    connection.execute(update(REPOS).values(settled_pulse="p"))


def test_a_repo_that_is_asked_for_is_due_and_no_other(connection: Connection) -> None:
    assert asks.look(connection, asks.is_named("ACME/App"), NOW) == 1

    assert due(connection) == {"acme/app": "asked"}
    assert asks.any_waits(connection)
    assert asks.names(connection) == {"acme/app"}


def test_it_is_due_until_it_was_worked_on(connection: Connection) -> None:
    asks.propose(connection, asks.is_named("acme/app"), NOW)

    done(connection, NOW)

    assert due(connection) == {}
    assert asks.asked_of(connection, "acme/app") == Asked(waived_at=NOW)


def test_what_is_asked_meanwhile_stays_due(connection: Connection) -> None:
    asks.look(connection, asks.is_named("acme/app"), NOW)
    asks.look(connection, asks.is_named("acme/app"), LATER)

    done(connection, NOW)

    assert due(connection) == {"acme/app": "asked"}


def test_a_look_does_not_undo_that_it_is_to_propose(connection: Connection) -> None:
    asks.propose(connection, asks.is_named("acme/app"), NOW)
    asks.look(connection, asks.is_named("acme/app"), LATER)

    assert asks.asked_of(connection, "ACME/app") == Asked(NOW, is_to_propose=True)
    assert asks.asked_of(connection, "acme/web") == Asked()


@pytest.mark.parametrize("name", ["acme/old", "acme/none", ""])
def test_what_is_not_worked_on_cannot_be_asked_for(connection: Connection, name: str) -> None:
    assert asks.look(connection, asks.is_named(name), NOW) == 0
    assert asks.live_name(connection, name) is None


def test_a_repo_that_goes_takes_with_it_what_was_asked(connection: Connection) -> None:
    asks.propose(connection, asks.is_named("acme/app"), NOW)

    repos.forget_targets(connection, [], NOW)
    repos.note_listed(connection, TARGET, "r2", [listed("acme/app")], NOW)

    assert not asks.any_waits(connection)
    assert asks.asked_of(connection, "acme/app") == Asked()
