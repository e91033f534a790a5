"""Rules for `fake.Site`: logins as registries ask for them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.registries.fake import Answer, Call, Site


@dataclass
class TokenAuth:
    """Bearer tokens for a site, given by another (or the same) site.

    Attributes:
        site: The registry.
        server: Who gives the tokens.
        path: Where on that server.
        service: Its name for the registry; empty to leave it out.
        users: Passwords by name; a login that is not among them is refused.
        private: Repositories that only users see.
        missing: What the *token server* answers for such a one, and for what is not there:
            None to give a token that opens nothing, as the specification has it.
        challenge: How the challenge is written, from realm, service and repository.
    """

    site: Site
    server: Site
    path: str = "/token"
    service: str = ""
    users: dict[str, str] = field(default_factory=dict)
    private: frozenset[str] = frozenset()
    missing: Answer | None = None
    denied: Answer | None = None
    life_s: int = 300
    key: str = "token"
    challenge: Callable[[str, str, str], str] | None = None
    scope: str = ""
    given: list[str] = field(default_factory=list)
    revoked: set[str] = field(default_factory=set)
    expired: Answer | None = None
    takes_post: bool = False
    identity_tokens: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.site.rules.append(self._guard)
        self.server.rules.append(self._give)

    @property
    def realm(self) -> str:
        """The URL that the challenge names."""
        scheme = "http" if self.server.host.startswith("127.") else "https"
        return f"{scheme}://{self.server.host}{self.path}"

    @property
    def scopes(self) -> list[str]:
        """The scopes of all tokens given."""
        return [token.partition("|")[2].rpartition("|")[0] for token in self.given]

    def _guard(self, call: Call) -> Answer | None:
        if not call.path.startswith("/v2/") or call.path == self.path:
            return None
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        if token in self.revoked:
            return self.expired or self._unauthorized(call)
        if token not in self.given:
            return self._unauthorized(call)
        opens, who = self._scope_of(token), token.rpartition("|")[2]
        wanted = self.scope or f"repository:{call.repository}:pull"
        if opens != wanted:
            return self._unauthorized(call)
        if call.repository in self.private and not who:
            return self.denied or self._unauthorized(call)
        return None

    def _give(self, call: Call) -> Answer | None:
        if call.path != self.path:
            return None
        if call.method == "POST":
            return self._exchange(call)
        user, password = read_basic(call.headers.get("authorization", ""))
        if user and self.users.get(user) != password:
            return Answer.error(401, "UNAUTHORIZED")
        scope = call.query.get("scope", [""])[0]
        repository = scope.removeprefix("repository:").rpartition(":")[0]
        if self.missing and not user and repository in self.private:
            return self.missing
        return self._token(scope, user)

    def _exchange(self, call: Call) -> Answer:
        if not self.takes_post:
            return Answer.error(404)
        form = dict(pair.split("=", 1) for pair in call.body.decode().split("&"))
        if form.get("refresh_token") not in self.identity_tokens:
            return Answer.error(401, "UNAUTHORIZED")
        scope = form["scope"].replace("%3A", ":").replace("%2F", "/")
        return self._token(scope, "identity")

    def _token(self, scope: str, user: str) -> Answer:
        token = f"t{len(self.given)}|{scope}|{user}"
        self.given.append(token)
        body = json.dumps({self.key: token, "expires_in": self.life_s})
        return Answer(200, (("Content-Type", "application/json"),), body.encode())

    def _scope_of(self, token: str) -> str:
        return token.partition("|")[2].rpartition("|")[0]

    def _unauthorized(self, call: Call) -> Answer:
        text = (self.challenge or write_challenge)(self.realm, self.service, call.repository)
        return Answer.error(401, "UNAUTHORIZED", ("WWW-Authenticate", text))


def write_challenge(realm: str, service: str, repository: str) -> str:
    """The challenge as distribution writes it."""
    named = f',service="{service}"' if service else ""
    return f'Bearer realm="{realm}"{named},scope="repository:{repository}:pull"'


def basic_auth(site: Site, users: dict[str, str], challenge: str) -> None:
    """Let a site ask for a Basic login."""

    def guard(call: Call) -> Answer | None:
        user, password = read_basic(call.headers.get("authorization", ""))
        if call.path.startswith("/v2/") and (not user or users.get(user) != password):
            return Answer.error(401, "UNAUTHORIZED", ("WWW-Authenticate", challenge))
        return None

    site.rules.append(guard)


def read_basic(header: str) -> tuple[str, str]:
    """Username and password of an `Authorization`; empty for any other."""
    if not header.startswith("Basic "):
        return "", ""
    user, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
    return user, password
