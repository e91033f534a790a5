"""As whom GitHub is spoken to: a token that is given, or those of a GitHub App."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol
from urllib.parse import quote

import jwt
from github.Auth import AppAuth

from digestbot.clock import Clock
from digestbot.forge.errors import ForgeError, RefusedError
from digestbot.forge.github.answer import Answer
from digestbot.forge.github.settings import GitHubSettings
from digestbot.secret import Secret

REFRESH_BEFORE_S = 300.0
_JWT_LIFE_S = 540
_CLOCK_SKEW_S = 60
_UNKNOWN_LIFE_S = 3600.0
_HOMES = ("/orgs/{}/installation", "/users/{}/installation", "/repos/{}/installation")
_KEY_HINT = "give the private key of the App, the whole PEM file as GitHub made it"
_VISIBLE = re.compile(r"[!-~]*")
AskAsApp = Callable[[str, str, str], Answer]
"""Takes a verb, a path and a JWT."""


class TokenSource(Protocol):
    """Knows the token of now."""

    def token(self) -> str:
        """The token to use; empty without one.

        Raises:
            ForgeError: None can be had.
        """

    def renew(self, token: str) -> bool:
        """Whether there is another token, now that this one was turned down."""


class FixedToken:
    """The one token that was given."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def token(self) -> str:
        """The token; empty without one.

        Raises:
            RefusedError: It is not such a text as can be a token.
        """
        token = self._token.reveal().strip()
        if not _VISIBLE.fullmatch(token):
            hint = "look for blanks, line ends and other stray characters in it"
            raise RefusedError("the token of GitHub cannot be one", code="bad-token", hint=hint)
        return token

    def renew(self, token: str) -> bool:
        """There never is another one."""
        return False


class AppTokens:
    """Tokens of a GitHub App where an owner installed it; each is fetched by one thread.

    Source: docs.github.com, "Generating an installation access token for a GitHub App".
    """

    def __init__(self, settings: GitHubSettings, target: str, ask: AskAsApp, clock: Clock) -> None:
        self._app_id = settings.app_id
        self._sign = AppAuth.create_jwt_sign(settings.private_key.reveal, "RS256")
        self._target = target
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._installation = 0
        self._token = ""
        self._until = 0.0
        self._refused: RefusedError | None = None

    def token(self) -> str:
        """The token of the installation, good for some minutes more.

        Raises:
            ForgeError: The App is not installed there, or its key is wrong.
        """
        with self._lock:
            if not self._token or self._clock.wall() >= self._until - REFRESH_BEFORE_S:
                self._fetch()
            return self._token

    def renew(self, token: str) -> bool:
        """Forget this token, so that the next call fetches another."""
        with self._lock:
            if self._token == token:
                self._token = ""
        return True

    def _fetch(self) -> None:
        if self._refused is not None:
            # Others need not ask what GitHub has said already.
            raise RefusedError(str(self._refused), code=self._refused.code, hint=self._refused.hint)
        try:
            self._installation = self._installation or self._find()
            path = f"/app/installations/{self._installation}/access_tokens"
            answer = self._ask("POST", path, self._jwt()).data
        except RefusedError as error:
            if error.code == "unauthorized":
                error.hint = "check the App's id, its private key, and the clock of this machine"
            self._refused = error
            raise
        token = answer.get("token") if isinstance(answer, Mapping) else None
        if not isinstance(token, str) or not token or not isinstance(answer, Mapping):
            raise ForgeError("GitHub gave no token to the App", code="malformed")
        self._token = token
        self._until = _read_time(answer.get("expires_at"), self._clock.wall() + _UNKNOWN_LIFE_S)

    def _find(self) -> int:
        owner = self._target.partition("/")[0]
        targets = (owner, owner, self._target if "/" in self._target else "")
        for home, target in zip(_HOMES, targets, strict=True):
            installation = self._installed(home.format(quote(target))) if target else 0
            if installation:
                return installation
        raise RefusedError(
            f"the GitHub App {self._app_id} is not installed at {owner}",
            code="not-installed",
            hint="install it there, with access to the repos that digestbot shall keep fresh",
        )

    def _installed(self, path: str) -> int:
        try:
            data = self._ask("GET", path, self._jwt()).data
        except RefusedError as error:
            if error.code == "not-found-or-no-access":
                return 0
            raise
        number = data.get("id") if isinstance(data, Mapping) else None
        return number if isinstance(number, int) else 0

    def _jwt(self) -> str:
        now = int(self._clock.wall())
        claims = {"iat": now - _CLOCK_SKEW_S, "exp": now + _JWT_LIFE_S, "iss": self._app_id}
        try:
            signed = self._sign(claims)
        except (OSError, ValueError, TypeError, jwt.PyJWTError):
            # The cause may quote the key.
            raise RefusedError(
                "the private key of the GitHub App cannot be used", code="bad-key", hint=_KEY_HINT
            ) from None
        return signed if isinstance(signed, str) else signed.decode()


def make_tokens(settings: GitHubSettings, target: str, ask: AskAsApp, clock: Clock) -> TokenSource:
    """The source that the settings mean, for the repos of a target: `owner` or `owner/repo`."""
    if settings.app_id:
        return AppTokens(settings, target, ask, clock)
    return FixedToken(settings.token)


def _read_time(text: object, otherwise: float) -> float:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except (ValueError, OverflowError):
        return otherwise
