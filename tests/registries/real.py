"""Debian's `docker-registry` as a process on loopback: the real thing, with its own access log.

    with open_registry(tmp_path) as registry:
        digest = registry.push("team/app", "1.0")
        ...
        assert registry.calls() == ["HEAD /v2/team/app/manifests/1.0 200"]

Beside the open one there are `htpasswd_registry`, `token_registry`, `tls_registry` and
`mirror_registry` (a pull-through cache of another), and `notifying_registry`, which tells a webhook
of what is pushed.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from digestbot.image import Digest
from tests.registries.samples import Sample, make_index
from tests.registries.token_server import TokenServer, serve_tokens

PROGRAM = shutil.which("docker-registry")
USERNAME = "robot$team+reader"
PASSWORD = "correct horse battery staple"
# bcrypt of PASSWORD, made once with: htpasswd -nbB -C 5
_PASSWORD_HASH = "$2y$05$Qm8xN1rTz3vKc7WbYd2uSe41w8TV/LMH..6GyS3ZxT8bmGxyglz56"
_START_S = 20.0
_LINE = re.compile(r'"([A-Z]+) (\S+) HTTP/1\.[01]" ([0-9]{3}) [0-9]+ "[^"]*" "([^"]*)"')
_SENTINEL = "/v2/sentinel/manifests/"


@dataclass
class RealRegistry:
    """A running registry: `host` is how image names spell it, `log` its access log."""

    host: str
    log: Path
    context: ssl.SSLContext | None = None
    ca_file: str = ""
    client_cert: str = ""
    tokens: TokenServer | None = None
    authorization: Callable[[str], str] = field(default=lambda _repository: "")
    _skipped: int = 0
    _sentinels: int = 0

    def push(self, repository: str, tag: str, sample: Sample | None = None) -> Digest:
        """Push an image or an index (a new one without `sample`) with all it needs."""
        sample = sample or make_index(f"{repository}:{tag}")
        for child in sample.children:
            self.push(repository, str(child.digest), child)
        for blob in sample.blobs:
            self._push_blob(repository, blob)
        path = f"/v2/{repository}/manifests/{tag}"
        self._call("PUT", path, repository, sample.body, sample.media_type)
        return sample.digest

    def start_log(self) -> None:
        """Forget what was logged so far: pushing, for example."""
        self._flush()
        self._skipped = len(self._lines())

    def calls(self) -> list[str]:
        """What the registry was asked since `start_log`: `HEAD /v2/…/manifests/1.0 200`."""
        self._flush()
        lines = self._lines()[self._skipped :]
        return [f"{m[1]} {m[2]} {m[3]}" for m in lines if not m[2].startswith(_SENTINEL)]

    def agents(self) -> set[str]:
        """The `User-Agent`s that asked since `start_log`."""
        self._flush()
        lines = self._lines()[self._skipped :]
        return {match[4] for match in lines if not match[2].startswith(_SENTINEL)}

    def _lines(self) -> list[re.Match[str]]:
        found = map(_LINE.search, self.log.read_text().splitlines())
        return [match for match in found if match]

    def _flush(self) -> None:
        # The registry logs after it answered: ask once more, and wait for that line.
        self._sentinels += 1
        path = f"{_SENTINEL}{self._sentinels}"
        self._call("HEAD", path, "sentinel", may_fail=True)
        _wait_for(lambda: path in self.log.read_text(), "a line in the access log")

    def _push_blob(self, repository: str, blob: bytes) -> None:
        location = self._call("POST", f"/v2/{repository}/blobs/uploads/", repository, b"")
        path = location.partition(self.host)[2] or location
        path += ("&" if "?" in path else "?") + f"digest={Digest.of(blob)}"
        self._call("PUT", path, repository, blob, "application/octet-stream")

    def _call(
        self,
        method: str,
        path: str,
        repository: str,
        body: bytes | None = None,
        content_type: str = "",
        *,
        may_fail: bool = False,
    ) -> str:
        headers = {"Content-Type": content_type} if content_type else {}
        authorization = self.authorization(repository)
        if authorization:
            headers["Authorization"] = authorization
        connection = (
            http.client.HTTPSConnection(self.host, context=self.context)
            if self.context
            else http.client.HTTPConnection(self.host)
        )
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            said = response.read()
            assert may_fail or response.status < 300, (method, path, response.status, said)
            return response.headers.get("Location", "")
        finally:
            connection.close()


@contextmanager
def open_registry(folder: Path, **sections: object) -> Iterator[RealRegistry]:
    """A registry that asks for no login; `sections` go into its configuration."""
    with _run(folder, sections) as (host, log):
        yield RealRegistry(host, log)


@contextmanager
def notifying_registry(
    folder: Path, url: str, authorization: str, backoff: str = "100ms"
) -> Iterator[RealRegistry]:
    """An open registry that posts its notifications there, again and again until it is heard."""
    endpoint = {
        "name": "digestbot",
        "url": url,
        "headers": {"Authorization": [authorization]},
        "timeout": "5s",
        "threshold": 3,
        "backoff": backoff,
    }
    with open_registry(folder, notifications={"endpoints": [endpoint]}) as registry:
        yield registry


@contextmanager
def htpasswd_registry(folder: Path) -> Iterator[RealRegistry]:
    """A registry with a Basic login: `USERNAME` and `PASSWORD`."""
    folder.mkdir(parents=True, exist_ok=True)
    passwords = folder / "htpasswd"
    passwords.write_text(f"{USERNAME}:{_PASSWORD_HASH}\n")
    auth = {"htpasswd": {"realm": "team", "path": str(passwords)}}
    with _run(folder, {"auth": auth}) as (host, log):
        basic = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        yield RealRegistry(host, log, authorization=lambda _repository: f"Basic {basic}")


@contextmanager
def token_registry(folder: Path, *, users: dict[str, str] | None = None) -> Iterator[RealRegistry]:
    """A registry with Bearer tokens from a server of its own, found in `tokens`.

    With `users` (password by name) the token server gives nothing to anyone else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with serve_tokens(users) as tokens:
        bundle = folder / "tokens.pem"
        bundle.write_bytes(tokens.certificate)
        auth = {
            "token": {
                "realm": tokens.realm,
                "service": tokens.service,
                "issuer": tokens.issuer,
                "rootcertbundle": str(bundle),
            }
        }
        with _run(folder, {"auth": auth}) as (host, log):

            def bearer(repository: str) -> str:
                return "Bearer " + tokens.mint([(repository, ["pull", "push"])])

            yield RealRegistry(host, log, tokens=tokens, authorization=bearer)


