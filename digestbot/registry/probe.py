"""Whether a registry can be used from here, for `digestbot doctor`."""

from __future__ import annotations

from dataclasses import dataclass

from digestbot.registry.errors import RegistryError
from digestbot.registry.resolver import RegistryResolver


@dataclass(frozen=True, slots=True)
class Probe:
    """What was found out about one registry.

    Attributes:
        registry: Its name in image references.
        message: What was found, in one line.
        login: The account that works; empty for none.
        code: What is wrong, a slug of `CODES`; empty where nothing is.
        hint: What to do.
    """

    registry: str
    message: str
    login: str = ""
    code: str = ""
    hint: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether it answers, and takes the login stored for it, if any."""
        return not self.code


def probe(resolver: RegistryResolver, registry: str) -> Probe:
    """Ask a registry for nothing but its attention, logged in where a login is stored."""
    try:
        asked, is_open = resolver.client(registry).greet(resolver.deadline())
    except RegistryError as error:
        return Probe(registry, str(error), code=error.code, hint=error.hint)
    if asked.login:
        message = f"{registry} answers, and accepts the login of {asked.login!r}"
        return Probe(registry, message, asked.login)
    if is_open:
        return Probe(registry, f"{registry} answers, without a login")
    message = f"{registry} answers; no login is stored, so only public images can be asked for"
    return Probe(registry, message, hint=f"for others: docker login {registry}")
