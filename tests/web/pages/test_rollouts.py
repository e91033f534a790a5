from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from digestbot.store.database import Database
from digestbot.web.page import Look
from digestbot.web.pages import rollouts
from digestbot.web.pages.rollouts import RolloutsQuestion, RolloutsView
from tests.service.state import HOUR, NOW, state
from tests.web.asking import asking, loaded_with
from tests.web.fleets import small
from tests.web.markup import cells, parse
from tests.web.rollout_seeds import ALPINE, Seed, plan_for, services


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with state(tmp_path) as database:
        yield database


def view_of(database: Database, page: int = 1) -> RolloutsView:
    look = Look(database, loaded_with(), (), NOW, NOW)
    return rollouts.read(look, RolloutsQuestion(page=page))


def test_each_rollout_is_told_with_how_far_it_is(database: Database) -> None:
    small(database)

    view = view_of(database)

    assert view.total == 5
    told = {one.state: (one.repos, one.merged, one.open, one.failed) for one in view.rollouts}
    assert told == {
        "planned": (2, 0, 0, 0),
        "running": (27, 12, 12, 2),
        "halted": (30, 2, 9, 9),
        "rolled-back": (9, 2, 0, 0),
        "closed": (20, 20, 0, 0),
    }
    assert {one.planned_by for one in view.rollouts} == {"ann"}


def test_the_newest_come_first_and_lead_to_their_pages(database: Database) -> None:
    small(database)

    with asking(database) as client:
        page = parse(client.get("/rollouts").text)

    rows = cells(page.one("table"))
    assert [row["State"].one("span", class_="status").text for row in rows] == [
        "○ planned",
        "● running",
        "✗ halted",
        "\u2013 rolled back",
        "✓ closed",
    ]
    links = [row["Of"].one("a")["href"] for row in rows]
    assert links == [f"/rollouts/{one.id}" for one in view_of(database).rollouts]


def test_the_menu_leads_here(database: Database) -> None:
    with asking(database) as client:
        page = parse(client.get("/").text)

    menu = page.one("nav", **{"aria-label": "Pages"})
    assert "/rollouts" in [one["href"] for one in menu.all("a")]


def test_an_empty_list_says_how_a_plan_is_made(database: Database) -> None:
    with asking(database) as client:
        page = parse(client.get("/rollouts").text)

    assert "digestbot rollout plan IMAGE" in page.one("p", class_="empty").text


def test_long_tables_have_pages(database: Database) -> None:
    for number in range(53):
        Seed(plan_for(ALPINE, services(1), HOUR * number, number=1)).write(database)

    assert [len(view_of(database, page).rollouts) for page in (1, 2, 3)] == [50, 3, 0]
    with asking(database) as client:
        assert "behind the last one" in client.get("/rollouts?page=3").text


def test_the_twin_tells_the_view(database: Database) -> None:
    small(database)

    with asking(database) as client:
        told = client.get("/rollouts.json").json()["data"]

    assert TypeAdapter(RolloutsView).validate_python(told) == view_of(database)
