"""The way of one request: script, token, limits, contract, handler, contract, script."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from tests.github import contract, faults
from tests.github.contract import ContractError
from tests.github.errors import ApiError, ConnectionDropped
from tests.github.graphql import door
from tests.github.graphql.cost import cost_of
from tests.github.log import Request
from tests.github.rest import HANDLERS
from tests.github.rest.router import Call, Moved, Reply
from tests.github.state import Token

if TYPE_CHECKING:
    from tests.github.server import GitHubServer

_PREFIX = "/api/v3"


@dataclass(frozen=True)
class Incoming:
    """A request as it arrived; header names are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Outgoing:
    """An answer as it is sent."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def answer(github: GitHubServer, incoming: Incoming) -> Outgoing:
    """The answer to one request of the API.

    Raises:
        ConnectionDropped: By script.
    """
    path = _named(github, incoming.path.removeprefix(_PREFIX))
    is_graphql = path in {"/graphql", "/api/graphql"}
    request = Request(incoming.method, "/graphql" if is_graphql else path)
    exchange = _Exchange(github, incoming, request)
    with github.lock:
        github.requests.append(request)
    made = exchange.made(exchange.graphql if is_graphql else exchange.rest, is_graphql)
    request.status = made.status
    return made


def _named(github: GitHubServer, path: str) -> str:
    """The path of a repo that is called by its number, as redirects do, with its name."""
    found = re.match("/repositories/([0-9]+)", path)
    for repo in github.world.repos.values() if found else ():
        if found and str(repo.id) == found[1]:
            return f"/repos/{repo.full_name}{path[found.end() :]}"
    return path


class _Exchange:
    """One request on its way; what it learns on the way is kept here."""

    def __init__(self, github: GitHubServer, incoming: Incoming, request: Request) -> None:
        self.github = github
        self.incoming = incoming
        self.request = request
        self.token: Token | None = None
        self.struck: list[faults.FaultKind] = []
        self.said: dict[str, str] = {}

    def made(self, run: Callable[[], Outgoing], is_graphql: bool) -> Outgoing:
        try:
            made = run()
        except ConnectionDropped:
            raise
        except ContractError as error:
            made = _json(500, {"message": self.github.contract.violated(error)})
        except ApiError as error:
            made = self._refused(error, is_graphql)
        except Moved as moved:
            made = self._moved(moved.number)
        except Exception:  # noqa: BLE001 - a fault of the test GitHub fails the test, with its place
            failed = ContractError(f"the test GitHub failed: {traceback.format_exc()}")
            made = _json(500, {"message": self.github.contract.violated(failed)})
        made.headers = {**self._headers(is_graphql), **made.headers}
        return made

    def _refused(self, error: ApiError, is_graphql: bool) -> Outgoing:
        if is_graphql and error.status == 200:
            said = {"type": error.kind, "message": error.message}
            return _json(200, {"errors": [said]}, error.headers)
        return _json(error.status, error.body(), error.headers)

    def _moved(self, number: int) -> Outgoing:
        # Reads are moved for good; what is repeated with its body must say so.
        is_read = self.incoming.method in {"GET", "HEAD"}
        rest = "/".join(self.request.path.split("/")[4:])
        url = f"{self.github.url}/repositories/{number}" + (f"/{rest}" if rest else "")
        url += f"?{self.incoming.query}" if self.incoming.query else ""
        said = {"message": "Moved Permanently" if is_read else "Temporary Redirect", "url": url}
        return _json(301 if is_read else 307, said, {"Location": url})

    def _headers(self, is_graphql: bool) -> dict[str, str]:
        known = f"{len(self.github.requests):04X}:{id(self.request) & 0xFFFF:04X}"
        headers = self.said | {
            "Content-Type": "application/json; charset=utf-8",
            "X-GitHub-Request-Id": known,
            "X-GitHub-Media-Type": "github.v3; format=json",
        }
        if self.token is None:
            return headers
        if self.token.scopes is not None:
            headers["X-OAuth-Scopes"] = ", ".join(self.token.scopes)
        now = self.github.clock.now()
        return headers | self.github.limits.headers(self.token.key, now, is_graphql=is_graphql)

    # -- REST

    def rest(self) -> Outgoing:
        operation, parts = contract.find(
            "GET" if self.incoming.method == "HEAD" else self.incoming.method, self.request.path
        )
        self.request.operation = operation.id
        is_app = operation.name in _BY_JWT
        self.request.is_write = self.incoming.method not in {"GET", "HEAD"} and not is_app
        self._strike(())
        if not self.incoming.headers.get("user-agent"):
            raise ApiError(403, "Request forbidden by administrative rules.")
        bearer = bearer_of(self.incoming)
        self.token = None if is_app else token_of(self.github, bearer)
        self.request.who = self.token.label if self.token else ""
        query = dict(parse_qsl(self.incoming.query, keep_blank_values=True))
        body = _body(self.incoming)
        operation.check_request(parts, query, body)
        call = Call(self.github, parts, query, body, self.token, self.incoming.path, bearer)
        call.is_cut = "truncated" in self.struck
        try:
            with _Counted(self, is_graphql=False):
                reply = self._handled(operation, call)
        finally:
            if self.token is not None and self.token.permissions is not None:
                self.said["X-Accepted-GitHub-Permissions"] = call.accepted
        return self._sent(operation, reply)

    def _strike(self, names: tuple[str, ...]) -> None:
        asked = (self.incoming.method, self.request.path, names)
        with self.github.lock:
            self.struck = self.github.faults.due(asked)
        if "expired" in self.struck:
            token = self.github.world.tokens.get(bearer_of(self.incoming))
            if token is not None:
                token.revoked = True
        faults.before(self.struck)

    def _handled(self, operation: contract.Operation, call: Call) -> Reply:
        if not self.request.is_write:
            with self.github.lock:
                return HANDLERS[operation.name](call)
        done = self.github.count_write(f"{self.incoming.method} {self.request.path}")
        with self.github.lock:
            reply = HANDLERS[operation.name](call)
        done()
        return reply

    def _sent(self, operation: contract.Operation, reply: Reply) -> Outgoing:
        reply.data = operation.complete(reply.status, reply.data)
        operation.check_answer(reply.status, reply.data)
        if reply.status == 204:
            return Outgoing(204, faults.after(self.struck, b""), reply.headers)
        made = _json(reply.status, reply.data, reply.headers)
        if self.incoming.method == "GET":
            tag = f'W/"{hashlib.sha256(made.body).hexdigest()}"'
            made.headers["ETag"] = tag
            if self.incoming.headers.get("if-none-match") == tag:
                # Such an answer is free.
                self.github.limits.give_back(self.token.key if self.token else "")
                return Outgoing(304, b"", made.headers)
        made.body = faults.after(self.struck, made.body)
        return made

    # -- GraphQL

    def graphql(self) -> Outgoing:
        sent = _body(self.incoming)
        document = door.read(sent)
        self.request.operation, self.request.fields = document.name, document.fields
        self.request.is_write = document.is_write
        self._strike((document.name, *document.fields))
        self.token = token_of(self.github, bearer_of(self.incoming))
        if self.token is None:
            raise ApiError(401, "This endpoint requires you to be authenticated.")
        self.request.who = self.token.label
        cost = cost_of(document.parsed, document.variables)
        with _Counted(self, is_graphql=True):
            self.github.limits.charge(self.token.key, cost.points - 1)
            data = door.execute(self.github, self.token, document, cost)
        made = _json(200, data)
        made.body = faults.after(self.struck, made.body)
        return made


class _Counted:
    """Counts one request against the limits of its token, while it lasts."""

    def __init__(self, exchange: _Exchange, *, is_graphql: bool) -> None:
        self._exchange = exchange
        self._is_graphql = is_graphql
        self._key = exchange.token.key if exchange.token else ""

    def __enter__(self) -> None:
        github, request = self._exchange.github, self._exchange.request
        if request.operation == "rate-limit/get":
            return
        try:
            github.limits.enter(
                self._key,
                github.clock.now(),
                is_graphql=self._is_graphql,
                is_write=request.is_write,
            )
        except ApiError:
            github.limits.leave(self._key)
            raise

    def __exit__(self, *_: object) -> None:
        if self._exchange.request.operation != "rate-limit/get":
            self._exchange.github.limits.leave(self._key)


_BY_JWT = {
    "GET /app",
    "GET /app/installations",
    "POST /app/installations/{installation_id}/access_tokens",
    "GET /orgs/{org}/installation",
    "GET /users/{username}/installation",
    "GET /repos/{owner}/{repo}/installation",
}


def bearer_of(incoming: Incoming) -> str:
    """The token of a request: `Bearer`, `token`, or the password of `Basic`."""
    kind, _, value = incoming.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        return base64.b64decode(value).decode().partition(":")[2]
    return value if kind.lower() in {"bearer", "token"} else ""


def token_of(github: GitHubServer, bearer: str) -> Token | None:
    """Whose token it is; None without one.

    Raises:
        ApiError: It is nobody's, or no longer good.
    """
    if not bearer:
        return None
    token = github.world.tokens.get(bearer)
    expired = token is not None and (token.expires_at or 2e12) <= github.clock.now()
    if token is None or token.revoked or expired:
        raise ApiError(401, "Bad credentials")
    return token


def _body(incoming: Incoming) -> Any:
    if not incoming.body:
        return None
    try:
        return json.loads(incoming.body)
    except ValueError:
        raise ApiError(400, "Problems parsing JSON") from None


def _json(status: int, data: Any, headers: Mapping[str, str] | None = None) -> Outgoing:
    return Outgoing(status, json.dumps(data).encode(), dict(headers or {}))
