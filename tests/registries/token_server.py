"""A token server for tests of the real registry: signs JWTs that docker-registry checks.

See distribution's token specification (docs/spec/auth/{token,jwt}.md).
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_KEY = ec.generate_private_key(ec.SECP256R1())


@dataclass
class TokenServer:
    """What it knows and what it was asked: `scopes` holds one entry per token given."""

    certificate: bytes
    realm: str = ""
    service: str = "registry.test"
    issuer: str = "tokens.test"
    life_s: int = 300
    users: dict[str, str] | None = None
    scopes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def mint(self, access: Iterable[tuple[str, list[str]]]) -> str:
        """A signed token for these repositories and actions."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "",
            "aud": self.service,
            "exp": now + self.life_s,
            "nbf": now - 10,
            "iat": now,
            "jti": uuid.uuid4().hex,
            "access": [
                {"type": "repository", "name": name, "actions": actions} for name, actions in access
            ],
        }
        der = x509.load_pem_x509_certificate(self.certificate).public_bytes(
            serialization.Encoding.DER
        )
        chain = [base64.b64encode(der).decode()]
        return jwt.encode(claims, _KEY, algorithm="ES256", headers={"x5c": chain})

    def answer(self, query: dict[str, list[str]], authorization: str) -> tuple[int, bytes]:
        """Status and body for one question."""
        if self.users is not None and not self._knows(authorization):
            self.refused.append(authorization)
            return 401, b'{"errors": [{"code": "UNAUTHORIZED", "message": "who?"}]}'
        scopes = query.get("scope", [])
        self.scopes += scopes
        access = [tuple(scope.rsplit(":", 1)) for scope in scopes]
        granted = [
            (name.removeprefix("repository:"), actions.split(",")) for name, actions in access
        ]
        return 200, json.dumps({"token": self.mint(granted), "expires_in": self.life_s}).encode()

    def _knows(self, authorization: str) -> bool:
        encoded = authorization.removeprefix("Basic ")
        name, _, password = base64.b64decode(encoded).decode().partition(":")
        return bool(name) and (self.users or {}).get(name) == password


@contextmanager
def serve_tokens(users: dict[str, str] | None = None) -> Iterator[TokenServer]:
    """A token server on loopback; with `users` it wants a login."""
    tokens = TokenServer(_make_certificate(), users=users)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True
        timeout = 30

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            status, body = tokens.answer(query, self.headers.get("Authorization", ""))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as inherited
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        tokens.realm = f"http://127.0.0.1:{server.server_address[1]}/token"
        try:
            yield tokens
        finally:
            server.shutdown()
            thread.join()


def _make_certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tokens.test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(_KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(_KEY, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)
