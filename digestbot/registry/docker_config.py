"""The files in which docker and podman keep logins: `config.json` and `auth.json`.

See docker's documentation of `docker login`, and containers-auth.json(5).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from digestbot.registry.origin import DOCKER_HUB
from digestbot.secret import NO_SECRET, Secret

MAX_FILE = 1024 * 1024
HUB_SERVER = "https://index.docker.io/v1/"
_HUB_ALIASES = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})
_IDENTITY_USER = "<token>"


@dataclass(frozen=True, slots=True)
class Credential:
    """A login, in one of the forms registries know; empty for none."""

    username: str = ""
    password: Secret = NO_SECRET
    identity_token: Secret = NO_SECRET
    registry_token: Secret = NO_SECRET

    @property
    def is_anonymous(self) -> bool:
        """Whether there is nothing to log in with."""
        return not (self.password or self.identity_token or self.registry_token)

    @property
    def spelled(self) -> tuple[str, ...]:
        """Every text that must never be shown, as it may be sent."""
        secrets = (self.password, self.identity_token, self.registry_token)
        encoded = () if self.is_anonymous else (self.basic.removeprefix("Basic "),)
        return (*(secret.reveal() for secret in secrets), *encoded)

    @property
    def basic(self) -> str:
        """The `Authorization` of a Basic login."""
        pair = f"{self.username}:{self.password.reveal()}"
        return "Basic " + base64.b64encode(pair.encode()).decode("ascii")


ANONYMOUS = Credential()


def make_credential(username: str, secret: Secret) -> Credential:
    """A login from a username and a secret; the user `<token>` marks an identity token."""
    if username == _IDENTITY_USER:
        return Credential(identity_token=secret)
    return Credential(username, secret)


@dataclass(frozen=True, slots=True)
class DockerConfig:
    """What one file says: logins by key, helpers by host, and a helper for all the rest."""

    auths: Mapping[str, Credential] = field(default_factory=dict)
    helpers: Mapping[str, str] = field(default_factory=dict)
    store: str = ""

    def knows(self, registry: str) -> bool:
        """Whether the file mentions the registry: with a login, or as kept by a helper."""
        names = [*self.auths, *self.helpers]
        return any(key_host(name) == registry for name in names)

    def helper(self, registry: str) -> str:
        """The helper named for this very registry; empty where there is none."""
        return next((self.helpers[key] for key in self.helpers if key_host(key) == registry), "")

    def login(self, registry: str, repository: str) -> Credential | None:
        """The stored login that fits best: of the repository, a namespace, the registry."""
        best = None
        longest = -1
        for key, credential in self.auths.items():
            depth = _depth(key, registry, repository)
            if depth > longest and not credential.is_anonymous:
                best, longest = credential, depth
        return best


def read_docker_config(text: str | bytes) -> DockerConfig:
    """Read the JSON of such a file; entries that cannot be read are left out.

    Raises:
        ValueError: The text is not a JSON object.
    """
    if len(text) > MAX_FILE:
        raise ValueError(f"it has more than {MAX_FILE} bytes")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        # Not chained: the text of such a file is secret, and errors quote it.
        raise ValueError("it is not JSON") from None
    if not isinstance(data, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - one error for all that is wrong
    auths = {key: _read_auth(entry) for key, entry in _items(data.get("auths"))}
    helpers = {key: name for key, name in _items(data.get("credHelpers")) if isinstance(name, str)}
    store = data.get("credsStore")
    return DockerConfig(auths, helpers, store if isinstance(store, str) else "")


def config_files(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Where the files are looked for, in order."""
    docker = environ.get("DOCKER_CONFIG")
    if docker:
        yield Path(docker) / "config.json"
    yield home / ".docker" / "config.json"
    if environ.get("REGISTRY_AUTH_FILE"):
        yield Path(environ["REGISTRY_AUTH_FILE"])
    if environ.get("XDG_RUNTIME_DIR"):
        yield Path(environ["XDG_RUNTIME_DIR"]) / "containers" / "auth.json"
    config = environ.get("XDG_CONFIG_HOME")
    yield (Path(config) if config else home / ".config") / "containers" / "auth.json"


def key_host(key: str) -> str:
    """The registry that a key is for: without scheme and path, Docker Hub by its one name."""
    host = _bare(key).partition("/")[0].lower()
    return DOCKER_HUB if host in _HUB_ALIASES else host


def _bare(key: str) -> str:
    return key.removeprefix("https://").removeprefix("http://")


def _depth(key: str, registry: str, repository: str) -> int:
    """How closely a key fits: -1 not at all, 0 the host, else the length of the path."""
    if key_host(key) != registry:
        return -1
    path = _bare(key).partition("/")[2].strip("/")
    # docker's keys may end in an API version, which is no namespace.
    if not path or "://" in key or path in ("v1", "v2"):
        return 0
    return len(path) if f"{repository}/".startswith(f"{path}/") else -1


def _items(value: object) -> list[tuple[str, object]]:
    return list(value.items()) if isinstance(value, dict) else []


def _read_auth(entry: object) -> Credential:
    if not isinstance(entry, dict):
        return ANONYMOUS
    username, password = _text(entry, "username"), _text(entry, "password")
    if _text(entry, "auth"):
        username, password = _decode(_text(entry, "auth"))
    if _text(entry, "identitytoken"):
        return Credential(username, identity_token=Secret(_text(entry, "identitytoken")))
    if _text(entry, "registrytoken"):
        return Credential(registry_token=Secret(_text(entry, "registrytoken")))
    return make_credential(username, Secret(password))


def _text(entry: dict[str, object], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def _decode(encoded: str) -> tuple[str, str]:
    try:
        # Some tools leave out the padding; docker itself has written NULs behind the password.
        padding = "=" * (-len(encoded) % 4)
        text = base64.b64decode(encoded + padding, validate=True).decode()
    except (binascii.Error, ValueError):
        return "", ""
    username, _, password = text.partition(":")
    return username, password.rstrip("\0")
