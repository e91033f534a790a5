"""The dashboard, ready to be served."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from digestbot.clock import Clock
from digestbot.config.load import LoadedSettings
from digestbot.service.logs import Event, get_log
from digestbot.service.readiness import Reason
from digestbot.store.database import Database
from digestbot.store.errors import StoreError
from digestbot.web.access import WRONG_TOKEN, Access, Role, Visitor
from digestbot.web.answers import Fault, fault_json, json_answer, wants_json
from digestbot.web.badges import badge_routes, is_public
from digestbot.web.door import GUARDS, Door
from digestbot.web.exports import export_routes
from digestbot.web.files import Files
from digestbot.web.login import PATHS, login_address, login_routes
from digestbot.web.openapi import openapi_routes
from digestbot.web.origin import SAFE, neighbourhood
from digestbot.web.page import (
    AskedWrongError,
    LastChecked,
    Look,
    NotHereError,
    Page,
    nothing_checked,
)
from digestbot.web.pages import MENU, PAGES
from digestbot.web.rendering import make_templates, render
from digestbot.web.room import Room
from digestbot.web.tables import EXPORTS
from digestbot.web.throttle import Throttle

Routes = Sequence[BaseRoute]
_STATIC = "/static/"
_SEE_OTHER, _BAD, _UNKNOWN, _FORBIDDEN = 303, 400, 401, 403
_NOT_FOUND, _NOT_ALLOWED, _TOO_MANY, _INTERNAL, _DOWN = 404, 405, 429, 500, 503

_log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What the dashboard is made of.

    Attributes:
        loaded: The configuration of the service, with the origin of each value.
        reasons: Why the service is not ready; none where it is.
        started: When this process began.
        messages: What is said after something was asked for, by its code.
        checked: What registries said of the way back of a rollout a moment ago, by its id.
    """

    database: Database
    loaded: LoadedSettings
    access: Access
    reasons: Callable[[], Sequence[Reason]]
    started: datetime
    messages: Mapping[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    checked: LastChecked = nothing_checked
    templates: Environment = field(default_factory=make_templates)

    def look(self, visitor: Visitor) -> Look:
        """What a page is read from, now."""
        return Look(
            self.database,
            self.loaded,
            self.reasons(),
            self.started,
            self.now(),
            can_act=visitor.can_act,
            checked=self.checked,
        )

    def render(self, request: Request, name: str, shown: Mapping[str, object]) -> str:
        """A template as HTML, with what every one of them may speak of, and what it shows."""
        visitor: Visitor = request.state.visitor
        told = {
            "visitor": visitor,
            "csrf": self.access.csrf(visitor),
            "menu": [PAGES[name] for name in MENU if name in PAGES],
            "here": request.url.path,
            "origin": _origin(self, request),
            "said": request.query_params.get("said", ""),
            "messages": self.messages,
            "now": self.now(),
        }
        return render(self.templates, name, {**told, **shown})

    def now(self) -> datetime:
        """The time."""
        return datetime.fromtimestamp(self.clock.wall(), UTC)


def dashboard_routes(dashboard: Dashboard, others: Routes = ()) -> Routes:
    """The routes for `endpoint.make_app`: they take every path that nobody else has.

    `others` stand behind the same door.
    """
    pages = [route for page in PAGES.values() for route in _routes_of(dashboard, page)]
    static = Mount("/static", Files(packages=[("digestbot.web", "static")]))
    public = dashboard.loaded.settings.dashboard.public_badges
    login = login_routes(dashboard.access, dashboard.render, dashboard.clock)
    badges = badge_routes(dashboard.database, public)
    exports = export_routes(EXPORTS.values(), lambda request: dashboard.look(request.state.visitor))
    reading = Room().seated([*pages, *badges, *exports])
    app = Starlette(
        routes=[*reading, *login, *openapi_routes(), *others, static],
        middleware=[
            Middleware(
                Door,
                visitor_of=dashboard.access.visitor,
                held_up=_held_up(dashboard),
                turned_away=_turned_away(dashboard),
                is_open=lambda path: (
                    path in PATHS or path.startswith(_STATIC) or is_public(path, public)
                ),
            )
        ],
        exception_handlers={
            HTTPException: _on_http(dashboard),
            NotHereError: _on_fault(dashboard, "not-found", _NOT_FOUND),
            AskedWrongError: _on_fault(dashboard, "asked-wrong", _BAD),
            StoreError: _on_fault(dashboard, "state-unreachable", _DOWN),
            Exception: _on_crash(dashboard),
        },
    )
    # It would lead to whatever host the request names.
    app.router.redirect_slashes = False
    return [Mount("/", app)]


def _origin(dashboard: Dashboard, request: Request) -> str:
    """Where people reach the dashboard, to be pasted elsewhere; else where the visitor sees it."""
    configured = dashboard.loaded.settings.dashboard.origin
    if configured:
        return configured
    scheme = "https" if dashboard.access.proxies.is_https(request) else "http"
    return f"{scheme}://{request.url.netloc}"


def _routes_of(dashboard: Dashboard, page: Page[Any, Any]) -> list[BaseRoute]:
    def html(request: Request) -> Response:
        question = page.asked({**request.query_params, **request.path_params})
        look = dashboard.look(request.state.visitor)
        view = page.read(look, question)
        shown = {"page": page, "view": view, "question": question, "twin": _twin_of(page, request)}
        return HTMLResponse(dashboard.render(request, page.name, shown))

    def twin(request: Request) -> Response:
        question = page.asked({**request.query_params, **request.path_params})
        look = dashboard.look(request.state.visitor)
        return json_answer(page.name, page.read(look, question), look.now)

    # The twin first: else its name would be taken for part of a path.
    return [Route(page.twin, twin), Route(page.path, html)]


def _twin_of(page: Page[Any, Any], request: Request) -> str:
    path = page.twin if page.path == "/" else f"{request.url.path}.json"
    return f"{path}?{request.url.query}" if request.url.query else path


def _held_up(dashboard: Dashboard) -> Callable[[Request, Visitor], Response | None]:
    # Not the one of the page to sign in: a program that sends an old token, as often as it likes,
    # would keep those from there who ask from the same address.
    throttle = Throttle(dashboard.clock)

    def answer(request: Request, visitor: Visitor) -> Response | None:
        if visitor is not WRONG_TOKEN:
            return None
        address = dashboard.access.proxies.client(request)
        who = neighbourhood(address)
        wait = throttle.wait(who)
        if wait == 0:
            throttle.note(who)
            _log.warning(Event.BEARER_REFUSED, address=address)
            return None
        fault = Fault("too-many-tries", "too many wrong tokens; wait a minute", _LET_IN)
        return _faulty(dashboard, request, fault, _TOO_MANY, {"Retry-After": str(math.ceil(wait))})

    return answer


_LET_IN = "see that the token is that of a user; a right one is let through at once"


def _turned_away(dashboard: Dashboard) -> Callable[[Request, Visitor], Response]:
    def answer(request: Request, visitor: Visitor) -> Response:
        access = dashboard.access
        if visitor.role > Role.NOBODY:
            fault = Fault("forbidden", "you may look, and change nothing", "ask an operator")
            return _faulty(dashboard, request, fault, _FORBIDDEN)
        if request.method in SAFE:
            if access.has_login and not wants_json(request):
                return RedirectResponse(login_address(request), _SEE_OTHER)
            message = "nobody may look who is not signed in"
        elif access.is_foreign(request):
            fault = Fault("foreign", "that did not come from a page of the dashboard", _FOREIGN)
            return _faulty(dashboard, request, fault, _FORBIDDEN)
        else:
            message = "nobody may ask for this who is not signed in"
        return _faulty(dashboard, request, Fault("sign-in", message, access.hint), _UNKNOWN)

    return answer


_FOREIGN = (
    "ask on a page of it; a reverse proxy in front must pass on the Host it was asked for, or "
    "dashboard.url name where people reach it"
)


def _on_http(dashboard: Dashboard) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        code, message = _SAID.get(error.status_code, ("refused", error.detail))
        fault = Fault(code, message, "")
        return _faulty(dashboard, request, fault, error.status_code, error.headers)

    return answer


_SAID = {
    _NOT_FOUND: ("not-found", "there is no such page"),
    _NOT_ALLOWED: ("method", "that is not how this is asked"),
}


def _on_fault(
    dashboard: Dashboard, code: str, status: int
) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, error: Exception) -> Response:
        fault = Fault(code, str(error), getattr(error, "hint", ""))
        if request.state.visitor.role == Role.NOBODY:
            # Whoever asks for a public badge need not know where the state lies.
            fault = Fault(code, "there is no answer now", "")
        return _faulty(dashboard, request, fault, status)

    return answer


def _on_crash(dashboard: Dashboard) -> Callable[[Request, Exception], Response]:
    # The error goes on from here to the log. This stands before the door, so its headers are not
    # there by themselves.
    def answer(request: Request, _error: Exception) -> Response:
        fault = Fault("internal", "something went wrong here", "the log of the service says what")
        return _faulty(dashboard, request, fault, _INTERNAL, GUARDS)

    return answer


def _faulty(
    dashboard: Dashboard,
    request: Request,
    fault: Fault,
    status: int,
    headers: Mapping[str, str] | None = None,
) -> Response:
    if wants_json(request):
        answer = fault_json(fault, status)
    else:
        answer = HTMLResponse(dashboard.render(request, "fault", {"fault": fault}), status)
    answer.headers.update(headers or {})
    if status == _UNKNOWN:
        # RFC 9110, 15.5.2: it says how one may ask. Browsers ask nobody for such a token.
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer
