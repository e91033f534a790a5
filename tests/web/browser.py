"""A real browser in front of the real application: Debian's chromium, driven by Playwright.

Nothing may leave the host, and a page must not complain: whatever does is told by the end of a
visit, which fails then.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Route,
    ViewportSize,
    sync_playwright,
)
from starlette.types import ASGIApp

from digestbot.service.endpoint import serving

WIDE: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
SIZES = {"wide": WIDE, "phone": PHONE}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
_PATIENCE_MS = 5_000
_OPTIONS = (
    "--no-sandbox",  # root may not have one
    "--disable-dev-shm-usage",
    # What has a name is somewhere else.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; it is an error where there is none.

    Playwright keeps an event loop going in this thread meanwhile: not for longer than a module.
    """
    program = shutil.which("chromium")
    assert program, "chromium is missing: install it (Debian: apt-get install chromium)"
    with tempfile.TemporaryDirectory(prefix="home-") as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=_OPTIONS, env={"HOME": home}
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def site_of(app: ASGIApp) -> Iterator[str]:
    """An application on a free port, as the service serves it; gives its address."""
    with serving(app, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


@dataclass
class Faults:
    """What went wrong in the pages of a visit."""

    found: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext, site: str) -> None:
        """Listen to all pages; what would leave the site is kept from it."""
        elsewhere = re.compile(rf"^(?!{re.escape(site)}(/|$)|data:|blob:)")
        context.route(elsewhere, self._keep_in)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.found.append(f"error: {error.error}"))
        context.on("requestfailed", self._on_failed)

    def _keep_in(self, route: Route) -> None:
        self.found.append(f"left the host: {route.request.url}")
        route.abort("blockedbyclient")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.found.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _on_failed(self, request: Request) -> None:
        # Who goes on before an answer is there wants it no more; a download is no page.
        if request.failure != "net::ERR_ABORTED":
            self.found.append(f"failed: {request.url}: {request.failure}")


@contextmanager
def visiting(
    browser: Browser,
    site: str,
    *,
    scripts: bool = True,
    scheme: Scheme = "light",
    size: ViewportSize = WIDE,
    token: str = "",
    expected: Collection[str] = (),
) -> Iterator[Page]:
    """A page in a browser of its own, without cookies.

    Args:
        browser: Where.
        site: The address of the application.
        scripts: Whether JavaScript is on.
        scheme: What the visitor's system has.
        size: Of the window.
        token: Sent with every request, if there is one.
        expected: Parts of complaints that are none here.
    """
    context = browser.new_context(
        base_url=site,
        java_script_enabled=scripts,
        color_scheme=scheme,
        viewport=size,
        extra_http_headers={"authorization": f"Bearer {token}"} if token else {},
        reduced_motion="reduce",
        timezone_id="UTC",
        locale="en-GB",
    )
    faults = Faults()
    try:
        context.set_default_timeout(_PATIENCE_MS)
        faults.watch(context, site)
        yield context.new_page()
    finally:
        context.close()
    left = [one for one in faults.found if not any(part in one for part in expected)]
    assert not left, "\n".join(left)
