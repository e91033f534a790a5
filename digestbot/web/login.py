"""Signing in with a token, and out again."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from digestbot.clock import Clock
from digestbot.service.logs import Event, get_log
from digestbot.web.access import Access, Role
from digestbot.web.answers import Fault, fault_json, wants_json
from digestbot.web.forms import read_form
from digestbot.web.origin import SAFE, neighbourhood
from digestbot.web.throttle import Throttle

PATHS: Final = frozenset({"/login", "/logout"})
"""Where those may ask who are nobody, and post who may only look."""
LONGEST_NEXT = 2000
TEMPLATE = "login"
_SEE_OTHER, _FORBIDDEN, _NOT_FOUND, _TOO_MANY = 303, 403, 404, 429
# A path on this host and what is asked there: no empty part, which would name another host, no
# backslash, which browsers take for a slash, and nothing that they leave out.
_LOCAL = re.compile(r"(?:/[\w.~%!$&'()*+,;=:@-]+)*/?(?:\?[!$-;=?-\[\]_a-z~]*)?", re.ASCII)

_log = get_log(__name__)

Render = Callable[[Request, str, Mapping[str, object]], str]
"""A template by name, with what it shows, as HTML."""


def login_routes(access: Access, render: Render, clock: Clock | None = None) -> list[Route]:
    """The routes `/login` and `/logout`; `PATHS` must be open to everybody.

    Args:
        access: Decides who somebody is.
        render: Renders the template `login`, which is told `next` and `problem`.
        clock: Tells the time.
    """
    door = _Login(access, render, Throttle(clock or Clock()))
    return [
        Route("/login", door.show, methods=["GET"]),
        Route("/login", door.enter, methods=["POST"]),
        Route("/logout", door.leave, methods=["POST"]),
    ]


def login_address(request: Request) -> str:
    """Where somebody signs in who asked for this, and is led back to it."""
    raw: bytes = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
    query: bytes = request.scope["query_string"]
    asked = (raw + (b"?" + query if query else b"")).decode("latin-1")
    there = local_path(asked) if request.method in SAFE else "/"
    return "/login" if there == "/" else f"/login?next={quote(there, safe='/')}"


def local_path(text: str) -> str:
    """The path, and what is asked there, if it is one of this host; else that of the overview."""
    if len(text) > LONGEST_NEXT or not text.startswith("/") or not _LOCAL.fullmatch(text):
        return "/"
    return "/" if text.partition("?")[0].rstrip("/") in PATHS else text


class _Login:
    def __init__(self, access: Access, render: Render, throttle: Throttle) -> None:
        self._access = access
        self._render = render
        self._throttle = throttle

    async def show(self, request: Request) -> Response:
        """The page with the form."""
        self._expect_login()
        there = local_path(request.query_params.get("next", ""))
        visitor = self._access.visitor(request)
        if visitor.role > Role.NOBODY:
            return RedirectResponse(there, _SEE_OTHER)
        if visitor.how == "proxy":
            return self._page(request, there, _OF_A_PROXY, _FORBIDDEN)
        return self._page(request, there)

    async def enter(self, request: Request) -> Response:
        """Begin a session, for whoever knows a token."""
        self._expect_login()
        if not self._access.is_own(request):
            # Somebody could have others act under the name of theirs.
            return self._page(request, "/", _NOT_OWN, _FORBIDDEN)
        form = await read_form(request)
        there = local_path(form.get("next", ""))
        who = neighbourhood(self._access.proxies.client(request))
        wait = self._throttle.wait(who)
        if wait > 0:
            page = self._page(request, there, "Too many tries; wait a minute.", _TOO_MANY)
            page.headers["Retry-After"] = str(math.ceil(wait))
            return page
        answer = RedirectResponse(there, _SEE_OTHER)
        address = self._access.proxies.client(request)
        name = self._access.sign_in(request, answer, form.get("token", "").strip())
        if name:
            _log.info(Event.LOGIN_OK, who=name, address=address)
            return answer
        # Whoever tries too often gets no further than this, so that the log does not fill either.
        self._throttle.note(who)
        _log.warning(Event.LOGIN_FAILED, address=address)
        return self._page(request, there, "That is nobody's token.", _FORBIDDEN)

    async def leave(self, request: Request) -> Response:
        """End a session."""
        form = await read_form(request)
        visitor = self._access.visitor(request)
        is_meant = self._access.check_csrf(visitor, form.get("csrf", ""))
        if visitor.how != "session" or not is_meant:
            raise HTTPException(_FORBIDDEN, "load the page again, and sign out there")
        answer = RedirectResponse("/login", _SEE_OTHER)
        self._access.sign_out(request, answer, visitor)
        return answer

    def _expect_login(self) -> None:
        if not self._access.has_login:
            raise HTTPException(_NOT_FOUND, "nobody signs in here")

    def _page(self, request: Request, there: str, problem: str = "", status: int = 200) -> Response:
        if problem and wants_json(request):
            return fault_json(Fault("sign-in", problem, self._access.hint), status)
        shown = {"next": there, "problem": problem}
        return HTMLResponse(self._render(request, TEMPLATE, shown), status)


_NOT_OWN = (
    "That did not come from this page. If it did: a reverse proxy in front of it must pass on "
    "the Host that it was asked for, or `dashboard.url` name where people reach this."
)
_OF_A_PROXY = "The reverse proxy says who you are, and the configuration does not let you in."
