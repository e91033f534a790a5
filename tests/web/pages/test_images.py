from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import TypeAdapter
from sqlalchemy import Engine

from digestbot.image import ImageTag
from digestbot.store import ignores
from digestbot.store.database import Database
from digestbot.web.page import Look, asked
from digestbot.web.pages import images
from digestbot.web.pages.image_view import ImageIgnore
from digestbot.web.pages.images import ImagesHeld, ImagesQuestion, ImagesView
from tests.service.state import (
    DAY,
    HOUR,
    NEW,
    NOW,
    OLD,
    add_digest,
    add_findings,
    add_repos,
    finding,
    state,
)
from tests.store.statements import counted
from tests.web.asking import asking, loaded_with
from tests.web.fleets import small
from tests.web.markup import Element, cells, parse
from tests.web.rows import Pin, Rows

PYTHON, NGINX, ALPINE, BASE, JAVA, DISTROLESS, NODE, PROMETHEUS, LOST = range(1, 10)
TAG = ImageTag("docker.io", "library/python", "3.12-slim")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with state(tmp_path / "state") as database:
        yield database


@pytest.fixture
def fleet(database: Database) -> Database:
    small(database)
    return database


def view_of(database: Database, **given: Any) -> ImagesView:
    look = Look(database, loaded_with(), (), NOW, NOW)
    return images.read(look, asked(ImagesQuestion, given))


def ids(view: ImagesView) -> list[int]:
    return [one.id for one in view.images]


def page_of(database: Database, asks: str = "", role: str = "reader", status: int = 200) -> Element:
    with asking(database, role) as client:
        answer = client.get(f"/images{asks}")
    assert answer.status_code == status
    return parse(answer.text)


def rows_of(page: Element, label: str = "Images") -> list[dict[str, Element]]:
    (region,) = [one for one in page.all("div", role="region") if one.get("aria-label") == label]
    return cells(region.one("table"))


def ignored(database: Database, repo: str = "") -> None:
    with database.begin() as connection:
        last = date(2026, 12, 1)
        added = ignores.add(connection, TAG, last, "it breaks <b>", "ann", NOW - HOUR, repo)
    assert added == 1


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="all"),
        pytest.param({"q": "library", "sort": "oldest"}, id="some"),
        pytest.param({"state": "held", "page": "2"}, id="none"),
    ],
)
def test_what_follows_them_is_summed_up_once_whatever_is_asked(
    fleet: Database, given: dict[str, str]
) -> None:
    with counted(Engine) as statements:
        view_of(fleet, **given)

    # That, how long pins are behind, what holds them back, what is left alone and how much.
    assert len([one for one in statements if one.startswith(("SELECT", "WITH"))]) == 5


def test_what_most_repos_are_behind_with_comes_first(fleet: Database) -> None:
    view = view_of(fleet)

    assert ids(view)[:4] == [PYTHON, NGINX, BASE, NODE]
    assert (view.total, len(view.images)) == (9, 9)


def test_an_image_says_how_it_stands(fleet: Database) -> None:
    python = view_of(fleet).images[0]

    assert (python.name, python.platform) == (str(TAG), None)
    assert (python.since, python.checked_at) == ("2026-11-19T09:30:00Z", "2026-11-21T09:26:00Z")
    assert (python.repos, python.repos_behind) == (5, 4)
    assert python.places == {"current": 11, "stale": 23, "unpinned": 0, "held": 0, "failed": 0}
    assert python.fresh == 11 / 34
    assert (python.behind_since, python.behind_at_least) == ("2026-07-23T09:30:00Z", False)
    assert (python.failing, python.held) == (None, None)


def test_a_pin_that_was_never_the_tags_is_behind_for_longer(fleet: Database) -> None:
    nginx = view_of(fleet).images[1]

    assert (nginx.behind_since, nginx.behind_at_least) == ("2026-07-14T09:30:00Z", True)


