"""Who signs in with a token of their own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Literal

from digestbot.config.dashboard import UserConfig
from digestbot.config.issues import ConfigError, Issue
from digestbot.config.secrets import read_secret
from digestbot.secret import Secret

SHORTEST, LONGEST = 20, 4096
# RFC 6750, section 2.1: what a bearer token may consist of.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)
_HINT = "make one with: openssl rand -hex 32"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody, and what only they know."""

    name: str
    role: Literal["reader", "operator"]
    token: Secret = field(repr=False)


class Users:
    """All of them, by name and by token."""

    def __init__(self, users: Iterable[User] = ()) -> None:
        self._users = {user.name: user for user in users}
        self._digests = {name: _digest(user.token.reveal()) for name, user in self._users.items()}

    def __bool__(self) -> bool:
        return bool(self._users)

    def named(self, name: str) -> User | None:
        """The one of this name."""
        return self._users.get(name)

    def knowing(self, token: str) -> User | None:
        """The one whose token this is.

        All are compared, over digests of one length, so that the time tells nothing.
        """
        given = _digest(token)
        equal = [name for name, known in self._digests.items() if compare_digest(known, given)]
        return self._users[equal[0]] if equal else None


def users_of(configs: Iterable[UserConfig], environ: Mapping[str, str]) -> Users:
    """The users of a configuration; their tokens are read now, once.

    Raises:
        ConfigError: A token is missing, too short, not a token, or somebody else's, too.
    """
    users = [User(config.name, config.role, Secret(_token(config, environ))) for config in configs]
    known = Users(users)
    for user in users:
        other = known.knowing(user.token.reveal())
        if other is not None and other.name != user.name:
            message = f"the token is that of {other.name}, too; everybody needs their own"
            raise ConfigError([Issue(f"dashboard.users.{user.name}", message)], hint=_HINT)
    return known


def _token(config: UserConfig, environ: Mapping[str, str]) -> str:
    which = "token_env" if config.token_env is not None else "token_file"
    key = f"dashboard.users.{config.name}.{which}"
    token = read_secret(key, config.token_env, config.token_file, environ)
    # Neither message repeats it.
    if not SHORTEST <= len(token) <= LONGEST:
        message = f"the token must have {SHORTEST} to {LONGEST} characters"
        raise ConfigError([Issue(key, message)], hint=_HINT)
    if not _TOKEN.fullmatch(token):
        message = "the token may have letters, digits and . _ ~ + / - alone, and = at its end"
        raise ConfigError([Issue(key, message)], hint=_HINT)
    return token


def _digest(text: str) -> bytes:
    # What is sent may be no Unicode text; comparing must not fail.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
