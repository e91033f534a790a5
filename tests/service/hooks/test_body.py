"""Bodies of strangers: so large, so slow, and so many at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from digestbot.service.hooks import body
from digestbot.service.hooks.body import MOST_BYTES, SMALL_BYTES, Bodies, TooLargeError


class Client:
    """Sends parts, then waits until it may go on to the end."""

    def __init__(self, parts: Iterable[bytes], length: str = "") -> None:
        self.parts = list(parts)
        self.asked = 0
        self.goes_on = asyncio.Event()
        headers = [(b"content-length", length.encode())] if length else []
        scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
        self.request = Request(scope, self._receive)

    async def _receive(self) -> Message:
        self.asked += 1
        if self.asked <= len(self.parts):
            return {"type": "http.request", "body": self.parts[self.asked - 1], "more_body": True}
        await self.goes_on.wait()
        return {"type": "http.request", "body": b"", "more_body": False}


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_a_body_is_put_together_from_its_parts() -> None:
    async def read() -> bytes:
        client = Client([b"a", b"", b"bc"])
        client.goes_on.set()
        return await Bodies().read(client.request)

    assert asyncio.run(read()) == b"abc"


def test_no_more_is_asked_for_once_it_is_too_large() -> None:
    async def read() -> int:
        client = Client([b"x" * SMALL_BYTES] * 100)
        with pytest.raises(TooLargeError):
            await Bodies().read(client.request)
        return client.asked

    assert asyncio.run(read()) == MOST_BYTES // SMALL_BYTES + 1


@pytest.mark.parametrize("length", [str(MOST_BYTES + 1), "9" * 20, "9" * 10_000])
def test_who_says_that_it_is_too_large_is_asked_for_nothing(length: str) -> None:
    async def read() -> int:
        client = Client([b"x"], length)
        with pytest.raises(TooLargeError):
            await Bodies().read(client.request)
        return client.asked

    assert asyncio.run(read()) == 0


@pytest.mark.parametrize("length", ["1", "-1", "many", "", "0001"])
def test_what_is_said_of_the_length_is_not_believed(length: str) -> None:
    async def read() -> None:
        await Bodies().read(Client([b"x" * (MOST_BYTES + 1)], length).request)

    with pytest.raises(TooLargeError):
        asyncio.run(read())


def test_who_sends_nothing_more_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "LONGEST_S", 0.01)

    async def read() -> None:
        await Bodies().read(Client([b"x"]).request)

    with pytest.raises(TimeoutError):
        asyncio.run(read())


def test_only_so_many_large_ones_are_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "LARGE_AT_ONCE", 2)

    async def read() -> tuple[list[int], list[int]]:
        bodies = Bodies()
        clients = [Client([b"x" * (SMALL_BYTES + 1), b"y", b"z"]) for _ in range(5)]
        small = Client([b"x" * SMALL_BYTES])
        small.goes_on.set()
        tasks = [asyncio.create_task(bodies.read(one.request)) for one in clients]
        await settle()
        assert len(await bodies.read(small.request)) == SMALL_BYTES
        before = [one.asked for one in clients]
        for one in clients:
            one.goes_on.set()
        return before, [len(data) for data in await asyncio.gather(*tasks)]

    before, sizes = asyncio.run(read())

    # Who waits was asked for its first part only.
    assert before == [4, 4, 1, 1, 1]
    assert sizes == [SMALL_BYTES + 3] * 5


def test_who_goes_gives_its_seat_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "LARGE_AT_ONCE", 1)

    async def read() -> int:
        bodies = Bodies()
        first, second = (Client([b"x" * (SMALL_BYTES + 1)]) for _ in range(2))
        second.goes_on.set()
        task = asyncio.create_task(bodies.read(first.request))
        await settle()
        task.cancel()
        return len(await bodies.read(second.request))

    assert asyncio.run(read()) == SMALL_BYTES + 1


def test_a_body_that_ends_before_its_end_is_none() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def read() -> None:
        scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
        await Bodies().read(Request(scope, receive))

    with pytest.raises(ClientDisconnect):
        asyncio.run(read())