def test_what_fails_says_since_when_and_why(fleet: Database) -> None:
    prometheus, lost = view_of(fleet, state="failing", sort="name").images

    assert prometheus.failing is not None
    assert lost.failing is not None
    assert (prometheus.failing.code, prometheus.failing.host) == ("unauthorized", "quay.io")
    assert lost.failing.since == "2026-10-12T09:30:00Z"
    assert (lost.digest, lost.since, lost.checked_at, lost.fresh) == (None, None, None, None)


def test_what_is_held_says_why_and_until_when(fleet: Database) -> None:
    held = {one.id: one.held for one in view_of(fleet, state="held").images}

    assert held == {
        JAVA: ImagesHeld("platform-lost", None),
        DISTROLESS: ImagesHeld("settling", "2026-11-21T11:30:00Z"),
    }


def test_how_many_there_are_of_each_state_is_told_whatever_is_asked(fleet: Database) -> None:
    expected = {"failing": 2, "behind": 6, "held": 2, "current": 0}

    assert view_of(fleet).states == expected
    assert view_of(fleet, q="nginx", page=7).states == expected


@pytest.mark.parametrize(
    "given, expected",
    [
        pytest.param({"q": "NGINX"}, [NGINX], id="part of the name"),
        pytest.param({"q": " 3.12-slim "}, [PYTHON], id="its tag"),
        pytest.param({"q": "%"}, [], id="no pattern"),
        pytest.param({"registry": "ghcr.io"}, [BASE], id="registry"),
        pytest.param({"registry": "nowhere.example"}, [], id="registry of none"),
        pytest.param({"state": "stale", "sort": "name"}, [NGINX, NODE, PYTHON, BASE], id="stale"),
        pytest.param({"state": "failing"}, [PROMETHEUS, LOST], id="failing"),
        pytest.param({"state": "held", "q": "java"}, [JAVA], id="both"),
    ],
)
def test_filters_leave_what_is_asked_for(
    fleet: Database, given: dict[str, str], expected: list[int]
) -> None:
    view = view_of(fleet, **given)

    assert ids(view) == expected
    assert view.total == len(expected)


@pytest.mark.parametrize(
    "sort, expected",
    [
        pytest.param("oldest", [NGINX, PYTHON, NODE, BASE, JAVA, DISTROLESS], id="oldest"),
        pytest.param("name", [ALPINE, NGINX, NODE, PYTHON, DISTROLESS, BASE], id="name"),
    ],
)
def test_images_come_in_the_order_that_is_asked_for(
    fleet: Database, sort: str, expected: list[int]
) -> None:
    assert ids(view_of(fleet, sort=sort))[:6] == expected


def test_the_registries_to_choose_from_are_those_there_are(fleet: Database) -> None:
    page = page_of(fleet, "?registry=ghcr.io")

    options = page.one("select", name="registry").all("option")
    assert [one["value"] for one in options] == [
        "",
        "docker.io",
        "gcr.io",
        "ghcr.io",
        "quay.io",
        "registry.corp.example:5000",
        "registry.gone.example",
    ]
    assert [one["value"] for one in options if "selected" in one.attributes] == ["ghcr.io"]


def test_a_registry_that_is_not_there_stays_chosen(fleet: Database) -> None:
    options = page_of(fleet, "?registry=x.example").one("select", name="registry").all("option")

    assert [one["value"] for one in options if "selected" in one.attributes] == ["x.example"]


def test_the_table_leads_to_each_image(fleet: Database) -> None:
    rows = rows_of(page_of(fleet))

    python, nginx, *_ = rows
    assert python["Image"].one("a")["href"] == f"/images/{PYTHON}"
    assert (python["Behind"].text, python["Repos"].text) == ("4", "5")
    assert python["State"].text == "▲ stale"
    assert python["Oldest behind for"].text == "121 days"
    assert python["Fresh pins"].text == "32%"
    assert python["Since"].text == "2 days ago"
    assert nginx["Oldest behind for"].text == "at least 130 days"


