"""The small languages of the configuration: hosts, prefixes, globs, variable names.

Each check takes the text as written and gives it back. A text that could never do what its
writer means is a `ValueError` whose message says what to write instead.
"""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from digestbot.config.crontab import Crontab
from digestbot.image import ImageReference, InvalidReferenceError

MAX_LENGTH = 1000
_HUB = "docker.io"
_HUB_ALIASES = {
    "index.docker.io",
    "registry-1.docker.io",
    "hub.docker.com",
    "registry.hub.docker.com",
}
_SCHEME = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*://")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WILDCARDS = frozenset("*?[")
_PORT = re.compile(r":([0-9]{1,9})$")
_MAX_PORT = 65535
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(?:\[bot\])?", re.ASCII)
_TEAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}/[A-Za-z0-9_-]{1,100}", re.ASCII)
_MAX_LABEL = 50
_SLUG = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
_SIGNOFF = re.compile(r"[^<>\x00-\x1f\x7f]{1,200} <[^<>@\s]{1,100}@[^<>@\s]{1,200}>")
PLACEHOLDERS = ("image", "tag", "old", "new", "count")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def check_text(text: str) -> str:
    """Any text that is not empty and stays on one line."""
    if not text.strip():
        raise ValueError("must not be empty")
    if len(text) > MAX_LENGTH:
        raise ValueError(f"must not be longer than {MAX_LENGTH} characters")
    if not text.isprintable():
        raise ValueError("must not contain control characters")
    return text


def check_host(text: str) -> str:
    """A registry as image names spell it: `ghcr.io`, `localhost:5000`, `[::1]:5000`."""
    _check_no_login(text)
    bare = _SCHEME.sub("", text)
    host, slash, _ = bare.partition("/")
    if bare != text or slash:
        raise ValueError(
            f"is not a host; write {_host_or_example(host)}, without a scheme or a path"
        )
    if text in _HUB_ALIASES:
        raise ValueError(f"Docker Hub is written {_HUB!r}")
    if text != text.lower():
        raise ValueError(f"must be lower case; write {text.lower()!r}")
    if text.count(":") > 1 and not text.startswith("["):
        raise ValueError(f"an IPv6 address goes in brackets, such as '[{text}]' or '[::1]:5000'")
    if _has_bad_port(text):
        raise ValueError(f"must have a port between 1 and {_MAX_PORT}")
    if not _is_host(text):
        raise ValueError(
            "is not a registry host (expected host or host:port; "
            "a host without a dot needs a port, unless it is localhost)"
        )
    return text


def check_prefix(text: str) -> str:
    """The beginning of image names, up to a slash: `docker.io/`, `harbor.corp/hub/`."""
    _check_no_login(text)
    bare = _SCHEME.sub("", text)
    if bare != text:
        raise ValueError(f"is a URL; write {bare.rstrip('/') + '/'!r}, without the scheme")
    if not text.endswith("/"):
        raise ValueError(f"must end with '/'; write {text + '/'!r}")
    host, _, path = text.partition("/")
    check_host(host)
    try:
        ImageReference.parse(f"{host}/{path}x")
    except InvalidReferenceError as error:
        raise ValueError(f"is not the beginning of an image name: {error}") from error
    return text


def read_image_glob(text: str) -> str:
    """The glob on full image names that somebody means: `docker.io/library/python` by `python`."""
    check_text(text)
    if "@" in text:
        raise ValueError("must not have a digest; images are matched by name and tag")
    if _SCHEME.match(text):
        raise ValueError(f"is a URL; write {_SCHEME.sub('', text)!r}, without the scheme")
    return _full_name(text)


def check_image_glob(text: str) -> str:
    """A glob on full image names, with or without a tag: `ghcr.io/acme/*`, `*/python:3.1*`."""
    full = read_image_glob(text)
    if full != text:
        raise ValueError(f"is matched with full names; write {full!r}")
    return text


def check_path_glob(text: str) -> str:
    """A glob on paths below the scanned folder, with `/` between the parts: `vendor/**`."""
    check_text(text)
    if "\\" in text:
        raise ValueError(f"uses '/' between folders; write {text.replace(chr(92), '/')!r}")
    if text.startswith(("/", "./")):
        raise ValueError(f"is relative to the scanned folder; write {text.lstrip('./')!r}")
    return text


