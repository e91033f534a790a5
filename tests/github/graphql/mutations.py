"""Writes by GraphQL. Each root field of a document is a write of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.github.errors import ApiError
from tests.github.graphql.context import Context, Info, Ref, context, resolves
from tests.github.graphql.queries import find_node
from tests.github.pulls import refuse_push
from tests.github.state import Label, Pull, Repo

ABSENT = "0" * 40
_Write = Callable[[Context, Info, dict[str, Any]], dict[str, Any]]


def _mutates(name: str) -> Callable[[_Write], _Write]:
    """Register a mutation: counted as a write, its `clientMutationId` sent back."""

    def register(write: _Write) -> _Write:
        @resolves(f"Mutation.{name}")
        def resolve(
            _root: Any,
            info: Info,
            input: dict[str, Any],  # noqa: A002 - as GitHub calls it
        ) -> dict[str, Any]:
            here = context(info)
            done = here.server.count_write(name)
            payload = write(here, info, input)
            done()
            return {"clientMutationId": input.get("clientMutationId"), **payload}

        return write

    return register


def _pull(here: Context, info: Info, name: str) -> Pull:
    found = find_node(info, name)
    if not isinstance(found, Pull):
        message = f"Could not resolve to PullRequest node with the global id of '{name}'."
        raise ApiError(200, message, kind="NOT_FOUND")
    here.allow(found.repo, "pull_requests", "write")
    return found


def _repo(here: Context, info: Info, name: str) -> Repo:
    found = find_node(info, name)
    if not isinstance(found, Repo):
        message = f"Could not resolve to Repository node with the global id of '{name}'."
        raise ApiError(200, message, kind="NOT_FOUND")
    here.allow(found, "contents", "write")
    return found


@_mutates("updateRefs")
def update_refs(here: Context, info: Info, told: dict[str, Any]) -> dict[str, Any]:
    """All or none of the refs; `beforeOid` is what one must be now."""
    repo = _repo(here, info, told["repositoryId"])
    for one in told["refUpdates"]:
        _check_update(repo, one)
    for one in told["refUpdates"]:
        new = None if one["afterOid"] == ABSENT else one["afterOid"]
        try:
            repo.git.set_ref(one["name"], new)
        except OSError:
            raise ApiError(200, f"Reference update failed for {one['name']}") from None
    here.life.settle(repo, here.actor)
    return {}


def _check_update(repo: Repo, told: dict[str, Any]) -> None:
    name, new, expected = told["name"], told["afterOid"], told.get("beforeOid")
    now = repo.git.ref(name)
    if expected is not None and expected != (now or ABSENT):
        raise ApiError(
            200, f"Reference {name} was expected to be at {expected}, but is at {now or ABSENT}"
        )
    refuse_push(repo, name, None if new == ABSENT else new)
    if new == ABSENT:
        return
    if not repo.git.objects.commit(new):
        raise ApiError(200, f"No object exists for {new}")
    if now and not told.get("force") and not repo.git.is_ancestor(now, new):
        raise ApiError(200, f"Update of {name} is not a fast forward")


@_mutates("createRef")
def create_ref(here: Context, info: Info, told: dict[str, Any]) -> dict[str, Any]:
    repo = _repo(here, info, told["repositoryId"])
    name, sha = told["name"], told["oid"]
    if repo.git.ref(name):
        message = f'A ref named "{name}" already exists in the repository.'
        raise ApiError(200, message)
    _check_update(repo, {"name": name, "afterOid": sha})
    repo.git.set_ref(name, sha)
    here.life.settle(repo, here.actor)
    return {"ref": Ref(repo, name, sha)}


@_mutates("enablePullRequestAutoMerge")
def enable_auto_merge(here: Context, info: Info, told: dict[str, Any]) -> dict[str, Any]:
    pull = _pull(here, info, told["pullRequestId"])
    here.allow(pull.repo, "contents", "write")
    method = told.get("mergeMethod") or "MERGE"
    here.life.enable_auto_merge(pull, here.actor, method, told.get("expectedHeadOid"))
    if pull.auto_merge is not None:
        pull.auto_merge.headline = told.get("commitHeadline")
        pull.auto_merge.body = told.get("commitBody")
    return {"actor": here.actor, "pullRequest": pull}


@_mutates("disablePullRequestAutoMerge")
def disable_auto_merge(here: Context, info: Info, told: dict[str, Any]) -> dict[str, Any]:
    pull = _pull(here, info, told["pullRequestId"])
    here.life.disable_auto_merge(pull, here.actor)
    return {"actor": here.actor, "pullRequest": pull}


@_mutates("dequeuePullRequest")
def dequeue(here: Context, info: Info, told: dict[str, Any]) -> dict[str, Any]:
    pull = _pull(here, info, told["id"])
    pull.is_queued = False
    return {"mergeQueueEntry": None}


@_mutates("addLabelsToLabelable")
def add_labels(here: Context, info: Info, told: dict[str, Any]) -> dict[str, Any]:
    pull = _pull(here, info, told["labelableId"])
    found = [find_node(info, one) for one in told["labelIds"]]
    names = [one.name for one in found if isinstance(one, Label)]
    here.life.add_labels(pull, names, here.actor)
    return {"labelable": pull}


@_mutates("closePullRequest")
def close_pull(here: Context, info: Info, told: dict[str, Any]) -> dict[str, Any]:
    pull = _pull(here, info, told["pullRequestId"])
    if pull.is_open:
        here.life.close(pull, here.actor)
    return {"pullRequest": pull}
