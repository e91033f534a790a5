"""Who digestbot is to one registry, and how it says so.

The first question to a registry goes out plain; its answer says which login is wanted, and
every later question carries it from the start.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

from digestbot.registry.addresses import onward
from digestbot.registry.challenge import BasicLogin, BearerLogin, Login, choose_login
from digestbot.registry.credentials import CredentialStore
from digestbot.registry.docker_config import ANONYMOUS, Credential
from digestbot.registry.errors import RegistryError
from digestbot.registry.exchange import Exchange
from digestbot.registry.message import TOKEN_LIMIT, Request, Response
from digestbot.registry.pace import Deadline
from digestbot.registry.place import Place
from digestbot.registry.realms import check_trust, reach_of_realm
from digestbot.registry.refusals import Asked, wrong_password
from digestbot.registry.settings import RegistrySettings
from digestbot.registry.tokens import Token, TokenQuestion, Tokens
from digestbot.registry.trials import Trials

_UNAUTHORIZED = 401
# An expired token: 401 by the specification, 403 of ECR, 400 of public ECR.
_MAY_BE_EXPIRED = frozenset({400, 401, 403})
# How long the first question to a registry is waited for, to ask the others better.
_PATIENCE_S = 2.0
_SCOPES_OF_A_REPOSITORY = ("repository:", "registry:")


@dataclass(frozen=True, slots=True)
class Grant:
    """What goes into `Authorization`, and where it came from."""

    header: str = field(repr=False)
    credential: Credential
    question: TokenQuestion | None = None
    token: Token | None = None
    was_cached: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, with what was asked for people."""

    response: Response
    asked: Asked


@dataclass(frozen=True, slots=True)
class Office:
    """What all registries of a run share to log in."""

    settings: RegistrySettings
    exchange: Exchange
    credentials: CredentialStore
    trials: Trials
    tokens: Tokens


