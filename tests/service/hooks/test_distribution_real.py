"""The notifications that a real docker-registry sends of a real push."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from digestbot.secret import Secret
from digestbot.service.hooks.delivery import Delivery
from digestbot.service.hooks.kinds import SOURCES
from tests.registries.real import open_registry
from tests.registries.samples import make_index
from tests.service.hooks.senders import image
from tests.service.notify.receiver import Received, receiving

_SECRET = "kH3-correct-horse"
_SOURCE = SOURCES["distribution"]


def _endpoint(url: str) -> dict[str, object]:
    return {
        "name": "digestbot",
        "url": url,
        "headers": {"Authorization": [f"Bearer {_SECRET}"]},
        "timeout": "5s",
        "threshold": 3,
        "backoff": "100ms",
    }


def _delivery(received: Received) -> Delivery:
    headers = {name.lower(): text for name, text in received.headers.items()}
    return Delivery(headers, received.body)


def _wait_for(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < until, "no notification came"
        time.sleep(0.01)


def test_a_push_of_an_index_is_one_hint_among_events_of_blobs_and_children(
    tmp_path: Path,
) -> None:
    with receiving() as receiver:
        notifications = {"endpoints": [_endpoint(receiver.url)]}
        with open_registry(tmp_path, notifications=notifications) as registry:
            registry.push("base/python", "3.12", make_index(1))
            registry.push("base/python", "3.12", make_index(2))
            registry.push("base/python", "last", make_index(2))
            _wait_for(lambda: any(b'"last"' in one.body for one in receiver.received))
        deliveries = [_delivery(received) for received in receiver.received]

    readings = [_SOURCE.read(delivery, registry.host) for delivery in deliveries]
    hints = [hint for reading in readings for hint in reading.hints]

    moved = image(registry.host, "base/python", "3.12")
    assert hints == [moved, moved, image(registry.host, "base/python", "last")]
    assert len(readings) > len(hints)
    assert all(_SOURCE.is_authentic(one, Secret(_SECRET)) for one in deliveries)
    assert not any(_SOURCE.is_authentic(one, Secret("another")) for one in deliveries)
