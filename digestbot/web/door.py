"""The one door of the dashboard: nobody sees anything unasked, no page does more than it must."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digestbot.web.access import Role, Visitor

_SAFE = {"GET", "HEAD"}
GUARDS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
"""Headers of every answer, unless it says otherwise itself."""


class Door:
    """Lets through who may see, and to what changes something only who may act.

    Whoever stands behind it finds the visitor in `request.state.visitor`.
    """

    def __init__(
        self,
        app: ASGIApp,
        visitor_of: Callable[[Request], Visitor],
        held_up: Callable[[Request, Visitor], Response | None],
        turned_away: Callable[[Request, Visitor], Response],
        is_open: Callable[[str], bool],
    ) -> None:
        """Put a door before an application.

        Args:
            app: What stands behind it.
            visitor_of: Says who asks.
            held_up: What those hear who must wait, whatever they ask for; nobody else anything.
            turned_away: What those hear who may not.
            is_open: Whether anybody may ask for a path.
        """
        self._app = app
        self._visitor_of = visitor_of
        self._held_up = held_up
        self._turned_away = turned_away
        self._is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in GUARDS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope, receive)
        visitor = self._visitor_of(request)
        request.state.visitor = visitor
        needed = Role.READER if request.method in _SAFE else Role.OPERATOR
        app: ASGIApp | None = self._held_up(request, visitor)
        if app is None and visitor.role < needed and not self._is_open(scope["path"]):
            app = self._turned_away(request, visitor)
        await (app or self._app)(scope, receive, send_guarded)
