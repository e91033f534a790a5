"""However many look, and however slowly: the service itself goes on answering."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from digestbot.service.endpoint import make_app, serving
from digestbot.web.room import SEATS, Room
from tests.web.test_login_served import Served
from tests.web.visits import Ask

MANY = 60
"""More than there are threads."""


@dataclass
class Slow:
    """A page that takes as long as a test has it take."""

    go: threading.Event = field(default_factory=threading.Event)
    full: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    inside: int = 0
    most: int = 0

    def page(self, _request: Request) -> Response:
        self._enter()
        return PlainTextResponse("done")

    def pieces(self, _request: Request) -> Response:
        def read() -> Iterator[str]:
            for number in range(3):
                self._enter()
                yield f"{number}\n"

        return StreamingResponse(read())

    def _enter(self) -> None:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
            if self.inside == SEATS:
                self.full.set()
        assert self.go.wait(30)
        with self.lock:
            self.inside -= 1


@pytest.mark.parametrize("name", ["page", "pieces"])
def test_while_all_seats_are_taken_the_service_says_how_it_is(name: str) -> None:
    slow = Slow()
    routes = Room().seated([Route("/slow", getattr(slow, name))])
    app = make_app(
        lambda: (),
        lambda _accept: (b"", "text/plain"),
        [Mount("/", Starlette(routes=routes))],
    )

    with serving(app, "127.0.0.1", 0) as port, ThreadPoolExecutor(MANY) as pool:
        served = Served(port)
        asked = [pool.submit(served.ask, "/slow") for _ in range(MANY)]
        try:
            assert slow.full.wait(30)
            meanwhile = [served.ask(path).status for path in ("/healthz", "/readyz", "/metrics")]
        finally:
            slow.go.set()
        answers = {(one.result().status, one.result().text) for one in asked}

    assert meanwhile == [200] * 3
    assert slow.most == SEATS
    assert answers == {(200, "done" if name == "page" else "0\n1\n2\n")}


def test_whoever_reads_slowly_has_no_seat_meanwhile() -> None:
    def endless(_request: Request) -> Response:
        return StreamingResponse(iter(["a", "b"]))

    room = Room(1)
    first, second = (
        route.endpoint
        for route in room.seated([Route("/a", endless), Route("/b", lambda _r: Response("there"))])
        if isinstance(route, Route)
    )

    async def ask() -> tuple[object, bytes]:
        slow = await first(Ask("/a").request)
        pieces = aiter(slow.body_iterator)
        begun = await anext(pieces)
        other = await asyncio.wait_for(second(Ask("/b").request), 10)
        return begun, bytes(other.body)

    assert asyncio.run(ask()) == ("a", b"there")


def test_what_fails_leaves_its_seat() -> None:
    def fails(_request: Request) -> Response:
        raise LookupError

    (route,) = Room(1).seated([Route("/", fails)])
    assert isinstance(route, Route)

    async def ask() -> int:
        failed = 0
        for _ in range(3):
            with pytest.raises(LookupError):
                await asyncio.wait_for(route.endpoint(Ask("/").request), 10)
            failed += 1
        return failed

    assert asyncio.run(ask()) == 3


def test_what_is_asked_by_another_way_is_left_as_it_is() -> None:
    mount = Mount("/static", Starlette())

    assert Room().seated([mount]) == [mount]
