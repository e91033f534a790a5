"""Which network addresses a registry may be at, and may lead to.

A reference in a scanned file picks the host, and the host picks where tokens and redirects
lead. Without a check, a file in a repository could make digestbot talk to a machine that only
digestbot's own network can reach.
"""

from __future__ import annotations

import ipaddress
import socket
from enum import Enum

_IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
_CGNAT = ipaddress.IPv4Network("100.64.0.0/10")
_LAST_32_BITS = 0xFFFFFFFF


class Kind(Enum):
    """What sort of network an address belongs to."""

    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"
    LINK_LOCAL = "link-local"
    RESERVED = "reserved"


Reach = frozenset[Kind]
"""The kinds of address that a connection may be made to."""

ONLY_PUBLIC: Reach = frozenset({Kind.PUBLIC})
ONLY_LOOPBACK: Reach = frozenset({Kind.LOOPBACK})
NETWORK: Reach = frozenset({Kind.PUBLIC, Kind.PRIVATE, Kind.LOOPBACK})
ANYWHERE: Reach = NETWORK | {Kind.LINK_LOCAL}

_ONWARD: dict[Kind | None, Reach] = {
    Kind.PUBLIC: ONLY_PUBLIC,
    Kind.PRIVATE: frozenset({Kind.PUBLIC, Kind.PRIVATE}),
    Kind.LINK_LOCAL: frozenset({Kind.PUBLIC, Kind.PRIVATE}),
    Kind.LOOPBACK: NETWORK,
    # Behind a proxy nobody here knows the address.
    None: ONLY_PUBLIC,
}


def onward(own: Reach, found: Kind | None) -> Reach:
    """Where a registry may lead that itself may be in `own` and was found at `found`.

    A registry on a public address never leads into a private network, even a configured one.
    """
    return own & _ONWARD.get(found, ONLY_PUBLIC)


def classify(address: str) -> Kind:
    """The kind of an IP address as `getpeername` writes it; a zone (`%eth0`) is allowed.

    Addresses that carry an IPv4 address inside (mapped, 6to4, NAT64, Teredo) are of that
    address's kind.

    Raises:
        ValueError: The text is not an IP address.
    """
    written = ipaddress.ip_address(address.partition("%")[0])
    # Site-local addresses are deprecated and still routed inside; where the local NAT64 prefix
    # leads is for each network to say.
    if isinstance(written, ipaddress.IPv6Address) and (
        written.is_site_local or written in _NAT64_LOCAL
    ):
        return Kind.PRIVATE
    ip = _embedded(written)
    if ip.is_loopback:
        return Kind.LOOPBACK
    if ip.is_link_local:
        return Kind.LINK_LOCAL
    if ip.is_multicast or ip.is_unspecified or ip.is_reserved:
        return Kind.RESERVED
    if ip.is_global:
        return Kind.PUBLIC
    return Kind.PRIVATE


def literal(host: str) -> str | None:
    """The IP address that a host name spells, as connecting would read it; None for a name.

    `2130706433`, `0x7f.1` and `127.1` are all 127.0.0.1 to the C library.
    """
    bare = host.strip("[]").rstrip(".")
    try:
        return str(ipaddress.ip_address(bare.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(bare)) if bare[:1].isdigit() else None
    except (OSError, ValueError):
        return None


def is_loopback_name(host: str) -> bool:
    """Whether a host, as written and without its port, can only mean this machine."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _embedded(ip: _IPAddress) -> _IPAddress:
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & _LAST_32_BITS)
    teredo = ip.teredo[1] if ip.teredo else None
    return ip.ipv4_mapped or ip.sixtofour or teredo or ip
