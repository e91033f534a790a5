"""What to do about what fails or is held, in one sentence."""

from __future__ import annotations

from typing import Final

from digestbot.service.conditions import HINTS

_LOG_IN = "`docker login {host}`, or set registries.{host}.username"
_DOWN = "see whether {host} is up and can be reached from here; it is asked again in each cycle"
_LOOKUPS: Final = {
    "not-found": "check the spelling; a tag may have been removed",
    "not-found-or-no-access": f"check the spelling; where it needs a login, {_LOG_IN}",
    "platform-missing": "compare the platforms of the image with the one that the build asks for",
    "schema1": "push the image again with any current tool",
    "policy": "see the project's policies in {host}; the pins stay as they are",
    "login-required": _LOG_IN,
    "unauthorized": "check username and password for {host}",
    "denied": f"see that the account may pull the image; {_LOG_IN}",
    "credentials": "see that the password file or variable for {host} is there and can be read",
    "credential-helper": "run the credential helper by hand, as docker would, to see what it says",
    "untrusted-realm": "if its token server is right, add it to registries.{host}.token_hosts",
    "unreachable": _DOWN,
    "timeout": _DOWN,
    "unavailable": _DOWN,
    "tls": "if its certificate is from an authority of your own, set registries.{host}.ca_file",
    "private-address": "if the host is yours, name it in the configuration: registries.{host}",
    "redirect": "see where {host} redirects to; name that host in the images",
    "rate-limited": f"wait; many registries allow more to whoever logs in: {_LOG_IN}",
    "not-a-registry": "check the host; a proxy or a login page may stand in between",
    "digest-mismatch": "see what stands between here and {host}: it, or the registry, is broken",
}


def of_lookup(code: str, host: str) -> str:
    """What to do about a lookup that failed so at a host; empty where nobody knows."""
    return _LOOKUPS.get(code, "").replace("{host}", host)


def of_hold(reason: str) -> str:
    """What to do about an update that is held so; empty where waiting is enough."""
    return HINTS.get(reason, "")
