"""A real HTTP server in the place of Slack, a webhook or whatever Apprise speaks to."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Answers as told: a status, or `hang`, `drip` or `close`."""

    port: int = 0
    behaviour: int | str = 200
    body: bytes = b"ok"
    location: str = ""
    received: list[Received] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/canary-in-the-path"


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    receiver: Receiver


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        receiver = self.server.receiver
        data = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        receiver.received.append(Received(self.path, dict(self.headers), data))
        self.close_connection = True
        if receiver.behaviour == "hang":
            receiver.released.wait(10)
        elif receiver.behaviour == "drip":
            self._drip(receiver)
        elif isinstance(receiver.behaviour, int):
            self._answer(receiver, receiver.behaviour)

    def do_GET(self) -> None:
        self.do_POST()

    def _answer(self, receiver: Receiver, status: int) -> None:
        self.send_response(status)
        if receiver.location:
            self.send_header("Location", receiver.location)
        self.send_header("Content-Length", str(len(receiver.body)))
        self.end_headers()
        self.wfile.write(receiver.body)

    def _drip(self, receiver: Receiver) -> None:
        """A byte of a status line now and then, each well within a timeout."""
        with suppress(OSError):
            for byte in b"HTTP/1.1 200 " + b"O" * 2000:
                self.wfile.write(bytes([byte]))
                if receiver.released.wait(0.02):
                    return

    def log_message(self, *args: Any) -> None:
        """Nothing."""


@contextmanager
def receiving(
    behaviour: int | str = 200, body: bytes = b"ok", tls: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        receiver = Receiver(server.server_address[1], behaviour, body)
        server.receiver = receiver
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.released.set()
            server.shutdown()
            thread.join()
