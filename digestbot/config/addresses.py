"""The small languages of the service's configuration: durations, digests, addresses, targets.

As in `names`: each check gives back what it was given, or a `ValueError` says what to write.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

from digestbot.config.names import check_text
from digestbot.image import Digest

_DURATION = re.compile(r"([0-9]{1,5})([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60}
_TARGET = re.compile(
    r"github:[A-Za-z0-9][A-Za-z0-9_-]{0,99}(?:/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100})?", re.ASCII
)
_SITE = re.compile(
    r"https?://(?:[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/?(?=$|[/?#])",
    re.ASCII,
)
_LAST_PORT = 65535
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,99}", re.ASCII)


def read_duration(text: str) -> timedelta:
    """A length of time: a whole number and one of `s`, `m`, `h`, `d`."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError("must be a duration such as '90s', '3h' or '14d'")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def write_duration(value: timedelta) -> str:
    """As `read_duration` reads it: `3h`, in the largest unit that fits."""
    seconds = int(value.total_seconds())
    for unit, length in reversed(_SECONDS.items()):
        if seconds and seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def check_digest(text: str) -> str:
    """A whole digest."""
    try:
        Digest.parse(text)
    except ValueError:
        raise ValueError("is not a digest, such as sha256: and 64 hex digits") from None
    return text


def check_target(text: str) -> str:
    """What the service watches: an owner or a repo on GitHub."""
    check_text(text)
    if not _TARGET.fullmatch(text):
        raise ValueError("is not a target, such as github:acme or github:acme/app")
    return text


def check_state_url(text: str) -> str:
    """The address of a PostgreSQL database. The text is not repeated: there may be a password."""
    check_text(text)
    try:
        url = urlsplit(text)
        is_one = url.scheme == "postgresql" and len(url.path) > 1 and url.port != 0
    except ValueError:
        is_one = False
    if not is_one or not url.path.strip("/") or url.fragment:
        raise ValueError(
            "is not an address such as postgresql://digestbot@db.example.com/digestbot"
        )
    keys = [key.lower() for key, _ in parse_qsl(url.query, keep_blank_values=True)]
    if url.password is not None or any("pass" in key for key in keys):
        raise ValueError("has a password in it; use password_env or password_file")
    return text


def check_http_url(text: str) -> str:
    """Where to send something. The text is not repeated, as above."""
    if not _is_web_address(check_text(text)):
        raise ValueError("is not an address such as https://example.com/hook")
    return text


def check_api_url(text: str) -> str:
    """The address of an API. The text is not repeated, as above."""
    if not _is_web_address(check_text(text)) or urlsplit(text).query:
        raise ValueError("is not an address such as https://api.github.com or https://HOST/api/v3")
    return text


def _is_web_address(text: str) -> bool:
    """Whether it leads to a host, and has no login in it."""
    try:
        url = urlsplit(text)
        is_one = url.scheme in {"https", "http"} and bool(url.hostname) and url.port != 0
    except ValueError:
        return False
    return is_one and url.username is None and not url.fragment


def check_site_url(text: str) -> str:
    """Where people reach the dashboard: scheme and host, perhaps a port, and nothing more."""
    if not _is_web_address(check_text(text)) or not _SITE.match(text):
        raise ValueError("is not an address such as https://digestbot.example.com")
    if not _SITE.fullmatch(text):
        raise ValueError(
            "has more than a host; the dashboard is at the root of one, such as "
            "https://digestbot.example.com"
        )
    return text


def check_listen(text: str) -> str:
    """A local address and a port; port 0 is any that is free."""
    check_text(text)
    host, _, port = text.rpartition(":")
    if not host or not re.fullmatch("[0-9]{1,5}", port) or int(port) > _LAST_PORT:
        raise ValueError("is not an address to listen on, such as 127.0.0.1:8080")
    return text


def check_network(text: str) -> str:
    """An address, or a range of them: `10.1.2.3`, `10.0.0.0/8`, `fd00::/8`."""
    check_text(text)
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError("is not an address or a range, such as 10.1.2.3 or 10.0.0.0/8") from None
    if network.prefixlen == 0:
        raise ValueError("is every address there is; name the proxy's own")
    if "/" in text and str(network.network_address) != str(ipaddress.ip_interface(text).ip):
        raise ValueError(f"has bits behind its prefix; write {str(network)!r}")
    return text


def check_header(text: str) -> str:
    """The name of a header: `X-Forwarded-User`."""
    if not _HEADER.fullmatch(text):
        raise ValueError("is not the name of a header, such as X-Forwarded-User")
    return text
