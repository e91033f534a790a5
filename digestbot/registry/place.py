"""Where a registry is, and which addresses it may have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from digestbot.registry.addresses import (
    ANYWHERE,
    NETWORK,
    ONLY_LOOPBACK,
    ONLY_PUBLIC,
    Kind,
    Reach,
    is_loopback_name,
)
from digestbot.registry.errors import RegistryError
from digestbot.registry.mirrors import mirror_hosts
from digestbot.registry.origin import Origin, api_origin
from digestbot.registry.settings import RegistrySettings


@dataclass(frozen=True, slots=True)
class Place:
    """One registry: its name in image references, its API, its reach.

    `found` tells the kind of address it was met at; None before, and behind a proxy.
    """

    registry: str
    origin: Origin
    reach: Reach
    found: Callable[[], Kind | None]


def find_place(
    registry: str,
    settings: RegistrySettings,
    found: Callable[[Origin], Kind | None],
    *,
    has_login: bool,
) -> Place:
    """Where to ask for a registry.

    Args:
        registry: Its name in image references.
        settings: What is configured.
        found: Tells the kind of address an origin was met at.
        has_login: Whether somebody stored a login for it, and so meant it.

    Raises:
        RegistryError: The name holds an impossible port.
    """
    try:
        origin = api_origin(registry, settings)
    except ValueError as error:
        message = f"{registry} is no host that can be asked: {error}"
        raise RegistryError(message, code="unreachable", host=registry) from error
    reach = _reach(registry, origin, settings, has_login=has_login)
    return Place(registry, origin, reach, lambda: found(origin))


def _reach(registry: str, origin: Origin, settings: RegistrySettings, *, has_login: bool) -> Reach:
    if registry in settings.hosts or registry in mirror_hosts(settings.mirrors):
        return ANYWHERE
    if is_loopback_name(origin.host):
        return ONLY_LOOPBACK
    return NETWORK if has_login or settings.allow_private else ONLY_PUBLIC
