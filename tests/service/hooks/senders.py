"""One sender of each kind, as the service would be configured for it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from digestbot.image import ImageTag
from digestbot.secret import Secret
from digestbot.service.hooks.delivery import Delivery, Hint, ImageHint, Reading, RepoHint
from digestbot.service.hooks.kinds import SOURCES, Kind
from tests.service.hooks import payloads

SECRET = "kH3-correct-horse"


@dataclass(frozen=True)
class Proof:
    """What tells who sent it: headers, and what stands in the path."""

    headers: Mapping[str, str] = field(default_factory=dict)
    path_secret: str = ""


def by_authorization(body: bytes, secret: str) -> Proof:
    return Proof({"authorization": secret})


def by_path(body: bytes, secret: str) -> Proof:
    return Proof(path_secret=secret)


def by_hmac(header: str, algorithm: str = "sha256", prefix: str = "") -> Callable[..., Proof]:
    def prove(body: bytes, secret: str) -> Proof:
        mac = hmac.new(secret.encode(), body, getattr(hashlib, algorithm))
        return Proof({header: prefix + mac.hexdigest()})

    return prove


@dataclass(frozen=True)
class Sender:
    """A source that is configured, and one thing that it says."""

    kind: Kind
    registry: str
    payload: Any
    hints: tuple[Hint, ...]
    prove: Callable[[bytes, str], Proof]
    headers: Mapping[str, str] = field(default_factory=dict)
    id: str = ""

    def deliver(self, payload: Any = None, *, secret: str = SECRET, **headers: str) -> Delivery:
        """What arrives; an underscore in the name of a header is a dash."""
        said = self.payload if payload is None else payload
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        proof = self.prove(body, secret)
        own = {name.replace("_", "-"): text for name, text in headers.items()}
        return Delivery({**self.headers, **proof.headers, **own}, body, proof.path_secret)

    def believes(self, delivery: Delivery, secret: str = SECRET) -> bool:
        return SOURCES[self.kind].is_authentic(delivery, Secret(secret))

    def read(self, payload: Any = None, **headers: str) -> Reading:
        return SOURCES[self.kind].read(self.deliver(payload, **headers), self.registry)

    def hinted(self, payload: Any = None, **headers: str) -> list[str]:
        """The images of the hints, as texts."""
        hints = self.read(payload, **headers).hints
        return [str(hint.image) for hint in hints if isinstance(hint, ImageHint)]


def image(registry: str, repository: str = "base/python", tag: str = "3.12") -> ImageHint:
    return ImageHint(ImageTag(registry, repository, tag))


_JSON = {"content-type": "application/json"}
_GUID = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
_FROM_GITHUB = by_hmac("x-hub-signature-256", prefix="sha256=")

HARBOR = Sender(
    "harbor",
    "harbor.corp",
    payloads.harbor(),
    (image("harbor.corp"),),
    by_authorization,
    _JSON,
)
CLOUD_EVENTS = Sender(
    "harbor",
    "harbor.corp",
    payloads.cloud_event(),
    (image("harbor.corp"),),
    by_authorization,
    {"content-type": "application/cloudevents+json"},
    payloads.cloud_event()["id"],
)
DOCKERHUB = Sender(
    "dockerhub",
    "docker.io",
    payloads.dockerhub(),
    (image("docker.io", "corp/python"),),
    by_path,
    _JSON,
)
QUAY = Sender(
    "quay",
    "quay.io",
    payloads.quay(["3.12"]),
    (image("quay.io", "corp/python"),),
    by_path,
    _JSON,
)
DISTRIBUTION = Sender(
    "distribution",
    "registry.corp",
    {"events": [payloads.distribution_event()]},
    (image("registry.corp"),),
    by_authorization,
    {"content-type": "application/vnd.docker.distribution.events.v2+json"},
    payloads.distribution_event()["id"],
)
ACR = Sender(
    "acr",
    "corp.azurecr.io",
    payloads.acr(),
    (image("corp.azurecr.io"),),
    by_authorization,
    _JSON,
    payloads.acr()["id"],
)
JFROG = Sender(
    "jfrog",
    "corp.jfrog.io",
    payloads.jfrog(),
    (image("corp.jfrog.io", "docker-local/base/python"), image("corp.jfrog.io")),
    by_hmac("x-jfrog-event-auth"),
    _JSON,
)
NEXUS = Sender(
    "nexus",
    "nexus.corp:8083",
    payloads.nexus(),
    (image("nexus.corp:8083"), image("nexus.corp:8083", "docker-hosted/base/python")),
    by_hmac("x-nexus-webhook-signature", "sha1"),
    {
        "content-type": "application/json; charset=UTF-8",
        "x-nexus-webhook-id": "rm:repository:component",
        "x-nexus-webhook-delivery": _GUID,
    },
    _GUID,
)
GHCR = Sender(
    "ghcr",
    "ghcr.io",
    payloads.ghcr(),
    (image("ghcr.io", "corp/base/python"),),
    _FROM_GITHUB,
    {**_JSON, "x-github-event": "registry_package", "x-github-delivery": _GUID},
    _GUID,
)
GITHUB = Sender(
    "github",
    "",
    payloads.push(),
    (RepoHint("Corp/shop"),),
    _FROM_GITHUB,
    {**_JSON, "x-github-event": "push", "x-github-delivery": _GUID},
    _GUID,
)

SENDERS = {
    "harbor": HARBOR,
    "harbor-cloudevents": CLOUD_EVENTS,
    "dockerhub": DOCKERHUB,
    "quay": QUAY,
    "distribution": DISTRIBUTION,
    "acr": ACR,
    "jfrog": JFROG,
    "nexus": NEXUS,
    "ghcr": GHCR,
    "github": GITHUB,
}
