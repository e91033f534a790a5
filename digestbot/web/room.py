"""How many read the state at a time for the dashboard: the service itself is never kept waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

SEATS = 8
"""About half of the connections to the state, and a fifth of the threads that answer requests.

The others are for the cycle, and for `/readyz` and `/metrics`: they answer however many look at
the dashboard, and however long that takes.
"""
T = TypeVar("T")


class Room:
    """Whoever finds no seat waits, and holds neither a thread nor a connection meanwhile."""

    def __init__(self, seats: int = SEATS) -> None:
        self._seats = asyncio.Semaphore(seats)

    def seated(self, routes: Sequence[BaseRoute]) -> list[BaseRoute]:
        """The same routes, each of which takes a seat while it works in a thread."""
        return [self._seated(one) if isinstance(one, Route) else one for one in routes]

    def _seated(self, route: Route) -> Route:
        async def answer(request: Request) -> Response:
            async with self._seats:
                response: Response = await run_in_threadpool(route.endpoint, request)
            if isinstance(response, StreamingResponse):
                # Who reads it slowly has a seat only while the next piece is read.
                response.body_iterator = self._pieces(response.body_iterator)
            return response

        return Route(route.path, answer)

    async def _pieces(self, pieces: AsyncIterable[T]) -> AsyncIterator[T]:
        left = aiter(pieces)
        while True:
            async with self._seats:
                try:
                    piece = await anext(left)
                except StopAsyncIteration:
                    return
            yield piece
