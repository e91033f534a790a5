"""What is live refreshes itself in a browser while something runs, and then stops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from digestbot.store import runs
from digestbot.store.database import Database
from digestbot.store.runs import RunState
from tests.service.state import HOUR, NOW, add_run, state
from tests.web.asking import TOKENS, app_on
from tests.web.browser import chromium, site_of, visiting


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """One run that is over, and one under way."""
    with state(tmp_path) as database:
        with database.begin() as connection:
            add_run(connection, "old", at=NOW - HOUR)
            runs.begin(connection, "now", "cycle", NOW)
            runs.note_progress(connection, "now", {"listed": 3}, 0)
        yield database


def pass_two_seconds(page: Page) -> None:
    """The page believes that they have passed, and has asked again."""
    with page.expect_response(lambda answer: "/runs" in answer.url):
        page.clock.run_for(2_100)


@pytest.mark.parametrize("path", ["/runs", "/runs/now"])
def test_a_run_is_followed_until_it_ends(browser: Browser, database: Database, path: str) -> None:
    app = app_on(database)

    with site_of(app) as site, visiting(browser, site, token=TOKENS["reader"]) as page:
        page.clock.install(time=NOW)
        page.goto(path)
        live, told = page.locator("#live"), page.locator("#told")
        expect(live).to_contain_text("repos listed")
        before = told.text_content()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))

        with database.begin() as connection:
            runs.note_progress(connection, "now", {"listed": 41}, 0)
        pass_two_seconds(page)
        expect(live).to_contain_text("41")
        expect(told).to_have_text(before or "")

        with database.begin() as connection:
            runs.finish(connection, "now", RunState.DONE, {"listed": 42}, (), NOW)
        pass_two_seconds(page)
        expect(live).not_to_contain_text("refreshes itself")
        expect(told).to_contain_text("ended: done")

        asked.clear()
        page.clock.run_for(20_000)
        assert asked == []
