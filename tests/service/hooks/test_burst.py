"""10,000 deliveries at once: none is lost, and no image is looked at twice."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.types import Message

from digestbot.service.endpoint import make_app
from digestbot.service.figures import Figures
from digestbot.service.hooks.debounce import MOST_WAITING, Debounce
from digestbot.service.hooks.receiver import make_routes
from digestbot.service.jobs import Job, Stop
from digestbot.service.metrics import Metrics
from tests.github.clock import VirtualClock
from tests.service.hooks import payloads
from tests.service.hooks.senders import GITHUB, HARBOR, QUAY, SECRET
from tests.service.hooks.served import hook_of
from tests.service.virtual_engine import VirtualEngine

START = 1_000_000.0
DELIVERIES, IMAGES, AT_ONCE = 10_000, 250, 100


class World:
    """A service without sockets, whose time stands still."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self.clock = VirtualClock(START)
        self.done: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        debounce = Debounce(self.clock.as_clock(), most=most)
        works = dict.fromkeys(("image", "repo", "cycle"), debounce.watched(self._do))
        self.engine = VirtualEngine(works, clock=self.clock, on_error=self._fail)
        senders = {"harbor": HARBOR, "quay": QUAY, "github": GITHUB}
        hooks = {name: hook_of(name, sender) for name, sender in senders.items()}
        routes = make_routes(
            hooks, partial(debounce.take, self.engine), self._count, self.clock.as_clock()
        )
        self.app: Starlette = make_app(list, Metrics(Figures).exposition, routes)

    async def post(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        """The status of the answer to one request."""
        scope: dict[str, Any] = {
            "type": "http",
            "method": "POST",
            "path": path,
            "root_path": "",
            "query_string": b"",
            "headers": [(name.encode(), text.encode()) for name, text in headers.items()],
        }
        parts = [body[:50], body[50:]]
        statuses: list[int] = []

        async def receive() -> Message:
            # As over a network: others are heard between the parts.
            await asyncio.sleep(0)
            part = parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(parts)}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await self.app(scope, receive, send)
        return statuses[0]

    def run_until(self, second: float) -> None:
        self.engine.run_until(datetime.fromtimestamp(START + second, UTC))

    def _do(self, job: Job, _stop: Stop) -> None:
        self.done[job.key] += 1

    def _count(self, _hook: str, result: str) -> None:
        self.counts[str(result)] += 1

    def _fail(self, job: Job, error: BaseException) -> None:
        raise AssertionError(job) from error


async def flood(world: World, bodies: list[bytes]) -> Counter[int]:
    headers = {"authorization": SECRET}
    statuses: Counter[int] = Counter()
    for first in range(0, len(bodies), AT_ONCE):
        batch = bodies[first : first + AT_ONCE]
        statuses.update(
            await asyncio.gather(*(world.post("/hooks/harbor", one, headers) for one in batch))
        )
    return statuses


def pushes(seed: int) -> list[bytes]:
    """Each image many times, in any order; each delivery another, as its time is."""
    found = []
    for number in range(DELIVERIES):
        said = payloads.harbor(tag=f"t{number % IMAGES}")
        found.append(json.dumps(said | {"occur_at": number}).encode())
    random.Random(seed).shuffle(found)
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_10000_deliveries_are_one_job_for_each_image(seed: int) -> None:
    world = World()

    statuses = asyncio.run(flood(world, pushes(seed)))
    world.run_until(1000)

    assert statuses == {202: DELIVERIES}
    assert world.counts == {"taken": DELIVERIES}
    assert world.done == {f"image:harbor.corp/base/python:t{number}": 1 for number in range(IMAGES)}


def test_10000_times_the_same_delivery_is_one() -> None:
    world = World()
    body = HARBOR.deliver().body

    statuses = asyncio.run(flood(world, [body] * DELIVERIES))
    world.run_until(1000)

    assert statuses == {202: DELIVERIES}
    assert world.counts == {"taken": 1, "seen": DELIVERIES - 1}
    assert set(world.done.values()) == {1}


def test_more_images_than_may_wait_are_one_cycle_and_none_is_lost() -> None:
    world = World()
    bodies = [
        json.dumps(payloads.harbor(tag=f"t{number}")).encode() for number in range(DELIVERIES)
    ]

    asyncio.run(flood(world, bodies))
    world.run_until(1000)

    assert world.done["cycle"] == 1
    assert len(world.done) == 1001
    assert set(world.done.values()) == {1}


def test_a_second_push_is_not_taken_for_the_first_whatever_else_was_said_meanwhile() -> None:
    world = World()
    # Quay says neither when a push was, nor which one.
    both, one = (json.dumps(payloads.quay(tags)).encode() for tags in (["1", "2"], ["1"]))

    for second, body in ((0, both), (4, one), (7, one)):
        world.run_until(second)
        asyncio.run(world.post(f"/hooks/quay/{SECRET}", body, {}))
    world.run_until(1000)

    # The first at 5, so that what came at 7 is looked at once more.
    assert world.done == {"image:quay.io/corp/python:1": 2, "image:quay.io/corp/python:2": 1}


def test_what_was_left_to_a_cycle_is_never_taken_for_a_replay() -> None:
    world = World(most=0)
    body = QUAY.deliver().body

    for _ in range(3):
        asyncio.run(world.post(f"/hooks/quay/{SECRET}", body, {}))
    world.run_until(1000)

    assert world.counts == {"taken": 3}
    assert world.done == {"cycle": 1}