def test_states_are_words(fleet: Database) -> None:
    told = {one["Image"].one("a")["href"]: one["State"].text for one in rows_of(page_of(fleet))}

    assert told[f"/images/{DISTROLESS}"] == "◆ held: settling due in 2 h"
    assert told[f"/images/{JAVA}"] == "◆ held: platform-lost"
    assert told[f"/images/{ALPINE}"] == "✓ current ○ unpinned"
    assert told[f"/images/{PROMETHEUS}"] == "✗ failing"


def test_the_cause_of_a_failure_stands_with_the_name(fleet: Database) -> None:
    [row] = rows_of(page_of(fleet, "?q=prometheus"))

    assert "unauthorized at quay.io for 3 days" in row["Image"].text


def test_tiles_lead_to_the_images_of_each_state(fleet: Database) -> None:
    tiles = page_of(fleet).all("a", class_="tile")

    assert {one["href"]: one.one("strong").text for one in tiles} == {
        "/images?state=failing": "2",
        "/images?state=behind": "6",
        "/images?state=held": "2",
        "/images?state=current": "0",
    }


def test_filters_stay_in_the_form_and_in_the_export(fleet: Database) -> None:
    page = page_of(fleet, "?q=python&state=behind&sort=oldest")

    assert page.one("input", name="q")["value"] == "python"
    chosen = [one["value"] for one in page.all("option") if "selected" in one.attributes]
    assert chosen == ["behind", "oldest"]
    export = [one["href"] for one in page.all("a") if one["href"].startswith("/exports/")]
    assert export == ["/exports/images.csv?q=python&state=behind&sort=oldest"]


def test_the_export_of_a_page_has_its_images(fleet: Database) -> None:
    with asking(fleet) as client:
        answer = client.get("/exports/images.csv?registry=docker.io&state=stale&sort=name")

    assert answer.status_code == 200
    assert len(answer.text.splitlines()) == 1 + 3


def test_many_images_come_in_pages(database: Database) -> None:
    names = [f"acme/i{number:02}:1" for number in range(53)]
    with database.begin() as connection:
        for name in names:
            add_digest(connection, name, OLD, NOW - DAY)
        number = add_repos(connection, "acme/a")["acme/a"]
        add_findings(connection, number, *(finding(name) for name in names))

    first, second = view_of(database, sort="name"), view_of(database, sort="name", page=2)
    page = page_of(database, "?sort=name&page=2")

    assert [one.name for one in first.images] == [f"docker.io/{one}" for one in names[:50]]
    assert [one.name for one in second.images] == [f"docker.io/{one}" for one in names[50:]]
    assert first.total == second.total == 53
    assert {one["href"] for one in page.all("a", rel="prev")} == {"/images?sort=name"}
    assert "behind the last one" in page_of(database, "?page=3").text


def test_platforms_of_one_tag_are_told_apart(database: Database) -> None:
    rows = Rows(NOW)
    found = [rows.image(TAG, [3], platform=one) for one in ("linux/amd64", "linux/arm64")]
    rows.repo("acme/a", [Pin(one) for one in found])
    rows.write(database)

    assert [one.platform for one in view_of(database).images] == ["linux/amd64", "linux/arm64"]
    assert "linux/arm64" in rows_of(page_of(database))[1]["Image"].text


def test_nothing_yet_says_what_is_to_come(database: Database) -> None:
    page = page_of(database)

    assert page.all("table") == []
    assert "the first cycle finds those" in page.one("p", class_="empty").text


def test_nothing_that_fits_says_to_ask_for_more(fleet: Database) -> None:
    page = page_of(fleet, "?q=nothing-is-called-so")

    assert "take a filter away" in page.one("p", class_="empty").text


