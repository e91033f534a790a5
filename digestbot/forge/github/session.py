"""One way to GitHub for all threads: limits kept, tokens fresh, every failure one of ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from digestbot.clock import Clock
from digestbot.forge.errors import DeferredError, ForgeError
from digestbot.forge.github.answer import Answer, Partial
from digestbot.forge.github.auth import FixedToken, TokenSource, make_tokens
from digestbot.forge.github.failures import (
    PASSING,
    WireError,
    graphql_refusal,
    lost,
    malformed,
    refusal,
)
from digestbot.forge.github.later import Later, read_later, read_remaining, read_reset
from digestbot.forge.github.limits import Charge, Limiter, Patience
from digestbot.forge.github.settings import GitHubSettings
from digestbot.forge.github.wire import GRAPHQL, Message, Wire
from digestbot.secret import Secret

__all__ = ["Answer", "Partial", "Session"]

RETRIES = 3
MOST_ATTEMPTS = 12
FIRST_BACKOFF_S = 0.5
_READS = frozenset({"GET", "HEAD"})
_FIRST_REFUSAL = 300
_NOT_MODIFIED = 304
_OPERATION = re.compile(r"\s*(?:query|mutation)\s+(\w{1,80})", re.ASCII)
_PRIMARY = "GitHub's budget of requests is used up"
_SECONDARY = "GitHub asks for a pause (secondary rate limit)"


@dataclass(frozen=True, slots=True)
class _Call:
    """A message, what it costs, and what may be wrong with its answer though it is one."""

    message: Message
    charge: Charge
    tokens: TokenSource
    check: Callable[[Answer, str], None] = lambda _answer, _secret: None


class Session:
    """Asks and tells one GitHub, as far as a target reaches; safe from many threads.

    A target is an owner, or `owner/repo`; it tells a GitHub App where it is installed. Sessions
    that speak with the same token share one limiter.
    """

    def __init__(
        self,
        settings: GitHubSettings,
        target: str,
        clock: Clock | None = None,
        limiter: Limiter | None = None,
    ) -> None:
        self.settings = settings
        self.owner = target.partition("/")[0]
        self.clock = clock or Clock()
        self._host = urlsplit(settings.api_url).netloc
        self._wire = Wire(settings)
        self.limiter = limiter or Limiter(settings.windows, settings.concurrency, self.clock)
        self._tokens = make_tokens(settings, target, self._ask_as_app, self.clock)

    def rest(
        self,
        verb: str,
        path: str,
        body: object = None,
        query: Mapping[str, str | int] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer to one REST call: 2xx, or 304 where `headers` ask for that.

        Args:
            verb: GET and HEAD read, all others write.
            path: `/repos/acme/app/…`, its parts quoted.
            body: What is sent as JSON.
            query: What stands behind the `?`.
            headers: More headers.

        Raises:
            UnsettledError: A write may or may not have happened, or somebody was faster.
            DeferredError: A limit is used up for longer than `max_wait_s`.
            RefusedError: GitHub says no; `code` says why.
            ForgeError: Anything else.
        """
        message = Message(verb, path, body, query or {}, headers or {})
        charge = Charge("rest", is_write=verb not in _READS)
        return self._settle(_Call(message, charge, self._tokens))

    def graphql(
        self, document: str, variables: Mapping[str, object], *, is_write: bool = False
    ) -> Mapping[str, object]:
        """The `data` of a GraphQL answer that has no errors.

        Raises:
            ForgeError: As for `rest`, and for the first of the errors in the answer.
        """
        message = _graphql_message(document, variables)

        def check(answer: Answer, secret: str) -> None:
            errors = _errors(answer)
            if errors:
                raise graphql_refusal(errors[0], str(message), is_write=is_write, secret=secret)
            if _data(answer) is None:
                raise malformed(str(message), is_write=is_write)

        charge = Charge("graphql", is_write=is_write)
        return _data(self._settle(_Call(message, charge, self._tokens, check))) or {}

    def graphql_partial(self, document: str, variables: Mapping[str, object]) -> Partial:
        """The `data` of a query, with the errors of its parts.

        Raises:
            ForgeError: As for `rest`, or there is no data at all.
        """
        message = _graphql_message(document, variables)

        def check(answer: Answer, secret: str) -> None:
            if not _data(answer):
                errors = _errors(answer)
                if errors:
                    raise graphql_refusal(errors[0], str(message), is_write=False, secret=secret)
                raise malformed(str(message), is_write=False)

        answer = self._settle(_Call(message, Charge("graphql"), self._tokens, check))
        secret = self._tokens.token()
        errors = {
            _path(error): graphql_refusal(error, str(message), is_write=False, secret=secret)
            for error in _errors(answer)
        }
        return Partial(_data(answer) or {}, errors)

    @property
    def is_app(self) -> bool:
        """Whether it speaks as a GitHub App, which sees what it is installed for."""
        return bool(self.settings.app_id)

    def git_token(self) -> Secret:
        """What git logs in with, at any later time, as the password of `x-access-token`."""
        return Secret(self._tokens.token)

    def close(self) -> None:
        """Close all connections."""
        self._wire.close()

    def _ask_as_app(self, verb: str, path: str, jwt: str) -> Answer:
        # A token that is made twice does no harm: none of this counts as a write.
        return self._settle(_Call(Message(verb, path), Charge("app"), FixedToken(Secret(jwt))))

    def _settle(self, call: _Call) -> Answer:
        """Try until there is an answer, or a failure that another try does not change."""
        patience = Patience(self.settings.max_wait_s, self.clock)
        failures, is_renewed = 0, False
        for _ in range(MOST_ATTEMPTS):
            token = call.tokens.token()
            try:
                answer = self._attempt(call, token, patience)
            except ForgeError as error:
                if error.code == "unauthorized" and not is_renewed and call.tokens.renew(token):
                    is_renewed = True
                    continue
                failures += 1
                if call.charge.is_write or error.code not in PASSING or failures > RETRIES:
                    raise
                self._back_off(failures, patience, error)
                continue
            if answer is not None:
                return answer
        raise DeferredError(f"{call.message}: {_SECONDARY}, again and again", code="rate-limited")

    def _attempt(self, call: _Call, token: str, patience: Patience) -> Answer | None:
        """The answer; None where a limit was hurt, so that nothing happened."""
        is_write = call.charge.is_write
        with self.limiter.turn(call.charge, patience):
            try:
                answer = self._wire.send(call.message, token)
            except (OSError, WireError) as error:
                failure = lost(error, str(call.message), is_write=is_write)
                self.limiter.answered(self._host, failure.code)
                raise failure from None
        later = read_later(answer, self.clock.wall())
        self._tell(answer, call.charge, is_limited=later is not None)
        if later is not None:
            self._pause(later, call.charge)
            return None
        self._note(answer, call.charge)
        if answer.status >= _FIRST_REFUSAL and answer.status != _NOT_MODIFIED:
            raise refusal(answer, str(call.message), is_write=is_write, secret=token)
        call.check(answer, token)
        return answer

    def _tell(self, answer: Answer, charge: Charge, *, is_limited: bool) -> None:
        # Only GraphQL says so with a status that says the contrary.
        is_hidden = is_limited and answer.status < _FIRST_REFUSAL
        code = "rate-limited" if is_hidden else str(answer.status)
        self.limiter.answered(self._host, code, charge, read_remaining(answer.headers))

    def _pause(self, later: Later, charge: Charge) -> None:
        if later.seconds is None:
            self.limiter.block(_SECONDARY)
        elif later.is_primary:
            self.limiter.pause(later.seconds, _PRIMARY, charge.resource)
        else:
            self.limiter.pause(later.seconds, _SECONDARY)

    def _note(self, answer: Answer, charge: Charge) -> None:
        self.limiter.succeeded()
        reset = read_reset(answer.headers, self.clock.wall())
        if read_remaining(answer.headers) == 0 and reset:
            self.limiter.pause(reset, _PRIMARY, charge.resource)

    def _back_off(self, failures: int, patience: Patience, error: ForgeError) -> None:
        seconds = FIRST_BACKOFF_S * 2**failures * (0.5 + self.clock.jitter() / 2)
        if seconds > patience.left_s:
            raise error
        patience.sleep(seconds, str(error))


def _graphql_message(document: str, variables: Mapping[str, object]) -> Message:
    found = _OPERATION.match(document)
    body = {"query": document, "variables": dict(variables)}
    return Message("POST", GRAPHQL, body, name=f"GraphQL {found[1] if found else 'query'}")


def _data(answer: Answer) -> Mapping[str, object] | None:
    data = answer.data.get("data") if isinstance(answer.data, dict) else None
    return data if isinstance(data, dict) else None


def _errors(answer: Answer) -> list[Mapping[str, object]]:
    errors = answer.data.get("errors") if isinstance(answer.data, dict) else None
    return [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []


def _path(error: Mapping[str, object]) -> tuple[str | int, ...]:
    path = error.get("path")
    if not isinstance(path, list):
        return ()
    return tuple(one for one in path if isinstance(one, str | int))
