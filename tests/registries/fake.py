"""A registry in this process that says whatever a test wants, and remembers what it was asked.

Directly, as a registry on loopback:

    with FakeRegistry() as fake:
        digest = fake.local.add("team/app", "1.0")
        ...resolve(f"{fake.host}/team/app:1.0")...
        assert fake.local.asked() == ["HEAD /v2/team/app/manifests/1.0"]

Or as any host there is: the server is also an HTTP proxy, which answers in place of whoever is
asked for, with TLS under an authority of its own:

    for name, value in fake.environment.items():
        monkeypatch.setenv(name, value)
    hub = fake.site("registry-1.docker.io")
    hub.add("library/python", "3.12")

What a site does beyond holding manifests is a list of rules: functions from a `Call` to an
`Answer`, or to None where the next rule is to decide. See `tokens.py` for logins.
"""

from __future__ import annotations

import ssl
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import trustme

from digestbot.image import Digest
from tests.registries.samples import Sample, make_index

_NO_SUCH_TAG = b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'
_NO_SUCH_NAME = b'{"errors": [{"code": "NAME_UNKNOWN", "message": "repository name not known"}]}'


@dataclass(frozen=True)
class Call:
    """One request, as it arrived; header names are lower case."""

    host: str
    scheme: str
    method: str
    path: str
    query: dict[str, list[str]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def repository(self) -> str:
        """Of `/v2/team/app/manifests/1.0`: `team/app`."""
        return self.path.removeprefix("/v2/").rpartition("/")[0].rpartition("/")[0]

    @property
    def reference(self) -> str:
        """Of `/v2/team/app/manifests/1.0`: `1.0`."""
        return self.path.rpartition("/")[2]

    @property
    def authorization(self) -> str:
        """The header of that name, or nothing."""
        return self.headers.get("authorization", "")

    @property
    def is_manifest(self) -> bool:
        """Whether a manifest is asked for."""
        return "/manifests/" in self.path

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Answer:
    """One response. `raw` is sent as it is, in place of all else, and the connection closed."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    raw: bytes | None = None
    before: Callable[[], object] = lambda: None

    @classmethod
    def error(cls, status: int, code: str = "", *headers: tuple[str, str]) -> Answer:
        """An error as registries write it."""
        body = f'{{"errors": [{{"code": "{code}", "message": "{code.lower()}"}}]}}' if code else ""
        return cls(status, (("Content-Type", "application/json"), *headers), body.encode())

    @classmethod
    def redirect(cls, location: str, status: int = 307) -> Answer:
        """A redirect."""
        return cls(status, (("Location", location),))


Rule = Callable[[Call], Answer | None]


class Site:
    """What one host knows: manifests and blobs, behind rules that may answer first."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.rules: list[Rule] = []
        self.calls: list[Call] = []
        self.headers: tuple[tuple[str, str], ...] = (
            ("Docker-Distribution-Api-Version", "registry/2.0"),
        )
        self._manifests: dict[str, dict[str, Sample]] = {}
        self._blobs: dict[str, bytes] = {}

    def add(self, repository: str, tag: str, sample: Sample | None = None) -> Digest:
        """Put an image or index (a new one without `sample`) under a tag; again to move it."""
        sample = sample or make_index(f"{repository}:{tag}")
        known = self._manifests.setdefault(repository, {})
        known[tag] = sample
        for one in (sample, *sample.children):
            known[str(one.digest)] = one
            self._blobs |= {str(Digest.of(blob)): blob for blob in one.blobs}
        return sample.digest

    def script(self, *answers: Answer, method: str = "", path: str = "") -> None:
        """Answer the next calls that match with these, one each, before all other rules."""
        left = list(answers)

        def rule(call: Call) -> Answer | None:
            if not left or method not in ("", call.method) or path not in call.path:
                return None
            return left.pop(0)

        self.rules.insert(0, rule)

    def always(self, answer: Answer, *, method: str = "", path: str = "") -> None:
        """Answer every call that matches with this."""
        self.rules.insert(
            0,
            lambda call: answer if method in ("", call.method) and path in call.path else None,
        )

    def asked(self) -> list[str]:
        """What was asked so far: `HEAD /v2/team/app/manifests/1.0`."""
        return [str(call) for call in self.calls]

    def answer(self, call: Call) -> Answer:
        """The answer of the first rule that has one, else what is held."""
        self.calls.append(call)
        for rule in self.rules:
            answer = rule(call)
            if answer is not None:
                return answer
        return self.hold(call)

    def hold(self, call: Call) -> Answer:
        """What a plain registry would answer."""
        if call.path in ("/v2/", "/v2"):
            return Answer(200, self.headers, b"{}")
        if call.path.endswith("/tags/list"):
            return self._tags(call)
        if call.is_manifest:
            return self._manifest(call)
        blob = self._blobs.get(call.reference)
        return Answer(200, body=blob) if blob is not None else Answer.error(404, "BLOB_UNKNOWN")

    def _manifest(self, call: Call) -> Answer:
        known = self._manifests.get(call.repository)
        headers = (("Content-Type", "application/json"), *self.headers)
        if known is None:
            return Answer(404, headers, _NO_SUCH_NAME)
        sample = known.get(call.reference)
        if sample is None:
            return Answer(404, headers, _NO_SUCH_TAG)
        if sample.media_type not in call.headers.get("accept", ""):
            return Answer.error(404, "MANIFEST_UNKNOWN")
        said = (
            ("Content-Type", sample.media_type),
            ("Docker-Content-Digest", str(sample.digest)),
            ("ETag", f'"{sample.digest}"'),
        )
        return Answer(200, (*said, *self.headers), sample.body)

    def _tags(self, call: Call) -> Answer:
        repository = call.path.removeprefix("/v2/").removesuffix("/tags/list")
        tags = sorted(tag for tag in self._manifests.get(repository, {}) if ":" not in tag)
        body = f'{{"name": "{repository}", "tags": {tags}}}'.replace("'", '"')
        return Answer(200, (("Content-Type", "application/json"),), body.encode())


class FakeRegistry:
    """The server; a context manager. `local` is the site asked directly, by `host`."""

    def __init__(self) -> None:
        self.sites: dict[str, Site] = {}
        self.connections = 0
        self._authority = trustme.CA()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.ca_file = str(folder / "ca.pem")
        self._authority.cert_pem.write_to_path(self.ca_file)
        self._server = self._stack.enter_context(_Server(self))
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.local = self.site(self.host)
        thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(self._server.shutdown)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that send every request here, for this process or another."""
        proxy = f"http://{self.host}"
        return {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "SSL_CERT_FILE": self.ca_file}

    def site(self, host: str) -> Site:
        """The site that answers for a host, by its `host[:port]`; made where it is new."""
        with self._lock:
            return self.sites.setdefault(host, Site(host))

    def context(self, host: str) -> ssl.SSLContext:
        """A server's TLS context for a host."""
        with self._lock:
            if host not in self._contexts:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._authority.issue_cert(host).configure_cert(context)
                self._contexts[host] = context
            return self._contexts[host]

    def calls(self) -> list[Call]:
        """Everything asked of anyone, in order of the sites."""
        return [call for site in self.sites.values() for call in site.calls]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, fake: FakeRegistry) -> None:
        self.fake = fake
        self._open: set[Any] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.fake.connections += 1
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for request in list(self._open):
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One write and one packet per answer: otherwise Nagle and delayed ACK cost 40 ms each.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server
    tunnel = ""

    def do_CONNECT(self) -> None:
        """Be a proxy: from here on, be the host that was asked for, with TLS."""
        name, _, port = self.path.rpartition(":")
        self.send_response(200)
        self.end_headers()
        self.wfile.flush()
        # Clients ask for tunnels with HTTP/1.0, which ends with its answer.
        self.close_connection = False
        context = self.server.fake.context(name.strip("[]"))
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb", self.rbufsize)
        self.wfile = self.connection.makefile("wb")
        self.tunnel = name if port == "443" else f"{name}:{port}"

    def finish(self) -> None:
        super().finish()
        if self.tunnel:
            self.connection.close()

    def _answer(self) -> None:
        call = self._read()
        answer = self.server.fake.site(call.host).answer(call)
        answer.before()
        if answer.raw is not None:
            self.wfile.write(answer.raw)
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in answer.headers):
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_POST = do_PUT = _answer  # noqa: N815 - the names http.server calls

    def _read(self) -> Call:
        headers = {name.lower(): value for name, value in self.headers.items()}
        url = urlsplit(self.path)
        host = self.tunnel or url.netloc or headers.get("host", "")
        scheme = "https" if self.tunnel else "http"
        body = self.rfile.read(int(headers.get("content-length", "0")))
        query = parse_qs(url.query)
        return Call(host, scheme, self.command, url.path, query, headers, body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as inherited
        """Keep quiet."""