class Authorizer:
    """Asks one registry, logged in as it wants; safe to use from many threads."""

    def __init__(self, place: Place, office: Office) -> None:
        self._place = place
        self._office = office
        self._lock = threading.Lock()
        self._known = threading.Event()
        self._login: Login | None = None

    def ask(
        self, request: Request, repository: str, deadline: Deadline, *, again: bool = True
    ) -> Answer:
        """The registry's answer, after whatever login it takes.

        Args:
            request: What to ask.
            repository: What it is about; empty for the registry itself.
            deadline: When to give up.
            again: Whether to try a fresh token where one may have expired.

        Raises:
            RegistryError: No answer came, or the login failed.
        """
        answer = self._ask_here(request, repository, deadline, again=again)
        if answer.response.status == _UNAUTHORIZED and not self._is_here(answer.response):
            return Answer(self._ask_there(request, answer.response, deadline), answer.asked)
        return answer

    def _ask_here(
        self, request: Request, repository: str, deadline: Deadline, *, again: bool
    ) -> Answer:
        first = self._learn(request, deadline)
        if first is not None:
            return Answer(first, self._asked(None))
        grant = self._grant(repository, deadline)
        response = self._send(request, grant, deadline)
        if grant is None and self._is_surprised(response, deadline):
            grant = self._grant(repository, deadline)
            response = self._send(request, grant, deadline)
        better = self._better(grant, response, deadline, again=again)
        if better is not None:
            grant = better
            response = self._send(request, grant, deadline)
        return Answer(response, self._asked(grant))

    def _learn(self, request: Request, deadline: Deadline) -> Response | None:
        """Ask plainly while nothing is known of the registry; the answer, unless it was 401."""
        if self._known.is_set():
            return None
        if not self._lock.acquire(timeout=min(deadline.left, _PATIENCE_S)):
            # Whoever asks first may have met an image that hangs: the others do not wait for it.
            return None
        try:
            if self._known.is_set():
                return None
            response = self._office.exchange.ask(request, deadline)
            if response.status == _UNAUTHORIZED:
                self._login = self._find_login(response, deadline)
            self._known.set()
            return None if self._login else response
        finally:
            self._lock.release()

    def _is_surprised(self, response: Response, deadline: Deadline) -> bool:
        """Whether a registry that wanted no login so far wants one now."""
        if response.status != _UNAUTHORIZED or self._login is not None:
            return False
        self._login = self._find_login(response, deadline)
        return self._login is not None

    def _is_here(self, response: Response) -> bool:
        # The target of a redirect does not say how to log in here.
        return response.origin == self._place.origin

    def _find_login(self, response: Response, deadline: Deadline) -> Login | None:
        if not self._is_here(response):
            return None
        return self._read_login(response) or self._ping(deadline)

    def _read_login(self, response: Response) -> Login | None:
        try:
            return choose_login(response.header_lines("www-authenticate"), response.url)
        except ValueError as error:
            message = f"{self._place.registry} asks for a login that cannot be understood: {error}"
            raise RegistryError(message, code="challenge", host=self._place.registry) from error

    def _ping(self, deadline: Deadline) -> Login | None:
        # gcr.io has answered 401 without a challenge to everything but this.
        url = f"{self._place.origin}/v2/"
        request = Request(
            "GET", url, self._place.reach, limit=TOKEN_LIMIT, about=self._place.registry
        )
        response = self._office.exchange.ask(request, deadline)
        return self._read_login(response) if response.status == _UNAUTHORIZED else None

    def _ask_there(self, request: Request, refused: Response, deadline: Deadline) -> Response:
        """Ask the target of a redirect again, with a token it gives to anyone.

        registry.k8s.io leads to such hosts. No login of this registry goes there.
        """
        login = self._read_login(refused)
        if not isinstance(login, BearerLogin) or refused.origin is None:
            return refused
        reach = onward(self._place.reach, self._place.found())
        there = Place(self._place.registry, refused.origin, reach, self._place.found)
        question = TokenQuestion(there.registry, login.realm, login.service, login.scope)
        reach_of_token = reach_of_realm(there, login.realm)
        token, _ = self._office.tokens.get(question, reach_of_token, deadline)
        again = replace(request, url=refused.url, reach=reach)
        return self._office.exchange.ask(again.authorized(f"Bearer {token.value}"), deadline)

    def _grant(self, repository: str, deadline: Deadline) -> Grant | None:
        if self._login is None:
            return None
        credential = self._office.credentials.find(self._place.registry, repository)
        if not repository and credential.is_anonymous:
            # Nobody needs to know what an anonymous token without a scope is good for.
            return None
        if isinstance(self._login, BasicLogin):
            if not credential.password:
                return None
            return Grant(credential.basic, credential)
        return self._token(self._login, _scope(self._login, repository), credential, deadline)

    def _token(
        self, login: BearerLogin, scope: str, credential: Credential, deadline: Deadline
    ) -> Grant:
        registry = self._place.registry
        reach = reach_of_realm(self._place, login.realm)
        if not credential.is_anonymous:
            host = self._office.settings.host(registry)
            check_trust(self._place, login.realm, host.token_hosts)
        question = TokenQuestion(registry, login.realm, login.service, scope, credential)
        token, was_cached = self._office.tokens.get(question, reach, deadline)
        return Grant(f"Bearer {token.value}", credential, question, token, was_cached)

    def _send(self, request: Request, grant: Grant | None, deadline: Deadline) -> Response:
        if grant is None:
            return self._office.exchange.ask(request, deadline)
        authorized = request.authorized(grant.header)
        if grant.token is not None:
            return self._office.exchange.ask(authorized, deadline)
        trial = self._office.trials.of(self._place.registry, grant.credential)
        with trial.attempt(deadline):
            response = self._office.exchange.ask(authorized, deadline)
            if response.status != _UNAUTHORIZED:
                trial.accept()
            elif not trial.is_accepted:
                error = wrong_password(self._asked(grant))
                trial.reject(error)
                raise error
        return response

    def _better(
        self, grant: Grant | None, response: Response, deadline: Deadline, *, again: bool
    ) -> Grant | None:
        """Another grant to try once; None where this answer is final."""
        if grant is None or grant.question is None or response.status not in _MAY_BE_EXPIRED:
            return None
        question = grant.question
        wanted = self._wanted_scope(response)
        if wanted not in ("", question.scope) and isinstance(self._login, BearerLogin):
            return self._token(self._login, wanted, grant.credential, deadline)
        if not (again and grant.was_cached and grant.token):
            return None
        self._office.tokens.drop(question, grant.token)
        reach = reach_of_realm(self._place, question.realm)
        token, was_cached = self._office.tokens.get(question, reach, deadline)
        return Grant(f"Bearer {token.value}", grant.credential, question, token, was_cached)

    def _wanted_scope(self, response: Response) -> str:
        try:
            login = self._read_login(response) if self._is_here(response) else None
        except RegistryError:
            return ""
        return login.scope if isinstance(login, BearerLogin) else ""

    def _asked(self, grant: Grant | None) -> Asked:
        credential = grant.credential if grant else ANONYMOUS
        name = "" if credential.is_anonymous else credential.username or "an identity token"
        service = self._login.service if isinstance(self._login, BearerLogin) else ""
        is_accepted = bool(grant and grant.token)
        secrets = (*credential.spelled, grant.token.value if grant and grant.token else "")
        return Asked(self._place.registry, name, service, is_accepted, secrets)


def _scope(login: BearerLogin, repository: str) -> str:
    if login.scope and not login.scope.startswith(_SCOPES_OF_A_REPOSITORY):
        # One scope for all: `aws` of public ECR, `*` of Forgejo.
        return login.scope
    return f"repository:{repository}:pull" if repository else login.scope
