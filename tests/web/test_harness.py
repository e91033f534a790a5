"""What watches the pages sees what it is there for: else it would find nothing in anything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.web.axe import barriers
from tests.web.browser import PHONE, chromium, site_of, visiting

_FRAME = '<!doctype html><html lang="en"><title>x</title><link rel="icon" href="data:,"><main>'
PAGES = {
    "good": "<h1>All is well</h1>",
    "error": "<h1>x</h1><script>console.error('ouch')</script>",
    "thrown": "<h1>x</h1><script>throw new Error('ouch')</script>",
    "elsewhere": "<h1>x</h1><img alt='x' src='http://192.0.2.1/x.png'>",
    "missing": "<h1>x</h1><script src='/nothing.js'></script>",
    "policy": "<h1>x</h1><p style='color: red'>x</p>",
    "barrier": "<h1>x</h1><input><p style='color: #eee'>can you read this?</p>",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    def page(request: Request) -> Response:
        name = request.path_params["name"]
        policy = {"content-security-policy": "style-src 'self'"} if name == "policy" else {}
        return HTMLResponse(_FRAME + PAGES[name], headers=policy)

    with site_of(Starlette(routes=[Route("/page/{name}", page)])) as address:
        yield address


def test_a_good_page_is_no_fault(browser: Browser, site: str) -> None:
    with visiting(browser, site, scheme="dark", size=PHONE) as page:
        page.goto("/page/good")

        assert page.get_by_role("heading").inner_text() == "All is well"
        assert barriers(page) == []


@pytest.mark.parametrize(
    "name, said",
    [
        pytest.param("error", "console: ouch", id="console"),
        pytest.param("thrown", "ouch", id="error"),
        pytest.param("elsewhere", "left the host: http://192.0.2.1/x.png", id="elsewhere"),
        pytest.param("missing", "404", id="missing"),
        pytest.param("policy", "Content Security Policy", id="policy"),
    ],
)
def test_what_is_wrong_in_a_page_fails_the_visit(
    browser: Browser, site: str, name: str, said: str
) -> None:
    with pytest.raises(AssertionError, match=said), visiting(browser, site) as page:
        page.goto(f"/page/{name}")


def test_what_is_expected_is_no_fault(browser: Browser, site: str) -> None:
    with visiting(browser, site, expected=["ouch"]) as page:
        page.goto("/page/error")


def test_scripts_can_be_off(browser: Browser, site: str) -> None:
    with visiting(browser, site, scripts=False) as page:
        page.goto("/page/error")


def test_barriers_are_found(browser: Browser, site: str) -> None:
    with visiting(browser, site) as page:
        page.goto("/page/barrier")
        found = barriers(page)

    assert any("label" in one for one in found)
    assert any("color-contrast" in one for one in found)
