"""Bearer tokens: fetched once per scope, kept while they live.

See distribution's token and OAuth2 specifications. Where registries differ, the comments say.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import urlencode

from digestbot.registry.addresses import Reach
from digestbot.registry.docker_config import ANONYMOUS, Credential
from digestbot.registry.errors import RegistryError
from digestbot.registry.exchange import Exchange
from digestbot.registry.message import TOKEN_LIMIT, Request, Response
from digestbot.registry.origin import read_origin
from digestbot.registry.pace import Deadline
from digestbot.registry.refusals import Asked, error_codes, token_refusal
from digestbot.registry.trials import Trials
from digestbot.secret import Secret

CLIENT_ID = "digestbot"
SHORTEST_LIFE_S = 60.0
LONGEST_LIFE_S = 24 * 3600.0
RENEWED_EARLY_S = 5.0
_VISIBLE = re.compile(r"[\x21-\x7e]{1,32768}")
_OK, _UNAUTHORIZED, _FORBIDDEN = 200, 401, 403
# Answers of token servers that know no POST: gcr.io 404, Artifactory 401, ACR 400, others 405.
_NO_POST = frozenset({400, 401, 404, 405})


@dataclass(frozen=True, slots=True)
class TokenQuestion:
    """What a token is for; equal questions share a token."""

    registry: str
    realm: str
    service: str
    scope: str
    credential: Credential = ANONYMOUS


@dataclass(frozen=True, slots=True)
class Token:
    """A token and the time, by the monotonic clock, at which it ends."""

    value: str = field(repr=False)
    ends: float


class Tokens:
    """The tokens of a run; safe to use from many threads."""

    def __init__(self, exchange: Exchange, trials: Trials) -> None:
        self._exchange = exchange
        self._trials = trials
        self._lock = threading.Lock()
        self._locks: dict[TokenQuestion, threading.Lock] = {}
        self._tokens: dict[TokenQuestion, Token] = {}
        self._refusals: dict[TokenQuestion, RegistryError] = {}

    def get(self, question: TokenQuestion, reach: Reach, deadline: Deadline) -> tuple[Token, bool]:
        """A living token, and whether it had been fetched before.

        Raises:
            RegistryError: The token server gives none.
        """
        lock = self._lock_of(question)
        if not lock.acquire(timeout=deadline.left):
            message = f"waiting for a token of {question.registry} took too long"
            raise RegistryError(message, code="timeout", host=question.registry)
        try:
            known = self._tokens.get(question)
            if known is not None and known.ends - RENEWED_EARLY_S > self._now():
                return known, True
            if question in self._refusals:
                raise self._refusals[question]
            token = self._tokens[question] = self._fetch(question, reach, deadline)
            return token, False
        finally:
            lock.release()

    def drop(self, question: TokenQuestion, token: Token) -> None:
        """Forget a token that the registry no longer takes."""
        with self._lock_of(question):
            if self._tokens.get(question) is token:
                del self._tokens[question]

    def _lock_of(self, question: TokenQuestion) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(question, threading.Lock())

    def _now(self) -> float:
        return self._exchange.clock.monotonic()

    def _fetch(self, question: TokenQuestion, reach: Reach, deadline: Deadline) -> Token:
        credential = question.credential
        if credential.registry_token:
            return _ready_token(credential.registry_token, question.registry)
        if credential.is_anonymous:
            return self._read(question, self._ask(question, reach, deadline))
        trial = self._trials.of(question.registry, credential)
        with trial.attempt(deadline):
            response = self._ask(question, reach, deadline)
            if _is_rejected(response) and not trial.is_accepted:
                error = token_refusal(response, _asked(question))
                trial.reject(error)
                raise error
            if not response.is_error:
                token = self._read(question, response)
                trial.accept()
                return token
        if _is_denied(response):
            return self._fetch_anonymously(question, reach, deadline)
        return self._read(question, response, is_accepted=trial.is_accepted)

    def _fetch_anonymously(
        self, question: TokenQuestion, reach: Reach, deadline: Deadline
    ) -> Token:
        # ghcr.io denies public images, too, to a login that may not see the package.
        anonymous = replace(question, credential=ANONYMOUS)
        response = self._ask(anonymous, reach, deadline)
        return self._read(question, response)

    def _ask(self, question: TokenQuestion, reach: Reach, deadline: Deadline) -> Response:
        if question.credential.identity_token:
            response = self._exchange.ask(_post(question, reach), deadline, kind="token")
            if response.status not in _NO_POST:
                return response
        return self._exchange.ask(_get(question, reach), deadline, kind="token")

    def _read(
        self, question: TokenQuestion, response: Response, *, is_accepted: bool = False
    ) -> Token:
        if response.status != _OK:
            error = token_refusal(response, _asked(question, is_accepted=is_accepted))
            self._refusals[question] = error
            raise error
        try:
            value, life = read_token(response.body, self._exchange.clock.wall())
        except ValueError as error:
            host = read_origin(question.realm).netloc
            message = f"{host} answers a login with something else than a token: {error}"
            raise RegistryError(message, code="unexpected", host=question.registry) from error
        return Token(value, self._now() + life)


def _ready_token(secret: Secret, registry: str) -> Token:
    value = secret.reveal()
    if not _VISIBLE.fullmatch(value):
        # Not for an error of the HTTP library to quote.
        message = f"the registrytoken stored for {registry} holds more than visible ASCII"
        raise RegistryError(message, code="credentials", host=registry)
    return Token(value, float("inf"))


def read_token(body: bytes, now: float) -> tuple[str, float]:
    """The token in an answer, and the seconds it lives; `now` is in seconds since 1970.

    Raises:
        ValueError: There is no token in it.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        # Not chained: errors quote the text, and the text may hold a token.
        raise ValueError("it is not JSON") from None
    if not isinstance(data, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - one error for all that is wrong
    token = data.get("token") or data.get("access_token")
    if not isinstance(token, str) or not _VISIBLE.fullmatch(token):
        raise ValueError("it holds no token")
    return token, _life(data.get("expires_in"), data.get("issued_at"), now)


def _life(expires_in: object, issued_at: object, now: float) -> float:
    life = SHORTEST_LIFE_S
    if isinstance(expires_in, int | float) and expires_in == expires_in:  # noqa: PLR0124 - not NaN
        life = min(max(expires_in, SHORTEST_LIFE_S), LONGEST_LIFE_S)
    age = max(0.0, now - _timestamp(issued_at, now))
    # A clock that is off must not make every token look expired.
    return max(life - age, SHORTEST_LIFE_S)


def _timestamp(text: object, now: float) -> float:
    if not isinstance(text, str):
        return now
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return now
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _get(question: TokenQuestion, reach: Reach) -> Request:
    credential = question.credential
    parameters = [("service", question.service)] if question.service else []
    parameters += [("scope", question.scope)] if question.scope else []
    parameters.append(("client_id", CLIENT_ID))
    headers = {}
    if not credential.is_anonymous:
        login = credential
        if credential.identity_token:
            login = Credential(credential.username or "<token>", credential.identity_token)
        parameters.append(("account", login.username))
        headers["Authorization"] = login.basic
    joint = "&" if "?" in question.realm else "?"
    url = f"{question.realm}{joint}{urlencode(parameters)}"
    return Request("GET", url, reach, headers, limit=TOKEN_LIMIT, about=question.registry)


def _post(question: TokenQuestion, reach: Reach) -> Request:
    form = {
        "grant_type": "refresh_token",
        "service": question.service,
        "client_id": CLIENT_ID,
        "scope": question.scope,
        "refresh_token": question.credential.identity_token.reveal(),
    }
    return Request(
        "POST",
        question.realm,
        reach,
        {"Content-Type": "application/x-www-form-urlencoded"},
        urlencode(form).encode(),
        TOKEN_LIMIT,
        question.registry,
    )


def _asked(question: TokenQuestion, *, is_accepted: bool = False) -> Asked:
    credential = question.credential
    login = "" if credential.is_anonymous else credential.username or "an identity token"
    secrets = credential.spelled
    return Asked(question.registry, login, question.service, is_accepted, secrets)


def _is_denied(response: Response) -> bool:
    return response.status == _FORBIDDEN or "DENIED" in error_codes(response)


def _is_rejected(response: Response) -> bool:
    return response.status == _UNAUTHORIZED and not _is_denied(response)