@pytest.mark.parametrize("role", ["reader", "operator"])
def test_what_is_ignored_is_told_to_everybody_with_who_and_until_when(
    fleet: Database, role: str
) -> None:
    ignored(fleet)

    view = view_of(fleet)
    [row] = rows_of(page_of(fleet, role=role), "Ignored for now")

    assert view.ignores == [
        ImageIgnore(1, str(TAG), None, "2026-12-01", "it breaks <b>", "ann", "2026-11-21T08:30:00Z")
    ]
    assert view.ignores_total == 1
    assert (row["Image"].text, row["Where"].text) == (str(TAG), "all repos")
    assert (row["Until the end of"].text, row["Why"].text) == ("2026-12-01", "it breaks <b>")
    assert row["Who"].text == "ann 60 min ago"
    assert ("Action" in row) is (role == "operator")


def test_what_is_ignored_is_told_on_its_own_page_too(fleet: Database) -> None:
    ignored(fleet, "acme/shop")

    [row] = rows_of(page_of(fleet, f"/{PYTHON}"), "Ignored for now")
    others = page_of(fleet, f"/{NGINX}")

    assert row["Where"].text == "acme/shop"
    assert "Ignored for now" not in others.text


def test_operators_take_an_ignore_back(fleet: Database) -> None:
    ignored(fleet)
    form = page_of(fleet, role="operator").one("form", action="/actions/unignore")

    assert form.one("input", name="ignore")["value"] == "1"
    assert form.one("input", name="next")["value"] == "/images"
    with fleet.begin() as connection:
        ignores.take_back(connection, 1, NOW)
    assert view_of(fleet).ignores == []


def test_an_ignore_that_has_ended_is_told_no_more(fleet: Database) -> None:
    ignored(fleet)
    look = Look(fleet, loaded_with(), (), NOW, NOW + 11 * DAY)

    assert images.read(look, ImagesQuestion()).ignores == []


def test_names_that_want_to_harm_are_only_text(database: Database) -> None:
    harm = '"><script>alert(1)</script>'
    rows = Rows(NOW)
    failing: dict[str, Any] = {"failing_since": NOW, "failing_host": harm, "failing_code": harm}
    rows.repo("acme/a", [Pin(rows.image(ImageTag(harm, harm, harm), [3], **failing))])
    rows.write(database)

    page = page_of(database)

    [row] = rows_of(page)
    assert row["Image"].one("a").text == f"{harm}/{harm}:{harm}"
    assert page.one("select", name="registry").all("option")[1]["value"] == harm
    assert page.one("main").all("script") == []


@pytest.mark.parametrize(
    "asks",
    [
        "?state=lost",
        "?sort=x",
        "?page=0",
        "?page=x",
        f"?q={'x' * 201}",
        f"?registry={'x' * 301}",
    ],
)
def test_what_cannot_be_asked_is_refused(fleet: Database, asks: str) -> None:
    page_of(fleet, asks, status=400)


@pytest.mark.parametrize("asks", ["", "?state=held", "?page=9", "?q=none"])
def test_the_twin_is_the_view_and_fits_its_schema(fleet: Database, asks: str) -> None:
    ignored(fleet)
    given = dict(part.split("=") for part in asks.removeprefix("?").split("&") if part)

    with asking(fleet) as client:
        answer = client.get(f"/images.json{asks}")

    data = answer.json()["data"]
    assert answer.json()["page"] == "images"
    assert data == TypeAdapter(ImagesView).dump_python(view_of(fleet, **given), mode="json")
    jsonschema.validate(data, TypeAdapter(ImagesView).json_schema(mode="serialization"))


def test_whoever_has_what_the_tag_has_is_fresh(database: Database) -> None:
    with database.begin() as connection:
        add_digest(connection, "python:3.12", OLD, NOW - DAY)
        number = add_repos(connection, "acme/a")["acme/a"]
        add_digest(connection, "python:3.12", NEW, NOW - HOUR)
        add_findings(connection, number, finding(digest=NEW))

    [python] = view_of(database).images

    assert (python.digest, python.repos_behind, python.fresh) == (str(NEW), 0, 1.0)
    assert view_of(database).states["current"] == 1
