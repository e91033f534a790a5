"""Who stays signed in: a cookie says it, signed with its user's token; nothing is stored."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from itsdangerous import BadSignature, TimestampSigner
from starlette.requests import Request
from starlette.responses import Response

from digestbot.clock import Clock
from digestbot.secret import Secret
from digestbot.service.hooks.seen import Seen
from digestbot.web.users import User, Users

SECURE_COOKIE, COOKIE = "__Host-digestbot", "digestbot"
"""Browsers take a name with `__Host-` from this very host alone, by https (RFC 6265bis, 4.1.3)."""
_SALT = b"digestbot.session"
_WRITTEN = re.compile(
    r"([a-z0-9-]{1,40})\.([A-Za-z0-9_-]{22})\.[A-Za-z0-9_-]{1,16}\.[A-Za-z0-9_-]{43}", re.ASCII
)
_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Session:
    """One time that somebody signed in."""

    user: User
    id: str


class Sessions:
    """Writes and reads what cookies say.

    A session ends by its time, by another token of its user, and by signing out. The latter is
    remembered while the process runs, of the last 10,000.
    """

    def __init__(self, users: Users, length: timedelta, clock: Clock) -> None:
        self._users = users
        self._seconds = int(length.total_seconds())
        self._clock = clock
        self._ended = Seen(clock)
        self._decoy = Secret(secrets.token_hex())

    def begin(self, user: User) -> str:
        """A new session, as its cookie says it; never one that somebody else had a say in."""
        said = f"{user.name}.{secrets.token_urlsafe(_ID_BYTES)}"
        return self._signer(user.token).sign(said).decode("ascii")

    def read(self, cookie: str) -> Session | None:
        """The session that a cookie says; None where nobody began it, or it is over."""
        written = _WRITTEN.fullmatch(cookie)
        if written is None:
            return None
        user = self._users.named(written[1])
        # Whoever guesses names waits no less for those that are none.
        signer = self._signer(user.token if user is not None else self._decoy)
        try:
            signer.unsign(cookie, max_age=self._seconds)
        except BadSignature:
            return None
        if user is None or written[2] in self._ended:
            return None
        return Session(user, written[2])

    def end(self, session_id: str) -> None:
        """It is over, whoever still has its cookie."""
        self._ended.add(session_id, self._seconds)

    def give(self, response: Response, cookie: str, *, is_https: bool) -> None:
        """Have the browser keep the cookie."""
        response.set_cookie(
            cookie_name(is_https=is_https),
            cookie,
            max_age=self._seconds,
            path="/",
            secure=is_https,
            httponly=True,
            samesite="lax",
        )

    def _signer(self, token: Secret) -> _Signer:
        return _Signer(token, self._clock)


class _Signer(TimestampSigner):
    """Signs with a key that is made of a user's token, and of no use elsewhere."""

    def __init__(self, token: Secret, clock: Clock) -> None:
        super().__init__(
            token.reveal(), salt=_SALT, key_derivation="hmac", digest_method=hashlib.sha256
        )
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock.wall())


def cookie_name(*, is_https: bool) -> str:
    """What the cookie is called."""
    return SECURE_COOKIE if is_https else COOKIE


def cookie_of(request: Request, *, is_https: bool) -> str:
    """What the cookie of a request says; nothing, unless there is exactly one of that name.

    Another site of the same domain can add a second one, and have it come first.
    """
    name = cookie_name(is_https=is_https)
    pairs = [
        pair.strip().partition("=")
        for header in request.headers.getlist("cookie")
        for pair in header.split(";")
    ]
    said = [value for key, _, value in pairs if key == name]
    return said[0] if len(said) == 1 else ""


def take_back(response: Response, *, is_https: bool) -> None:
    """Have the browser drop the cookie."""
    response.delete_cookie(
        cookie_name(is_https=is_https), path="/", secure=is_https, httponly=True, samesite="lax"
    )
