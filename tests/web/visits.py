"""Requests as a server hands them over, each header as it came, and what was answered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message

from digestbot.clock import Clock
from digestbot.config.dashboard import DashboardConfig
from digestbot.web.access import Access, access_of

HOST = "dash.corp"
STRANGER = "192.0.2.9"
PROXY_ADDRESS = "10.0.0.7"
ANN_TOKEN = "ann-0123456789abcdef-ann"
BOB_TOKEN = "bob-0123456789abcdef-bob"
ENVIRON = {"ANN": ANN_TOKEN, "BOB": BOB_TOKEN}
USERS = [
    {"name": "ann", "role": "operator", "token_env": "ANN"},
    {"name": "bob", "token_env": "BOB"},
]
PROXY = {
    "addresses": ["10.0.0.0/8"],
    "header": "X-Forwarded-User",
    "operators": ["ann", "bot@corp", "zoë"],
    "readers": ["bob"],
}
OWN = {"Origin": f"http://{HOST}"}
"""What a browser adds to a form of the dashboard."""


@dataclass
class Time:
    """A clock that stands, until it is told."""

    now: float = 1_800_000_000.0

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.now, wall=lambda: self.now)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def cookie(self) -> str:
        """What the browser would send back."""
        return self.headers["set-cookie"].partition(";")[0]


@dataclass(frozen=True)
class Ask:
    """A request; `more` are headers that may be there more than once."""

    path: str = "/"
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    more: tuple[tuple[str, str], ...] = ()
    client: str | None = STRANGER
    scheme: str = "http"
    host: str = HOST
    form: Mapping[str, str] | None = None
    body: bytes = b""

    @property
    def scope(self) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        pairs = [("Host", self.host), *self.headers.items(), *self.more]
        if self.form is not None:
            pairs.append(("Content-Type", "application/x-www-form-urlencoded"))
        return {
            "type": "http",
            "http_version": "1.1",
            "method": self.method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "scheme": self.scheme,
            "headers": [(name.lower().encode(), text.encode("latin-1")) for name, text in pairs],
            "client": (self.client, 50000) if self.client is not None else None,
            "server": ("127.0.0.1", 8080),
            "state": {},
        }

    @property
    def request(self) -> Request:
        return Request(self.scope)

    def sent_to(self, app: ASGIApp, chunks: Iterable[bytes] | None = None) -> Answer:
        """The answer of an application; the body may come in chunks, and end before its end."""
        whole = self.body if self.form is None else urlencode(self.form).encode()
        incoming: list[Message] = [
            {"type": "http.request", "body": part, "more_body": chunks is not None}
            for part in ([whole] if chunks is None else chunks)
        ]
        sent: list[Message] = []

        async def receive() -> Message:
            return incoming.pop(0) if incoming else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        async def ask() -> None:
            await app(self.scope, receive, send)

        asyncio.run(ask())
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(sent[0]["status"], Headers(raw=sent[0]["headers"]), body)


def rules(
    *,
    users: Sequence[Mapping[str, object]] = USERS,
    proxy: Mapping[str, object] | None = None,
    time: Time | None = None,
    host: str = "0.0.0.0",
    **keys: object,
) -> Access:
    """The access to a dashboard with ann, who may act, and bob, who may look."""
    told = {"users": users, **keys} | ({"proxy": proxy} if proxy else {})
    config = DashboardConfig.model_validate(told)
    return access_of(config, ENVIRON, host, (time or Time()).clock)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
