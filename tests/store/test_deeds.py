from __future__ import annotations

import pytest

from digestbot.store import deeds, rollouts
from digestbot.store.database import Database
from digestbot.store.deeds import DEEDS, Deed
from tests.service.rollouts.arena import plan_for
from tests.service.state import HOUR, NOW

ONE = ("acme/app", 3, Deed.COMMENTED)


@pytest.fixture
def name(database: Database) -> str:
    with database.begin() as connection:
        return rollouts.create(connection, plan_for(["acme/app"], NOW))


def test_nothing_was_done_at_first(database: Database, name: str) -> None:
    with database.reading() as connection:
        assert deeds.of(connection, name) == frozenset()


def test_what_was_done_is_kept_once(database: Database, name: str) -> None:
    with database.begin() as connection:
        deeds.note(connection, name, ONE, NOW)
        deeds.note(connection, name, ONE, NOW + HOUR)
        deeds.note(connection, name, ("acme/app", 3, Deed.MERGED), NOW)

        assert deeds.of(connection, name) == {ONE, ("acme/app", 3, Deed.MERGED)}


def test_another_pull_request_is_another_matter(database: Database, name: str) -> None:
    with database.begin() as connection:
        deeds.note(connection, name, ONE, NOW)

        assert ("acme/app", 4, Deed.COMMENTED) not in deeds.of(connection, name)


def test_what_is_forgotten_may_be_done_again(database: Database, name: str) -> None:
    other = ("acme/app", 3, Deed.ASKED)
    with database.begin() as connection:
        deeds.note(connection, name, ONE, NOW)
        deeds.note(connection, name, other, NOW)
        deeds.forget(connection, name, ONE)

        assert deeds.of(connection, name) == {other}


def test_each_deed_has_a_meaning() -> None:
    assert DEEDS.keys() == set(Deed)
