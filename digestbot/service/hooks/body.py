"""The body of a request from a stranger: so large, so slow, and so many at a time."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from starlette.requests import Request

MOST_BYTES = 1024 * 1024
SMALL_BYTES = 64 * 1024
LARGE_AT_ONCE = 32
LONGEST_S = 10.0


class TooLargeError(ValueError):
    """The body is, or says that it will be, larger than `MOST_BYTES`."""


class Bodies:
    """Reads bodies into memory.

    What nearly all senders send is small, and read at once. Of larger ones only a few are read
    at a time, the others wait: so many strangers as may connect cannot fill the memory, nor keep
    those out who send little.
    """

    def __init__(self) -> None:
        self._seats = asyncio.Semaphore(LARGE_AT_ONCE)

    async def read(self, request: Request) -> bytes:
        """The whole body.

        Raises:
            TooLargeError: It is larger than it may be; what is left of it was not read.
            TimeoutError: It takes too long.
            starlette.requests.ClientDisconnect: It ends before its end.
        """
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and (
            len(declared) > len(str(MOST_BYTES)) or int(declared) > MOST_BYTES
        ):
            raise TooLargeError
        async with asyncio.timeout(LONGEST_S):
            return await self._read(request)

    async def _read(self, request: Request) -> bytes:
        body = bytearray()
        async with AsyncExitStack() as stack:
            async for chunk in request.stream():
                size = len(body) + len(chunk)
                if size > MOST_BYTES:
                    raise TooLargeError
                if len(body) <= SMALL_BYTES < size:
                    await stack.enter_async_context(self._seats)
                body += chunk
        return bytes(body)
