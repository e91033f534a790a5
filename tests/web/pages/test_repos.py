from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema
import pytest
from pydantic import TypeAdapter

from digestbot.image import ImageTag
from digestbot.policy.finding import Status
from digestbot.scan.result import Problem
from digestbot.store.database import Database
from digestbot.web.page import Look, asked
from digestbot.web.pages import repos
from digestbot.web.pages.repo_view import ReposView
from digestbot.web.pages.repos import ReposQuestion
from tests.service.state import DAY, NOW, state
from tests.web.asking import asking, loaded_with
from tests.web.fleets import small
from tests.web.markup import Element, cells, parse
from tests.web.rows import Pin, Rows

HOSTILE = 'acme/<script>alert(1)</script>"quoted"'


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with state(tmp_path / "state") as database:
        yield database


@pytest.fixture
def fleet(database: Database) -> Database:
    small(database)
    return database


def view_of(database: Database, **given: Any) -> ReposView:
    look = Look(database, loaded_with(), (), NOW, NOW)
    return repos.read(look, asked(ReposQuestion, given))


def page_of(database: Database, path: str = "/repos", status: int = 200) -> Element:
    with asking(database) as client:
        answer = client.get(path)
    assert answer.status_code == status
    return parse(answer.text)


def rows_of(page: Element) -> dict[str, dict[str, Element]]:
    return {row["Repo"].all("a")[0].text: row for row in cells(page.one("table"))}


def test_what_needs_somebody_stands_first(fleet: Database) -> None:
    view = view_of(fleet)

    assert view.total == len(view.repos) == 12
    assert [(one.name, one.state) for one in view.repos][:4] == [
        ("acme/payments", "denied"),
        (HOSTILE, "problems"),
        ("https://git.example.com/tools/mirror.git", "problems"),
        ("acme/ml", "failed"),
    ]


def test_a_repo_says_what_it_comes_to(fleet: Database) -> None:
    (shop,) = view_of(fleet, q="shop").repos

    assert (shop.name, shop.target, shop.state) == ("acme/shop", "github:acme", "stale")
    assert shop.counts[Status.STALE] == 2
    assert shop.counts[Status.CURRENT] == 1
    assert shop.behind_since == "2026-11-12T09:30:00Z"
    assert shop.open_proposals == 2
    assert shop.proposal is not None
    assert (shop.proposal.number, shop.proposal.state) == (102, "open")
    assert shop.proposal.url == "https://github.com/acme/shop/pull/102"
    assert shop.proposal.message == "Somebody pushed to it."
    assert shop.proposal.opened_at == "2026-11-13T09:30:00Z"
    assert shop.proposal.ended_at is None
    assert (shop.errors, shop.error, shop.left_out, shop.gone_at) == (0, None, None, None)
    assert shop.scanned_at == "2026-11-21T09:26:00Z"


def test_the_page_says_so_too(fleet: Database) -> None:
    row = rows_of(page_of(fleet))["acme/shop"]

    assert row["Repo"].one("a")["href"] == "/repos/1"
    assert row["State"].text == "▲ stale"
    assert [row[name].text for name in ("Current", "Stale", "Held", "Failed")] == list("1200")
    assert row["Behind for"].text == "9 days"
    waits = row["Open pull request"]
    pull, more = waits.all("a")
    assert pull["href"] == "https://github.com/acme/shop/pull/102"
    assert pull["rel"] == "noreferrer"
    assert waits.text.startswith("#102 for 8 days, 1 more Update docker.io/library/nginx:1.27 to ")
    assert (more.text, more["href"]) == ("1 more", "/repos/1#proposals")
    assert row["Last scan"].text == "4 min ago"


def test_errors_stand_beside_the_name(fleet: Database) -> None:
    row = rows_of(page_of(fleet))["https://git.example.com/tools/mirror.git"]

    assert "it refused the push" in row["Repo"].text
    assert row["State"].text == "✗ errors"


def test_names_that_want_to_harm_are_text(fleet: Database) -> None:
    page = page_of(fleet)

    assert HOSTILE in rows_of(page)
    assert all(one.get("src") for one in page.all("script"))
    assert [one["src"] for one in page.all("img") if not one["src"].startswith("/static/")] == []


@pytest.mark.parametrize(
    "query, names",
    [
        pytest.param("q=SHOP", ["acme/shop"], id="name"),
        pytest.param("status=held", ["acme/edge"], id="status"),
        pytest.param("status=failed&q=shop", [], id="two at once"),
        pytest.param("image=distroless", ["acme/edge"], id="image"),
        pytest.param("status=left-out", ["acme/archive", "acme/fork"], id="left out"),
        pytest.param("status=gone", ["acme/gone"], id="gone"),
        pytest.param("attention=true&q=acme/m", ["acme/ml"], id="attention"),
        pytest.param(
            "sort=waiting&status=stale&q=o",
            ["acme/shop", "acme/monorepo", "acme/old-timer", "acme/worker", HOSTILE],
            id="order",
        ),
    ],
)
def test_filters_live_in_the_address(fleet: Database, query: str, names: list[str]) -> None:
    given = {name: values[0] for name, values in parse_qs(query).items()}

    view = view_of(fleet, **given)

    if "sort" in given:
        assert view.repos[0].name == names[0]
    assert sorted(one.name for one in view.repos) == sorted(names)
    assert view.total == len(names)


