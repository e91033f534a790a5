"""The roots of queries, and accounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.github.clock import stamp
from tests.github.errors import ApiError
from tests.github.graphql.context import Info, Ref, attributes, connection, context, resolves
from tests.github.state import Account, Repo, node_id


def _unresolved(kind: str, what: str, value: str) -> ApiError:
    return ApiError(
        200, f"Could not resolve to {kind} with the {what} '{value}'.", kind="NOT_FOUND"
    )


@resolves("Query.repository")
def repository(_root: Any, info: Info, owner: str, name: str, **asked: bool) -> Repo:
    here = context(info)
    full_name = f"{owner}/{name}"
    repo = here.world.repo(full_name)
    if repo is None and asked.get("followRenames", True):
        repo = here.world.moved(full_name)
    if repo is None or not here.token.sees(repo):
        raise _unresolved("a Repository", "name", full_name)
    return repo


@resolves("Query.repositoryOwner")
def repository_owner(_root: Any, info: Info, login: str) -> Account | None:
    return context(info).world.accounts.get(login.lower())


@resolves("Query.organization")
def organization(_root: Any, info: Info, login: str) -> Account:
    return _account(info, login, "Organization", "an Organization")


@resolves("Query.user")
def user(_root: Any, info: Info, login: str) -> Account:
    return _account(info, login, "User", "a User")


def _account(info: Info, login: str, kind: str, called: str) -> Account:
    found = context(info).world.accounts.get(login.lower())
    if found is None or found.kind != kind:
        raise _unresolved(called, "login of", login)
    return found


@resolves("Query.viewer")
def viewer(_root: Any, info: Info) -> Any:
    # An App is a Bot, which GitHub shows here as if it were a user.
    return context(info).actor


@resolves("Query.rateLimit")
def rate_limit(_root: Any, info: Info, **_: bool) -> dict[str, Any]:
    here = context(info)
    now = here.server.clock.now()
    state = here.server.limits.state(here.token.key, now, is_graphql=True)
    return {
        "cost": here.cost.points,
        "limit": state["limit"],
        "remaining": state["remaining"],
        "used": state["used"],
        "resetAt": stamp(state["reset"]),
        "nodeCount": here.cost.nodes,
    }


@resolves("Query.node")
def node(_root: Any, info: Info, id: str) -> Any:  # noqa: A002 - as GitHub calls it
    return find_node(info, id)


@resolves("Query.nodes")
def nodes(_root: Any, info: Info, ids: list[str]) -> list[Any]:
    if len(ids) > 100:
        raise ApiError(200, "You may not provide more than 100 node ids", kind="ARGUMENT_LIMIT")
    return [_or_error(info, one) for one in ids]


def _or_error(info: Info, name: str) -> Any:
    # graphql-core puts an error that is returned into its place of the list.
    try:
        return find_node(info, name)
    except ApiError as error:
        return error


def find_node(info: Info, name: str) -> Any:
    """What has this node id.

    Raises:
        ApiError: Nothing that the token sees.
    """
    here = context(info)
    found = here.world.nodes.get(name) or _ref(info, name)
    repo = getattr(found, "repo", found)
    if found is None or (isinstance(repo, Repo) and not here.token.sees(repo)):
        message = f"Could not resolve to a node with the global id of '{name}'"
        raise ApiError(200, message, kind="NOT_FOUND")
    return found


def _ref(info: Info, name: str) -> Ref | None:
    kind, _, rest = name.partition("_")
    number, _, full = rest.partition("_")
    if kind != "REF":
        return None
    for repo in context(info).world.repos.values():
        if str(repo.id) == number and (sha := repo.git.ref(full)):
            return Ref(repo, full, sha)
    return None


@resolves("Organization.repositories", "User.repositories")
def repositories(source: Account, info: Info, **asked: Any) -> dict[str, Any]:
    here = context(info)
    known = [one for one in here.world.repos_of(source) if here.token.sees(one)]
    filters: dict[str, Callable[[Repo], object]] = {
        "isArchived": lambda one: one.archived,
        "isFork": lambda one: one.fork_of is not None,
        "isLocked": lambda one: one.locked,
        "privacy": lambda one: "PRIVATE" if one.private else "PUBLIC",
        "visibility": lambda one: "PRIVATE" if one.private else "PUBLIC",
    }
    for name, get in filters.items():
        if asked.get(name) is not None:
            known = [one for one in known if get(one) == asked[name]]
    order = asked.get("orderBy")
    if order:
        by_name = order["field"] == "NAME"
        known.sort(
            key=lambda one: (one.name if by_name else "", one.created_at, one.id),
            reverse=order["direction"] == "DESC",
        )
    return connection(known, **asked)


def _login(account: Account) -> str:
    return account.login


def _bot_login(account: Account) -> str:
    return account.login.removesuffix("[bot]")


# As an actor a bot goes without the `[bot]` of its name; as the viewer, a user, it has it.
for _kind in ("Organization", "User", "Bot"):
    attributes(
        _kind,
        id=node_id,
        login=_bot_login if _kind == "Bot" else _login,
        databaseId=lambda one: one.id,
        name=lambda one: one.login,
    )


@resolves("Organization.url", "User.url", "Bot.url")
def url(source: Account, info: Info) -> str:
    return f"{context(info).server.url}/{source.login}"
