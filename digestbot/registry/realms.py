"""Which token servers a registry may send digestbot to, and with what."""

from __future__ import annotations

from digestbot.registry.addresses import Reach, literal, onward
from digestbot.registry.errors import RegistryError
from digestbot.registry.origin import Origin, read_origin
from digestbot.registry.place import Place

# Second-level labels under which a country's registry sells names: co.uk, com.au, …
_SOLD_UNDER = frozenset({"ac", "co", "com", "edu", "gov", "net", "or", "org"})
_COUNTRY = 2


def reach_of_realm(place: Place, realm: str) -> Reach:
    """The addresses at which the token server of a registry may be.

    Raises:
        RegistryError: The realm gives up TLS that the registry has.
    """
    origin = read_origin(realm)
    if origin.scheme == "http" and place.origin.scheme == "https":
        message = f"{place.registry} sends logins to {origin}, without TLS"
        hint = "whoever runs the registry must configure its token server with https"
        raise RegistryError(message, code="untrusted-realm", host=place.registry, hint=hint)
    return place.reach if origin.host == place.origin.host else onward(place.reach, place.found())


def check_trust(place: Place, realm: str, token_hosts: tuple[str, ...]) -> None:
    """Do nothing, if the credentials of a registry may be sent to this realm.

    They may be sent to the registry's own host, to hosts of the same registered domain, and to
    those in `token_hosts`.

    Raises:
        RegistryError: They may not.
    """
    origin = read_origin(realm)
    if origin.netloc in token_hosts or origin.host in token_hosts:
        return
    if _is_same_site(origin, place.origin):
        return
    message = f"{place.registry} sends logins to {origin.netloc}, which it is not trusted with"
    hint = f"if that is right, add it: registries.{place.registry}.token_hosts: [{origin.netloc}]"
    raise RegistryError(message, code="untrusted-realm", host=place.registry, hint=hint)


def _is_same_site(one: Origin, other: Origin) -> bool:
    if one.host == other.host:
        return True
    if literal(one.host) or literal(other.host):
        return False
    site = _site(one.host)
    return site is not None and site == _site(other.host)


def _site(host: str) -> tuple[str, ...] | None:
    """The part of a host name that one owner registered; None for a single label."""
    labels = host.rstrip(".").split(".")
    is_country = len(labels[-1]) == _COUNTRY
    size = 3 if is_country and len(labels) > 1 and labels[-2] in _SOLD_UNDER else 2
    return tuple(labels[-size:]) if len(labels) >= size else None
