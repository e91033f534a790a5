"""Signing in and out as people do, and what pages elsewhere have a real browser try."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from digestbot.service.endpoint import make_app
from digestbot.web.access import access_of
from digestbot.web.routes import Dashboard, dashboard_routes
from tests.service.state import NOW, state
from tests.web.asking import ENVIRON, STILL, TOKENS, loaded_with
from tests.web.axe import barriers
from tests.web.browser import SCHEMES, Scheme, chromium, site_of, visiting

REFUSED = "status of 403"
"""A browser complains of what is refused."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    loaded = loaded_with()
    access = access_of(loaded.settings.dashboard, ENVIRON, "127.0.0.1", STILL)
    with state(tmp_path_factory.mktemp("state")) as database:
        dashboard = Dashboard(database, loaded, access, lambda: (), NOW, clock=STILL)
        routes = dashboard_routes(dashboard)
        with site_of(make_app(lambda: (), lambda _accept: (b"", ""), routes)) as address:
            yield address


@pytest.fixture(scope="module")
def sibling() -> Iterator[str]:
    """Another site on the same host: cookies are sent from there, too."""

    def page(request: Request) -> Response:
        asked = dict(request.query_params)
        action = asked.pop("action")
        fields = "".join(f'<input name="{name}" value="{text}">' for name, text in asked.items())
        form = f'<form method="post" action="{action}">{fields}<button>Win!</button></form>'
        return HTMLResponse(f'<!doctype html><link rel="icon" href="data:,">{form}')

    with site_of(Starlette(routes=[Route("/", page)])) as address:
        yield address


def sign_in(page: Page, token: str = TOKENS["operator"]) -> None:
    page.get_by_label("Your token").fill(token)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_somebody_signs_in_by_keyboard_and_out_again(
    browser: Browser, site: str, scripts: bool
) -> None:
    with visiting(browser, site, scripts=scripts) as page:
        page.goto("/about?said=nothing")
        at_first = page.url
        sign_in(page)
        page.get_by_role("heading", name="About").wait_for()
        inside = page.url
        cookies = page.context.cookies()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("Your token").wait_for()
        page.goto("/about")

        assert at_first == f"{site}/login?next=/about%3Fsaid%3Dnothing"
        assert inside == f"{site}/about?said=nothing"
        assert [cookie.get("httpOnly") for cookie in cookies] == [True]
        assert page.url == f"{site}/login?next=/about"
        assert page.context.cookies() == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_page_keeps_nobody_out(browser: Browser, site: str, scheme: Scheme) -> None:
    with visiting(browser, site, scheme=scheme, expected=[REFUSED]) as page:
        page.goto("/login")
        empty = barriers(page)
        sign_in(page, "not-a-token-not-a-token")
        page.get_by_role("alert").wait_for()

        assert empty + barriers(page) == []
        assert "nobody's token" in page.get_by_role("alert").inner_text()
        assert page.get_by_label("Your token").input_value() == ""


def test_another_site_of_the_same_host_neither_signs_out_nor_in(
    browser: Browser, site: str, sibling: str
) -> None:
    out, into = f"{sibling}/?action={site}/logout", f"{sibling}/?action={site}/login"
    with visiting(browser, site, expected=[REFUSED, "left the host"]) as page:
        page.context.unroute_all()
        page.goto("/login?next=/about")
        sign_in(page)
        csrf = page.locator('form[action="/logout"] input[name=csrf]').input_value()
        mine = page.context.cookies()

        page.goto(f"{out}&csrf={csrf}")
        page.get_by_role("button").click()
        page.wait_for_url(f"{site}/logout")
        page.goto(f"{into}&token={TOKENS['reader']}")
        page.get_by_role("button").click()
        page.get_by_role("alert").wait_for()
        page.goto("/about")

        assert page.url == f"{site}/about"
        assert page.context.cookies() == mine
