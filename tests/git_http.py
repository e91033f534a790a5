"""A git server for tests: bare repos over smart HTTP, by `git http-backend`."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

_ALLOWED = {
    "uploadpack.allowFilter": "true",
    "uploadpack.allowAnySHA1InWant": "true",
    "http.receivepack": "true",
}


@dataclass(frozen=True)
class Asked:
    """One request, as it came."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Answered:
    """One answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def answer_git(root: Path, asked: Asked) -> Answered:
    """What `git http-backend` says about the repos below `root`; the path begins there."""
    told = subprocess.run(
        ["git", "http-backend"],
        input=asked.body,
        env=_environment(root, asked),
        capture_output=True,
        check=False,
    )
    head, _, body = told.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
    status = int(headers.pop("Status", "200").split()[0])
    return Answered(status, headers, body)


def _environment(root: Path, asked: Asked) -> dict[str, str]:
    settings = {"GIT_CONFIG_COUNT": str(len(_ALLOWED))}
    for number, (key, value) in enumerate(_ALLOWED.items()):
        settings |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return settings | {
        "PATH": os.defpath,
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "PATH_INFO": asked.path,
        "QUERY_STRING": asked.query,
        "REQUEST_METHOD": asked.method,
        "CONTENT_TYPE": asked.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(asked.body)),
        "HTTP_CONTENT_ENCODING": asked.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": asked.headers.get("git-protocol", ""),
        "REMOTE_USER": "pusher",
        "REMOTE_ADDR": "127.0.0.1",
    }


@dataclass
class GitServer:
    """What it serves, who may, what it was asked, and what goes wrong.

    Attributes:
        faults: By a part of path and query: `hang`, `drop`, `drop-after` (it was done, and
            nobody hears of it), a status, or a URL to redirect to.
    """

    root: Path
    url: str = ""
    login: tuple[str, str] | None = None
    requests: list[Asked] = field(default_factory=list)
    faults: dict[str, str | int] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)

    def answer(self, asked: Asked) -> Answered | None:
        """The answer; None when the connection is cut instead."""
        self.requests.append(asked)
        where = f"{asked.path}?{asked.query}"
        fault = next((what for part, what in self.faults.items() if part in where), None)
        if fault == "hang":
            self.ended.wait()
        if fault in {"hang", "drop"}:
            return None
        if isinstance(fault, int):
            return Answered(fault)
        if fault is not None and fault != "drop-after":
            return Answered(301, {"Location": f"{fault}{where}"})
        if not self._may(asked):
            said = f"who is {asked.headers.get('authorization', '')}?".encode()
            headers = {"WWW-Authenticate": 'Basic realm="git"', "Content-Type": "text/plain"}
            return Answered(401, headers, said)
        made = answer_git(self.root, asked)
        return None if fault == "drop-after" else made

    def _may(self, asked: Asked) -> bool:
        if self.login is None:
            return True
        basic = base64.b64encode(":".join(self.login).encode()).decode()
        return asked.headers.get("authorization") == f"Basic {basic}"


@contextmanager
def serving_git(root: Path, login: tuple[str, str] | None = None) -> Iterator[GitServer]:
    """Serve the bare repos below a folder, on a free port of this machine."""
    state = GitServer(root, login=login)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        state.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(state: GitServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            made = state.answer(Asked(self.command, parts.path, parts.query, headers, self._body()))
            self.close_connection = True
            if made is None:
                return
            self.send_response(made.status)
            for name, value in made.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(made.body)))
            self.end_headers()
            self.wfile.write(made.body)

        def _body(self) -> bytes:
            if self.headers.get("transfer-encoding", "") != "chunked":
                return self.rfile.read(int(self.headers.get("content-length", 0)))
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            return b"".join(chunks)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
