"""Where a request comes from: which address, by which scheme, out of whose page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

from starlette.requests import Request

SAFE = frozenset({"GET", "HEAD"})
"""Methods that change nothing."""
MOST_HOPS = 16
_ADDRESS_LENGTH = 64
# The name or address of this very machine, with or without a port (RFC 9110, section 7.2).
_LOOPBACK_HOST = re.compile(
    r"(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?", re.ASCII | re.IGNORECASE
)
_PASSED_ON = (
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
)
_Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Proxies:
    """The reverse proxies that are believed; none, by default."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def at(cls, addresses: Iterable[str]) -> Self:
        """Those at these addresses, or in these ranges."""
        return cls(tuple(ip_network(one, strict=False) for one in addresses))

    def sent(self, request: Request) -> bool:
        """Whether it was one of them who sent this, by the address of the connection itself."""
        return self._has(_peer(request))

    def client(self, request: Request) -> str:
        """The address of whoever asked; as a proxy tells it, where one of these sent this.

        Each proxy adds whom it was asked by at the end. What stands before the last one that is
        believed may be anything.
        """
        found = _peer(request)
        if not self._has(found):
            return str(found or "")
        hops = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        for hop in reversed(hops[-MOST_HOPS:]):
            address = _read(hop)
            if address is None:
                break
            found = address
            if not self._has(address):
                break
        return str(found)

    def is_https(self, request: Request) -> bool:
        """Whether whoever asked did so by https, as far as is known."""
        if self.sent(request):
            told = request.headers.getlist("x-forwarded-proto")
            return len(told) == 1 and told[0].strip().lower() == "https"
        return request.url.scheme == "https"

    def _has(self, address: _Address | None) -> bool:
        return address is not None and any(address in network for network in self.networks)


def is_own(request: Request, *, is_https: bool, site: str = "") -> bool:
    """Whether a page of this very site sends this, as the browser says.

    The site is the host that is asked, and the origin that the configuration names as its own.

    What does not say it is from elsewhere: no browser lets a page say it for itself.
    `Sec-Fetch-Site` is the browser's own word (Fetch Metadata, section 2.4), but left out
    where a page came without TLS; `Origin` is there whenever a form is posted (Fetch, 3.2).
    """
    sites = request.headers.getlist("sec-fetch-site")
    if sites:
        return sites == ["same-origin"]
    origins, hosts = request.headers.getlist("origin"), request.headers.getlist("host")
    if site and origins == [site]:
        return True
    if len(origins) != 1 or len(hosts) != 1 or not hosts[0]:
        return False
    # A proxy that is not believed may well have been asked by https.
    schemes = ("https",) if is_https else ("https", "http")
    return origins[0].lower() in {f"{scheme}://{hosts[0].lower()}" for scheme in schemes}


def is_by_page(request: Request) -> bool:
    """Whether a browser sends this for a page, of whatever site."""
    return "sec-fetch-site" in request.headers or "origin" in request.headers


def is_near(request: Request) -> bool:
    """Whether this names a loopback host, and nobody says that they only pass it on.

    A page elsewhere can have its own name lead to 127.0.0.1, but then the browser names that.
    """
    hosts = request.headers.getlist("host")
    if len(hosts) != 1 or not is_loopback_host(hosts[0]):
        return False
    return not any(name in request.headers for name in _PASSED_ON)


def is_loopback_host(text: str) -> bool:
    """Whether a `Host` header names this machine as only this machine does."""
    return _LOOPBACK_HOST.fullmatch(text) is not None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address that is listened on."""
    if host.lower() == "localhost":
        return True
    address = _read(host.removeprefix("[").removesuffix("]"))
    return address is not None and address.is_loopback


def neighbourhood(address: str) -> str:
    """What of an address is one client: with IPv6 everybody has 2^64 of them."""
    known = _read(address)
    if isinstance(known, IPv6Address):
        return str(IPv6Network((int(known), 64), strict=False))
    return str(known or "")


def _peer(request: Request) -> _Address | None:
    return _read(request.client.host) if request.client else None


def _read(text: str) -> _Address | None:
    if len(text) > _ADDRESS_LENGTH:
        return None
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    # A socket for both families says ::ffff:10.0.0.1.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
