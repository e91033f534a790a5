"""What resolvers know beside their object, and how they are registered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from graphql import GraphQLResolveInfo
from tests.github.errors import ApiError
from tests.github.graphql.cost import Cost
from tests.github.objects import CommitObject
from tests.github.pulls import Pulls
from tests.github.rest.router import allow
from tests.github.rest.shapes import Shapes
from tests.github.state import Account, Repo, Token, World

if TYPE_CHECKING:
    from tests.github.server import GitHubServer


@dataclass(frozen=True)
class Context:
    """Who asks whom."""

    server: GitHubServer
    token: Token
    cost: Cost

    @property
    def world(self) -> World:
        return self.server.world

    @property
    def life(self) -> Pulls:
        return self.server.life

    @property
    def shapes(self) -> Shapes:
        return self.server.shapes

    @property
    def actor(self) -> Account:
        return self.token.account

    def allow(self, repo: Repo, what: str, level: str = "read") -> None:
        allow(self.token, repo, what, level)


@dataclass(frozen=True)
class Ref:
    """A ref by its whole name; of that, `prefix` is shown apart."""

    repo: Repo
    name: str
    sha: str
    prefix: str = "refs/heads/"

    @property
    def id(self) -> str:
        return f"REF_{self.repo.id}_{self.name}"


@dataclass(frozen=True)
class GitObject:
    """A blob or a tree of a repo."""

    repo: Repo
    sha: str
    kind: str


@dataclass(frozen=True)
class Commit:
    repo: Repo
    commit: CommitObject


Info: TypeAlias = GraphQLResolveInfo[Any]
Resolver = Callable[..., Any]
RESOLVERS: dict[tuple[str, str], Resolver] = {}
_R = TypeVar("_R", bound=Resolver)


def resolves(*places: str) -> Callable[[_R], _R]:
    """Register a resolver for fields, as `Repository.name`."""

    def register(resolver: _R) -> _R:
        for place in places:
            kind, _, name = place.partition(".")
            RESOLVERS[kind, name] = resolver
        return resolver

    return register


def attributes(kind: str, **fields: Callable[[Any], Any]) -> None:
    """Register fields that need nothing but their object."""
    for name, get in fields.items():
        RESOLVERS[kind, name] = _plain(get)


def _plain(get: Callable[[Any], Any]) -> Resolver:
    return lambda source, _info: get(source)


def context(info: Info) -> Context:
    found: Context = info.context
    return found


def connection(
    items: Sequence[Any],
    *,
    first: int | None = None,
    last: int | None = None,
    after: str | None = None,
    before: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    """One page of items, as every connection of GitHub's shows it.

    Raises:
        ApiError: Neither `first` nor `last`, or more than 100.
    """
    if first is None and last is None:
        raise ApiError(
            200,
            "You must provide a `first` or `last` value to properly paginate the connection.",
            kind="MISSING_PAGINATION_BOUNDARIES",
        )
    if max(first or 0, last or 0) > 100:
        raise ApiError(
            200,
            f"Requesting {first or last} records on the connection exceeds the `first` limit "
            "of 100 records.",
            kind="EXCESSIVE_PAGINATION",
        )
    start = _position(after) if after else 0
    end = _position(before) - 1 if before else len(items)
    if first is not None:
        end = min(end, start + first)
    if last is not None:
        start = max(start, end - last)
    shown = list(items[start:end])
    return {
        "nodes": shown,
        "edges": [{"node": one, "cursor": _cursor(start + n + 1)} for n, one in enumerate(shown)],
        "totalCount": len(items),
        "pageInfo": {
            "hasNextPage": end < len(items),
            "hasPreviousPage": start > 0,
            "startCursor": _cursor(start + 1) if shown else None,
            "endCursor": _cursor(end) if shown else None,
        },
    }


def _cursor(position: int) -> str:
    return f"cursor:v2:{position}"


def _position(cursor: str) -> int:
    head, _, number = cursor.rpartition(":")
    if head != "cursor:v2" or not number.isdigit():
        message = f"`{cursor}` does not appear to be a valid cursor."
        raise ApiError(200, message, kind="INVALID_CURSOR_ARGUMENTS")
    return int(number)
