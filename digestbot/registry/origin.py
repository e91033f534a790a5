"""URLs: which host they name, and which registry lives where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urljoin, urlsplit

from digestbot.registry.addresses import is_loopback_name
from digestbot.registry.settings import RegistrySettings

DOCKER_HUB = "docker.io"
_HUB_API = "registry-1.docker.io"
_PORTS = {"http": 80, "https": 443}
_MAX_URL = 16 * 1024
# A backslash is a slash to some readers of URLs and not to others.
_ODD = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port; credentials never cross from one to another."""

    scheme: str
    host: str
    port: int

    @property
    def netloc(self) -> str:
        """`host` or `host:port`, as an image reference writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}"


@lru_cache(maxsize=256)
def read_origin(url: str) -> Origin:
    """The origin of an absolute URL.

    Raises:
        ValueError: The URL is not plain http or https, carries a login, or is malformed.
    """
    if len(url) > _MAX_URL or _ODD.search(url):
        raise ValueError("the URL is too long or holds control characters")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS:
        raise ValueError(f"the URL has scheme {parts.scheme[:20]!r}, not http or https")
    if "@" in parts.netloc:
        raise ValueError("the URL carries a login")
    if not parts.hostname:
        raise ValueError("the URL names no host")
    port = parts.port
    if port == 0:
        raise ValueError("the URL names port 0")
    return Origin(parts.scheme, parts.hostname, _PORTS[parts.scheme] if port is None else port)


def resolve_url(base: str, location: str) -> str:
    """An absolute URL from one that may be relative to `base`; without its fragment.

    Raises:
        ValueError: The result is not a URL that `read_origin` takes.
    """
    if len(location) > _MAX_URL or _ODD.search(location):
        raise ValueError("the URL is too long or holds control characters")
    url = urljoin(base, location).partition("#")[0]
    read_origin(url)
    return url


def without_query(url: str) -> str:
    """The URL for people and logs: the query of a redirect may hold a signature."""
    return url.partition("?")[0]


def api_origin(registry: str, settings: RegistrySettings) -> Origin:
    """Where the API of a registry is, by its name in image references.

    Loopback hosts speak http unless certificates are configured for them.

    Raises:
        ValueError: The name holds an impossible port.
    """
    netloc = _HUB_API if registry == DOCKER_HUB else registry
    host = settings.host(registry)
    bare = netloc if netloc.endswith("]") else netloc.rpartition(":")[0] or netloc
    plain = host.http or (is_loopback_name(bare) and not (host.ca_file or host.client_cert))
    return read_origin(f"{'http' if plain else 'https'}://{netloc.lower()}")


def registry_name(netloc: str) -> str:
    """The name in image references of the registry at this `host[:port]`."""
    return DOCKER_HUB if netloc == _HUB_API else netloc
