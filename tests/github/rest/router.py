"""Which function answers which operation of REST."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from tests.github.errors import ApiError, not_found
from tests.github.pulls import Pulls
from tests.github.state import Account, Issue, Pull, Repo, Token, World

if TYPE_CHECKING:
    from tests.github.server import GitHubServer


@dataclass
class Call:
    """One request, on its way to its handler.

    Attributes:
        path: The parts of the path that the operation names.
        address: The whole path as it was asked for.
        bearer: What it was authorized by: a token, or the JWT of an App.
        is_cut: Whether a tree is to be truncated, by script.
        accepted: The permission that was needed, as `contents=read`.
    """

    server: GitHubServer
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    token: Token | None
    address: str = ""
    bearer: str = ""
    is_cut: bool = False
    accepted: str = ""

    @property
    def world(self) -> World:
        return self.server.world

    @property
    def pulls(self) -> Pulls:
        return self.server.life

    @property
    def actor(self) -> Account:
        if self.token is None:
            raise ApiError(401, "Requires authentication")
        return self.token.account

    @property
    def sent(self) -> dict[str, Any]:
        """The body, where it is an object."""
        return self.body if isinstance(self.body, dict) else {}

    def repo(self, what: str = "metadata", level: str = "read") -> Repo:
        """The repo of the path, if the token may `read` or `write` that of it."""
        name = f"{self.path['owner']}/{self.path['repo']}"
        self.accepted = f"{what}={level}"
        repo = self.world.repo(name)
        if repo is None:
            self._moved(name)
            raise not_found()
        allow(self.token, repo, what, level)
        return repo

    def need_workflows(self) -> None:
        """Raises: ApiError: The token may not change files in .github/workflows."""
        if self.token is not None and not self.token.may_change_workflows:
            self.accepted += ",workflows=write"
            raise denied(self.token)

    def _moved(self, name: str) -> None:
        moved = self.world.moved(name)
        if moved is not None:
            raise Moved(moved.id)

    def issue(self, repo: Repo, number: str = "issue_number") -> Issue:
        issue = repo.issues.get(int(self.path[number]))
        if issue is None:
            raise not_found()
        return issue

    def pull(self, repo: Repo) -> Pull:
        pull = self.issue(repo, "pull_number")
        if not isinstance(pull, Pull):
            raise not_found()
        return pull


@dataclass
class Moved(Exception):  # noqa: N818 - not an error
    """The repo has another name now; this is its number."""

    number: int


@dataclass
class Reply:
    """What a handler answers."""

    status: int = 200
    data: Any = None
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Reply]
HANDLERS: dict[str, Handler] = {}
_H = TypeVar("_H", bound=Handler)


def serves(operation: str) -> Callable[[_H], _H]:
    """Register the handler of an operation."""

    def register(handler: _H) -> _H:
        HANDLERS[operation] = handler
        return handler

    return register


def allow(token: Token | None, repo: Repo, what: str, level: str) -> None:
    """Raises: ApiError: The token may not do that, said as GitHub says it."""
    if token is None:
        if repo.private:
            raise not_found()
        if level == "write":
            raise ApiError(401, "Requires authentication")
        return
    if not token.sees(repo):
        raise not_found()
    if repo.disabled:
        raise ApiError(403, "Repository access blocked", kind="FORBIDDEN")
    if not token.may(repo, what, level):
        raise denied(token)
    if level == "write" and repo.archived:
        raise ApiError(403, "Repository was archived so is read-only.", kind="FORBIDDEN")


def denied(token: Token) -> ApiError:
    """What GitHub says to a token that lacks a permission."""
    if token.installation is not None:
        return ApiError(403, "Resource not accessible by integration", kind="FORBIDDEN")
    if token.permissions is not None:
        message = "Resource not accessible by personal access token"
        return ApiError(403, message, kind="FORBIDDEN")
    # A user without write access is told that there is nothing.
    return not_found()


def page(call: Call, items: list[Any]) -> tuple[list[Any], dict[str, str]]:
    """One page, and the `Link` to the others."""
    size = min(100, int(call.query.get("per_page", "30")))
    number = int(call.query.get("page", "1"))
    last = max(1, -(-len(items) // size))
    links = []
    wanted = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
    for name, target in wanted.items():
        shown = number > 1 if name in {"prev", "first"} else number < last
        if shown:
            links.append(f'<{_link(call, target)}>; rel="{name}"')
    shown_items = items[(number - 1) * size : number * size]
    return shown_items, {"Link": ", ".join(links)} if links else {}


def _link(call: Call, number: int) -> str:
    """The address of another page of what was asked."""
    return f"{call.server.url}{call.address}?{urlencode({**call.query, 'page': number})}"


def paged(call: Call, items: list[Any], shape: Callable[[Any], Any]) -> Reply:
    some, headers = page(call, items)
    return Reply(200, [shape(one) for one in some], headers)
