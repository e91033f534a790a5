"""What the service answers over HTTP: that it lives, that it is ready, and its metrics."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import cast

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from digestbot.errors import UsageError
from digestbot.service.readiness import Reason

STOP_S = 1
MOST_CLIENTS = 256
FIRST_REQUEST_S = 10.0
_JOIN_S = 5.0
_UNAVAILABLE = 503
_BACKLOG = 128

Reasons = Callable[[], Sequence[Reason]]
"""Why the service is not ready; none where it is."""
Exposition = Callable[[str], tuple[bytes, str]]
"""The metrics for an `Accept` header, and their type."""


def make_app(
    reasons: Reasons, exposition: Exposition, routes: Sequence[BaseRoute] = ()
) -> Starlette:
    """The application; `routes` are served beside its own.

    `/healthz` says that the process lives, `/readyz` whether it does its work, and why not;
    `/metrics` is what Prometheus reads.
    """

    async def healthz(_request: Request) -> Response:
        # It waits for no thread: it must answer where everything else hangs.
        return JSONResponse({"status": "ok"})

    def readyz(_request: Request) -> Response:
        found = [asdict(reason) for reason in reasons()]
        if not found:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready", "reasons": found}, _UNAVAILABLE)

    def metrics(request: Request) -> Response:
        content, kind = exposition(request.headers.get("accept", ""))
        return Response(content, headers={"Content-Type": kind})

    own = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
    app = Starlette(routes=[*own, *routes], middleware=[Middleware(_Fresh)])
    # It would lead to whatever host the request names.
    app.router.redirect_slashes = False
    return app


class _Fresh:
    """No answer is kept by anybody, nor taken for something else, unless it says so itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_fresh(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name.lower() for name, _ in message["headers"]}
                for name, value in _HEADERS:
                    if name not in names:
                        message["headers"] = [*message["headers"], (name, value)]
            await send(message)

        await self._app(scope, receive, send_fresh)


_HEADERS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


@contextmanager
def serving(app: ASGIApp, host: str, port: int) -> Generator[int, None, None]:
    """Serve an application from a thread of its own, inside the `with`; gives the port.

    Args:
        app: What answers.
        host: The local address.
        port: 0 is any that is free.

    Raises:
        UsageError: Nobody can listen there.
    """
    listener = _listen(host, port)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=_Bounded,
            log_config=None,
            # A warning is what a stranger sends that is no HTTP, as often as they like.
            log_level=logging.ERROR,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            lifespan="off",
            timeout_graceful_shutdown=STOP_S,
        )
    )
    given = listener.getsockname()[1]
    thread = threading.Thread(
        target=server.run, args=([listener],), name=f"endpoint-{given}", daemon=True
    )
    thread.start()
    try:
        yield given
    finally:
        server.should_exit = True
        thread.join(_JOIN_S)
        listener.close()


class _Bounded(H11Protocol):
    """HTTP for so many clients at a time, each of whom soon says what it wants.

    Otherwise clients that say nothing could take all the files that the process may open. Where
    there is no room, whoever is there for the longest goes: strangers who stay keep nobody out
    who only asks whether the service lives.
    """

    since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.since = self.loop.time()
        self.loop.call_later(FIRST_REQUEST_S, self._expect_request)
        if len(self.connections) > MOST_CLIENTS:
            # Those that are on their way out are among them until the next turn of the loop.
            staying = (one for one in self.connections if not one.transport.is_closing())
            min(staying, key=lambda one: getattr(one, "since", 0.0)).transport.abort()

    def _expect_request(self) -> None:
        # Who asked before, and may ask again, has said it: that they stay is seen to elsewhere.
        if cast("RequestResponseCycle | None", self.cycle) is None:
            self.transport.close()


def _listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections from now on, so that nobody who is fast is turned away."""
    host = host.removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "no such address"
        raise UsageError(
            f"cannot listen on {host}:{port}: {why}",
            hint="set service.listen to an address of this machine and a port that is free",
        ) from None
    # Its connections have it from here. Without it the body of each answer but the first waits
    # some 40 ms for word that its head has arrived.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
