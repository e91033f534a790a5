"""`WWW-Authenticate`: which login a registry asks for.

See RFC 9110, section 11.6.1, and the token specification of distribution. Registries send
several challenges on one line, leave out quotes, and put commas inside them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from digestbot.registry.origin import resolve_url

MAX_HEADER = 8 * 1024
_WORD = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_SCHEME = re.compile(rf"[\s,]*({_WORD})(?=\s|,|$)")
_PARAMETER = re.compile(
    rf'[\s,]*({_WORD})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))(?=\s|,|$)', re.DOTALL
)
_TOKEN68 = re.compile(r"[ \t]+[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$)")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One login asked for: `scheme` in lower case, parameters by lower-case name."""

    scheme: str
    parameters: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """The value of a parameter; empty where it is missing."""
        return next((value for key, value in self.parameters if key == name), "")


@dataclass(frozen=True, slots=True)
class BasicLogin:
    """Username and password are to be sent with each request."""


@dataclass(frozen=True, slots=True)
class BearerLogin:
    """A token is to be fetched from `realm`, for `service`; `scope` is what was just asked."""

    realm: str
    service: str = ""
    scope: str = ""
    error: str = ""


Login = BasicLogin | BearerLogin


def read_challenges(line: str) -> tuple[Challenge, ...]:
    """The challenges of one header line, up to the first thing that cannot be read.

    A challenge that breaks off, such as in an unterminated quote, is left out: half a realm
    is another realm.
    """
    if len(line) > MAX_HEADER:
        return ()
    return tuple(_read(line))


def choose_login(lines: Iterable[str], url: str) -> Login | None:
    """What to answer: Bearer before Basic; None where neither is asked for.

    Args:
        lines: All `WWW-Authenticate` lines of an answer.
        url: Where the answer came from; a realm may be relative to it.

    Raises:
        ValueError: A Bearer realm is missing or is no URL, and Basic is not offered.
    """
    challenges = [challenge for line in lines for challenge in read_challenges(line)]
    bearer = next((one for one in challenges if one.scheme == "bearer"), None)
    has_basic = any(one.scheme == "basic" for one in challenges)
    if bearer is None:
        return BasicLogin() if has_basic else None
    try:
        realm = _read_realm(bearer, url)
    except ValueError:
        if has_basic:
            return BasicLogin()
        raise
    return BearerLogin(realm, bearer.get("service"), bearer.get("scope"), bearer.get("error"))


def _read_realm(bearer: Challenge, url: str) -> str:
    if not bearer.get("realm"):
        raise ValueError("the realm is missing")
    return resolve_url(url, bearer.get("realm"))


def _read(line: str) -> Iterator[Challenge]:
    position = 0
    while match := _SCHEME.match(line, position):
        token68 = _TOKEN68.match(line, match.end())
        position = token68.end() if token68 else match.end()
        parameters: dict[str, str] = {}
        while found := _PARAMETER.match(line, position):
            quoted = found[2]
            value = found[3] if quoted is None else _ESCAPE.sub(r"\1", quoted)
            parameters.setdefault(found[1].lower(), value)
            position = found.end()
        if _breaks_off(line, position):
            return
        yield Challenge(match[1].lower(), tuple(parameters.items()))


def _breaks_off(line: str, position: int) -> bool:
    rest = line[position:].strip(" \t,")
    return bool(rest) and _SCHEME.match(line, position) is None
