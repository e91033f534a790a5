"""Hooks that are served over real connections, and what became of what was sent to them."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from digestbot.clock import Clock
from digestbot.secret import Secret
from digestbot.service.endpoint import make_app, serving
from digestbot.service.figures import Figures
from digestbot.service.hooks.delivery import Delivery, Hint
from digestbot.service.hooks.hook import Hook
from digestbot.service.hooks.receiver import make_routes
from digestbot.service.metrics import Metrics
from tests.service.hooks.senders import SECRET, SENDERS, Sender


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str]

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Served:
    """A service with one hook for each sender, named as the sender is."""

    port: int = 0
    hints: list[Hint] = field(default_factory=list)
    givers: list[str] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    wait_s: float = 5.0

    def take(self, hint: Hint, by: str) -> float:
        self.hints.append(hint)
        self.givers.append(by)
        return self.wait_s

    def count(self, hook: str, result: str) -> None:
        self.counts[hook, str(result)] += 1

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def send(self, name: str, delivery: Delivery) -> Answer:
        """Post a delivery, as its sender does."""
        with closing(self.connect()) as connection:
            return post(connection, name, delivery)


def post(connection: http.client.HTTPConnection, name: str, delivery: Delivery) -> Answer:
    """Post a delivery over a connection."""
    path = f"/hooks/{name}" + (f"/{delivery.path_secret}" if delivery.path_secret else "")
    connection.request("POST", path, delivery.body, dict(delivery.headers))
    response = connection.getresponse()
    headers = {key.lower(): value for key, value in response.getheaders() if key != "date"}
    return Answer(response.status, response.read(), headers)


def hook_of(name: str, sender: Sender) -> Hook:
    return Hook(name, sender.kind, Secret(SECRET), sender.registry)


@contextmanager
def open_hooks(clock: Clock | None = None) -> Generator[Served, None, None]:
    """Serve a hook for each sender."""
    served = Served()
    hooks = {name: hook_of(name, sender) for name, sender in SENDERS.items()}
    routes = make_routes(hooks, served.take, served.count, clock)
    app = make_app(list, Metrics(Figures).exposition, routes)
    with serving(app, "127.0.0.1", 0) as port:
        served.port = port
        yield served