@contextmanager
def tls_registry(folder: Path, *, wants_client: bool = False) -> Iterator[RealRegistry]:
    """A registry under a private authority, whose certificate is in `ca_file`.

    With `wants_client` it lets in only those who show the certificate in `client_cert`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    server = authority.issue_cert("127.0.0.1", "localhost")
    certificate, key = folder / "server.pem", folder / "server.key"
    server.cert_chain_pems[0].write_to_path(str(certificate))
    server.private_key_pem.write_to_path(str(key))
    context = ssl.create_default_context(cafile=str(ca_file))
    client = folder / "client.pem"
    authority.issue_cert("client@test").private_key_and_cert_chain_pem.write_to_path(str(client))
    tls: dict[str, object] = {"certificate": str(certificate), "key": str(key)}
    if wants_client:
        context.load_cert_chain(client)
        tls["clientcas"] = [str(ca_file)]
    with _run(folder, {"http": {"tls": tls}}) as (host, log):
        yield RealRegistry(host, log, context, str(ca_file), str(client))


@contextmanager
def mirror_registry(folder: Path, upstream: RealRegistry) -> Iterator[RealRegistry]:
    """A pull-through cache of another registry."""
    proxy = {"remoteurl": f"http://{upstream.host}"}
    with _run(folder, {"proxy": proxy}) as (host, log):
        yield RealRegistry(host, log)


@contextmanager
def _run(folder: Path, sections: dict[str, object]) -> Iterator[tuple[str, Path]]:
    if PROGRAM is None:
        raise RuntimeError("these tests need Debian's docker-registry: apt install docker-registry")
    folder.mkdir(parents=True, exist_ok=True)
    host = f"127.0.0.1:{_free_port()}"
    http_section = sections.pop("http", {})
    assert isinstance(http_section, dict)
    settings = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": False}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": host, "secret": "not a secret here"} | http_section,
    } | sections
    config, log, errors = (folder / name for name in ("config.yml", "access.log", "error.log"))
    # JSON is YAML.
    config.write_text(json.dumps(settings))
    with ExitStack() as stack:
        out, err = stack.enter_context(log.open("wb")), stack.enter_context(errors.open("wb"))
        process = subprocess.Popen([PROGRAM, "serve", str(config)], stdout=out, stderr=err)
        stack.callback(process.wait)
        stack.callback(process.kill)
        _wait_for(lambda: _is_up(host, process, errors), f"docker-registry on {host}")
        yield host, log


def _is_up(host: str, process: subprocess.Popen[bytes], errors: Path) -> bool:
    assert process.poll() is None, errors.read_text()
    address, _, port = host.partition(":")
    try:
        socket.create_connection((address, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _wait_for(is_so: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + _START_S
    while not is_so():
        assert time.monotonic() < until, f"waited {_START_S} s for {what}"
        time.sleep(0.01)
