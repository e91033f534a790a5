from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from digestbot.scan.result import Problem
from digestbot.store import runs as stored
from digestbot.store.database import Database
from digestbot.store.runs import RunState
from digestbot.web.page import Look
from digestbot.web.pages import runs
from digestbot.web.pages.runs import RunsQuestion, RunsView
from tests.service.state import HOUR, NOW, add_run, state
from tests.web.asking import asking, loaded_with

LIVE = "every 2s"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with state(tmp_path) as database:
        yield database


def add_all(database: Database, *, is_running: bool = False) -> None:
    """Sixty runs, an hour apart, one of them failed, a hint among them; perhaps one under way."""
    problem = Problem("registry", "quay.io", "unauthorized", "401", "give it a token")
    with database.begin() as connection:
        for number in range(2, 60):
            add_run(connection, f"r{number:02}", at=NOW - number * HOUR, listed=7, lookups=3)
        add_run(
            connection,
            "bad",
            RunState.FAILED,
            problem,
            problem,
            at=NOW - HOUR,
            seconds=90,
            updated=2,
            proposals_opened=4,
        )
        stored.begin(connection, "hint1", "hint", NOW - 100 * HOUR)
        stored.finish(connection, "hint1", RunState.DONE, {}, (), NOW - 100 * HOUR)
        if is_running:
            stored.begin(connection, "now", "cycle", NOW - HOUR / 60)


def view_of(database: Database, **asked: Any) -> RunsView:
    return runs.read(Look(database, loaded_with(), (), NOW, NOW), RunsQuestion(**asked))


def test_each_run_is_told_with_what_it_did(database: Database) -> None:
    add_all(database)

    view = view_of(database)

    first, second = view.runs[:2]
    assert asdict(first) == {
        "id": "bad",
        "kind": "cycle",
        "state": "failed",
        "started_at": "2026-11-21T08:30:00Z",
        "finished_at": "2026-11-21T08:31:30Z",
        "took_s": 90.0,
        "listed": 0,
        "updated": 2,
        "lookups": 0,
        "opened": 4,
        "problems": 2,
        "asked_by": "",
    }
    assert (second.id, second.listed, second.lookups, second.took_s) == ("r02", 7, 3, 12.0)
    assert view.latest == first
    assert view.running == []


def test_what_is_under_way_is_told_apart(database: Database) -> None:
    add_all(database, is_running=True)

    view = view_of(database, state="done")

    (running,) = view.running
    assert (running.id, running.finished_at, running.took_s) == ("now", None, 60.0)
    assert view.latest is not None
    assert view.latest.id == "bad"


@pytest.mark.parametrize(
    "asked, total, first",
    [
        pytest.param({}, 60, "bad", id="all"),
        pytest.param({"page": 2}, 60, "r51", id="second page"),
        pytest.param({"page": 3}, 60, None, id="behind the last page"),
        pytest.param({"state": "failed"}, 1, "bad", id="state"),
        pytest.param({"kind": "hint"}, 1, "hint1", id="kind"),
        pytest.param({"kind": "hint", "state": "failed"}, 0, None, id="both"),
    ],
)
def test_what_is_asked_for_is_shown(
    database: Database, asked: dict[str, Any], total: int, first: str | None
) -> None:
    add_all(database)

    view = view_of(database, **asked)

    assert view.total == total
    assert (view.runs[0].id if view.runs else None) == first
    assert len(view.runs) <= 50


def test_a_clock_that_went_back_makes_no_run_take_less_than_nothing(database: Database) -> None:
    with database.begin() as connection:
        stored.begin(connection, "early", "cycle", NOW + HOUR)

    assert view_of(database).running[0].took_s == 0


class _Page(HTMLParser):
    """The links of a page, what refreshes itself, what is read aloud, and its cells."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.live: dict[str, str | None] = {}
        self.told: dict[str, str | None] = {}
        self.heads: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.links += [str(found["href"])] if tag == "a" else []
        self.heads += [str(found.get("scope"))] if tag == "th" else []
        self.live = found if found.get("id") == "live" else self.live
        self.told = found if found.get("id") == "told" else self.told


def page_of(database: Database, path: str) -> _Page:
    with asking(database) as client:
        answer = client.get(path)

    assert answer.status_code == 200
    return _Page(answer.text)


def test_the_page_links_to_each_run_and_to_the_whole_table(database: Database) -> None:
    add_all(database)

    page = page_of(database, "/runs?kind=cycle")

    assert "/runs/bad" in page.links
    assert "/runs/r50" in page.links
    assert "/exports/runs.csv?kind=cycle" in page.links
    assert "/runs?kind=cycle&page=2" in page.links
    assert set(page.heads) == {"col", "row"}


def test_while_something_runs_the_page_refreshes_itself(database: Database) -> None:
    add_all(database, is_running=True)

    page = page_of(database, "/runs?state=failed")

    assert page.live["hx-trigger"] == LIVE
    assert page.live["hx-get"] == "/runs?state=failed"
    assert page.live["hx-select"] == "#live"
    assert page.live["hx-swap"] == "outerHTML"
    assert "/runs?state=failed&live=false" in page.links
    assert "/runs?state=failed" in page.links


@pytest.mark.parametrize(
    "is_running, path",
    [
        pytest.param(False, "/runs", id="nothing runs"),
        pytest.param(True, "/runs?live=false", id="it is to stand still"),
    ],
)
def test_else_it_stands_still(database: Database, is_running: bool, path: str) -> None:
    add_all(database, is_running=is_running)

    page = page_of(database, path)

    assert not [name for name in page.live if name.startswith("hx-")]
    assert {path, "/runs"} <= set(page.links)


def test_only_that_the_state_changed_is_read_aloud(database: Database) -> None:
    add_all(database, is_running=True)

    before = page_of(database, "/runs")
    with database.begin() as connection:
        counts = {"listed": 3}
        stored.finish(connection, "now", RunState.DONE, counts, (), NOW)
    after = page_of(database, "/runs")

    assert before.told["role"] == "status"
    assert "aria-live" not in before.live
    assert before.live["data-said"] == "A run is under way"
    assert after.live["data-said"] == "The last run ended: done"


@pytest.mark.parametrize(
    "path, expected",
    [
        pytest.param("/runs", "Nothing ran yet", id="none"),
        pytest.param("/runs?state=failed", "No run is like that", id="none like that"),
    ],
)
def test_an_empty_list_says_what_it_means(database: Database, path: str, expected: str) -> None:
    with asking(database) as client:
        assert expected in client.get(path).text


def test_the_twin_tells_the_view(database: Database) -> None:
    add_all(database, is_running=True)

    with asking(database) as client:
        told = client.get("/runs.json?page=2").json()

    assert told["page"] == "runs"
    assert TypeAdapter(RunsView).validate_python(told["data"]) == view_of(database, page=2)


@pytest.mark.parametrize(
    "query, field",
    [
        pytest.param("state=walking", "state", id="state"),
        pytest.param("kind=cycle%27--", "kind", id="kind"),
        pytest.param("page=0", "page", id="page"),
        pytest.param("page=100001", "page", id="too far"),
        pytest.param("live=perhaps", "live", id="live"),
    ],
)
def test_what_cannot_be_asked_is_named(database: Database, query: str, field: str) -> None:
    with asking(database) as client:
        answer = client.get(f"/runs.json?{query}")

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(f"{field}: ")


def test_nobody_sees_runs(database: Database) -> None:
    with asking(database, "nobody") as client:
        assert client.get("/runs.json").status_code == 401