def check_variable(text: str) -> str:
    """The name of an environment variable. The text is not repeated: it may be a password."""
    if not _VARIABLE.fullmatch(text):
        raise ValueError(
            "must be the name of an environment variable (letters, digits and '_'), "
            "not the password itself"
        )
    return text


def check_username(text: str) -> str:
    """A user name that Basic authentication can carry (RFC 7617, section 2: no colon)."""
    check_text(text)
    if ":" in text:
        raise ValueError("must not contain ':'; the password goes in password_env or password_file")
    return text


def check_login(text: str) -> str:
    """A user's name on a forge: `ann`, `renovate[bot]`."""
    if not _LOGIN.fullmatch(text.removeprefix("@")):
        raise ValueError("is not the name of a user")
    return text.removeprefix("@")


def check_reviewer(text: str) -> str:
    """A user, or a team with its organization: `ann`, `acme/platform`."""
    name = text.removeprefix("@")
    if not _LOGIN.fullmatch(name) and not _TEAM.fullmatch(name):
        raise ValueError("is neither a user (ann) nor a team with its organization (acme/platform)")
    return name


def check_label(text: str) -> str:
    """The name of a label; GitHub takes up to 50 characters."""
    check_text(text)
    if len(text) > _MAX_LABEL or "," in text:
        raise ValueError(f"must have at most {_MAX_LABEL} characters, and no comma")
    return text


def check_slug(text: str) -> str:
    """The name of a group, which becomes part of a branch's name."""
    if not _SLUG.fullmatch(text):
        raise ValueError("must be lower-case letters, digits and '-' (at most 40)")
    return text


def check_title(text: str) -> str:
    """A template of titles, with no placeholders but the known ones."""
    check_text(text)
    for name in _PLACEHOLDER.findall(text):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{one}}}" for one in PLACEHOLDERS)
            raise ValueError(f"{{{name[:40]}}} is not one of {known}")
    if set("{}") & set(_PLACEHOLDER.sub("", text)):
        raise ValueError("has a brace without its partner")
    return text


def check_signoff(text: str) -> str:
    """Somebody to sign off: `Name <name@example.org>`."""
    if not (_SIGNOFF.fullmatch(text) and text.isprintable()):
        raise ValueError("is not 'Name <name@example.org>'")
    return text


def check_cron(text: str) -> str:
    """A cron expression of five fields."""
    Crontab.parse(check_text(text))
    return text


def check_zone(text: str) -> str:
    """The name of a time zone."""
    check_text(text)
    try:
        if text != "UTC":  # Known even where the system has no list of time zones.
            ZoneInfo(text)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise ValueError("is not a time zone, such as 'Europe/Berlin'") from None
    return text


def _check_no_login(text: str) -> None:
    check_text(text)
    if "@" in text:
        raise ValueError("must not contain '@'; credentials go under registries.<host>")


def _full_name(glob: str) -> str:
    # What a short name would be: nobody who writes `python` means an image called just that.
    first, slash, _ = glob.partition("/")
    if not glob.startswith("*") and not (slash and (_is_wild(first) or _is_host(first))):
        glob = f"{_HUB}/{glob}" if slash else f"{_HUB}/library/{glob}"
    registry, _, rest = glob.partition("/")
    name = rest.partition(":")[0]
    if registry == _HUB and "/" not in name and not _is_wild(name):
        return f"{_HUB}/library/{rest}"
    return glob


def _is_wild(text: str) -> bool:
    return not _WILDCARDS.isdisjoint(text)


def _is_host(text: str) -> bool:
    try:
        return ImageReference.parse(f"{text}/x/x").registry == text
    except InvalidReferenceError:
        return False


def _has_bad_port(text: str) -> bool:
    port = _PORT.search(text)
    return port is not None and not 0 < int(port[1]) <= _MAX_PORT


def _host_or_example(host: str) -> str:
    return repr(host) if _is_host(host) else "a host such as 'ghcr.io' or 'localhost:5000'"