def test_the_form_shows_what_is_asked(fleet: Database) -> None:
    path = "/repos?q=o%22%3E&image=nginx&status=stale&sort=behind&attention=true"

    form = page_of(fleet, path).one("form", role="search")

    assert form.one("input", name="q")["value"] == 'o">'
    assert form.one("input", name="image")["value"] == "nginx"
    assert "checked" in form.one("input", name="attention").attributes
    chosen = [one["value"] for one in form.all("option") if "selected" in one.attributes]
    assert chosen == ["stale", "behind"]
    assert len(form.all("label")) == 5


def test_the_table_can_be_taken_as_it_is_filtered(fleet: Database) -> None:
    page = page_of(fleet, "/repos?q=acme%2F&sort=name")

    links = [one["href"] for one in page.all("a") if one.text == "CSV"]

    assert links == ["/exports/repos.csv?q=acme%2F&sort=name"]


def test_why_a_repo_is_left_out_stands_in_the_list(fleet: Database) -> None:
    rows = rows_of(page_of(fleet, "/repos?status=left-out"))

    assert rows["acme/archive"]["State"].text.endswith(" left out archived")


def test_a_repo_that_was_never_scanned_says_so(database: Database) -> None:
    rows = Rows(NOW)
    rows.repo("acme/new", settled_at=None, settled_head=None)
    rows.write(database)

    row = rows_of(page_of(database))["acme/new"]

    assert row["State"].text == "• not scanned yet"
    assert row["Last scan"].text == "never"


def test_a_pull_request_elsewhere_is_no_link(database: Database) -> None:
    rows = Rows(NOW)
    image = rows.image(ImageTag("docker.io", "library/python", "3.12"), [9])
    number = rows.repo("acme/app", [Pin(image)])
    rows.proposal(number, image, "open", "unchanged", 2, url="https://evil.example/acme/pull/1")
    rows.write(database)

    cell = rows_of(page_of(database))["acme/app"]["Open pull request"]

    assert cell.all("a") == []
    assert cell.text.startswith("#101 for 2 days Update")


def test_long_errors_are_told_in_short(database: Database) -> None:
    rows = Rows(NOW)
    problem = Problem("repo", "acme/app", "x", "word " * 200, "")
    rows.repo("acme/app", problems=[problem] * 3)
    rows.write(database)

    cell = rows_of(page_of(database))["acme/app"]["Repo"]

    assert len(cell.text) < 200
    assert cell.all("a")[1].text == "and 2 more"
    assert cell.all("a")[1]["href"] == "/repos/1#errors"


@pytest.fixture
def many(database: Database) -> Database:
    rows = Rows(NOW)
    for number in range(101):
        rows.repo(f"acme/app-{number:03}", settled_at=NOW - DAY)
    rows.write(database)
    return database


def test_long_tables_have_pages(many: Database) -> None:
    page = page_of(many, "/repos?sort=name&page=2")

    assert list(rows_of(page)) == [f"acme/app-{number:03}" for number in range(50, 100)]
    assert page.all("div", class_="pager")[0].text.startswith("101 repos, page 2 of 3")
    links = {one["rel"]: one["href"] for one in page.all("a") if one.get("rel")}
    assert links == {"prev": "/repos?sort=name", "next": "/repos?sort=name&page=3"}


def test_behind_the_last_page_is_the_way_back(many: Database) -> None:
    page = page_of(many, "/repos?q=app&page=9")

    assert page.all("table") == []
    assert page.one("p", class_="empty").text == "This page is behind the last one of the table."
    assert page.one("a", href="/repos?q=app").text == "To the first page"


def test_nothing_that_matches_is_said_with_what_to_do(fleet: Database) -> None:
    page = page_of(fleet, "/repos?q=nothing-like-it")

    assert page.one("p", class_="empty").text == "No repo is like that: take a filter away."


def test_an_empty_state_says_what_it_means(database: Database) -> None:
    page = page_of(database)

    assert page.one("p", class_="empty").text.startswith("No repo is watched yet")


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("page=0", id="page"),
        pytest.param("status=odd", id="status"),
        pytest.param("sort=color", id="order"),
        pytest.param(f"q={'x' * 201}", id="name"),
        pytest.param("attention=perhaps", id="attention"),
    ],
)
def test_what_cannot_be_asked_is_refused(database: Database, query: str) -> None:
    page = page_of(database, f"/repos?{query}", status=400)

    assert page.one("h1").text.startswith(query.partition("=")[0].capitalize())


def test_the_twin_says_the_same_and_keeps_its_contract(fleet: Database) -> None:
    with asking(fleet) as client:
        answer = client.get("/repos.json?status=stale&sort=behind")

    schema = TypeAdapter(ReposView).json_schema(mode="serialization")
    data = answer.json()["data"]
    jsonschema.validate(data, schema)
    view = view_of(fleet, status="stale", sort="behind")
    assert data == TypeAdapter(ReposView).dump_python(view, mode="json")
    assert data["repos"][0]["name"] == "acme/old-timer"


def test_all_links_lead_to_the_forge_or_stay(fleet: Database) -> None:
    links = [urlsplit(one["href"]) for one in page_of(fleet).all("a")]

    assert {one.netloc for one in links} == {"", "github.com"}
    assert {one.scheme for one in links} == {"", "https"}


def test_nobody_sees_any_of_it(fleet: Database) -> None:
    with asking(fleet, "nobody") as client:
        page, twin = client.get("/repos"), client.get("/repos.json")

    assert page.status_code in {303, 401}
    assert twin.status_code == 401
    assert "acme/shop" not in page.text + twin.text
