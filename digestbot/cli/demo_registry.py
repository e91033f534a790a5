"""A small registry on loopback for `digestbot demo`: one tag has just moved, one has not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from digestbot.image import Digest

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


def make_index(build: int, created: str = "") -> bytes:
    """The bytes of an index as a base image's publisher would push for this build."""
    platforms = (("linux", "amd64"), ("linux", "arm64"))
    children = [
        {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": str(Digest.of(f"{build}/{system}/{architecture}".encode())),
            "size": 2,
            "platform": {"os": system, "architecture": architecture},
        }
        for system, architecture in platforms
    ]
    index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": children}
    told = {"annotations": {"org.opencontainers.image.created": created}} if created else {}
    return json.dumps(index | told).encode()


@contextmanager
def serve(manifests: dict[str, bytes]) -> Iterator[str]:
    """Serve these manifests, keyed `repository:tag`, while the context lasts; yields host:port.

    A tag moves when it gets another manifest meanwhile.
    """

    class Handler(BaseHTTPRequestHandler):
        """Answers HEAD and GET of manifests as distribution-spec says."""

        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            """Headers of a manifest."""
            body = _by_path(manifests).get(self.path)
            self.send_response(200 if body else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            if body:
                self.send_header("Content-Type", INDEX_TYPE)
                self.send_header("Docker-Content-Digest", str(Digest.of(body)))
            self.end_headers()

        def do_GET(self) -> None:
            """A manifest."""
            self.do_HEAD()
            self.wfile.write(_by_path(manifests).get(self.path, b""))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as inherited
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def _by_path(manifests: dict[str, bytes]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, body in manifests.items():
        repository, _, tag = name.rpartition(":")
        for reference in (tag, str(Digest.of(body))):
            found[f"/v2/{repository}/manifests/{reference}"] = body
    return found
