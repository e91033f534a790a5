"""Pull requests are merged: by GitHub once its rules are met, or now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from digestbot.forge.errors import RefusedError, UnsettledError
from digestbot.forge.github.contents import repo_path
from digestbot.forge.github.failures import malformed
from digestbot.forge.github.reading import dig
from digestbot.forge.github.session import Session
from digestbot.forge.github.strict import need_commit, need_flag, need_text
from digestbot.forge.repo import Repo
from digestbot.forge.sha import CommitSha
from digestbot.forge.steps import DisableAutoMerge, EnableAutoMerge, Merge

MERGE_TARGET = """
query MergeTarget($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    autoMergeAllowed mergeCommitAllowed squashMergeAllowed rebaseMergeAllowed
    pullRequest(number: $number) { id state headRefOid autoMergeRequest { enabledAt } }
  }
}
"""
ENABLE_AUTO_MERGE = """
mutation EnableAutoMerge($input: EnablePullRequestAutoMergeInput!) {
  enablePullRequestAutoMerge(input: $input) { clientMutationId }
}
"""
DISABLE_AUTO_MERGE = """
mutation DisableAutoMerge($input: DisablePullRequestAutoMergeInput!) {
  disablePullRequestAutoMerge(input: $input) { clientMutationId }
}
"""
# Asked apart: a GitHub Enterprise of old has no queues, and refuses to be asked.
IN_QUEUE = """
query InQueue($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) { isInMergeQueue } }
}
"""
DEQUEUE = """
mutation Dequeue($input: DequeuePullRequestInput!) {
  dequeuePullRequest(input: $input) { clientMutationId }
}
"""
# How GitHub says that it has nothing to wait for.
_NOTHING_TO_WAIT_FOR = ("clean status", "unstable status", "rules not configured")
_OFF = "not allowed"
_OFF_HINT = "switch on `Allow auto-merge` in the repo's settings, and protect its branch"
_BLOCKED_HINT = "a check, a review or another rule of the repo holds it back"
_BY_RULES = frozenset({"refused", "protected"})


@dataclass(frozen=True, slots=True)
class _Target:
    """A pull request about to be merged; `method` is the first that the repo allows."""

    node: str
    state: str
    head: CommitSha
    method: str
    allows_auto_merge: bool
    is_waiting: bool


def enable_auto_merge(session: Session, repo: Repo, step: EnableAutoMerge) -> None:
    """Let GitHub merge by itself.

    Raises:
        UnsettledError: The head is another one now, or nobody knows.
        RefusedError: `auto-merge-off` or `clean-status`: merge it yourself; or another reason.
    """
    target = _read_target(session, repo, step.number)
    if target.is_waiting or target.state == "MERGED":
        return
    _expect(target, step)
    if not target.allows_auto_merge:
        message = f"auto-merge is not allowed in {repo.name}"
        raise RefusedError(message, code="auto-merge-off", hint=_OFF_HINT)
    sent = {
        "pullRequestId": target.node,
        "expectedHeadOid": str(step.head),
        "mergeMethod": target.method,
    }
    try:
        session.graphql(ENABLE_AUTO_MERGE, {"input": sent}, is_write=True)
    except RefusedError as error:
        raise _without_auto_merge(error) from None


def disable_auto_merge(session: Session, repo: Repo, step: DisableAutoMerge) -> None:
    """Let GitHub merge nothing by itself any more, nor its queue, where it stands in one.

    Raises:
        UnsettledError: Nobody knows whether it still would.
        RefusedError: GitHub forbids it.
    """
    target = _read_target(session, repo, step.number)
    if target.is_waiting:
        _take_back(session, repo, step.number, target)
    if target.state == "OPEN" and _is_queued(session, repo, step.number):
        session.graphql(DEQUEUE, {"input": {"id": target.node}}, is_write=True)


def _take_back(session: Session, repo: Repo, number: int, target: _Target) -> None:
    sent = {"pullRequestId": target.node}
    try:
        session.graphql(DISABLE_AUTO_MERGE, {"input": sent}, is_write=True)
    except RefusedError:
        # Somebody else may have been faster, or GitHub itself, with merging.
        if _read_target(session, repo, number).is_waiting:
            raise


def merge(session: Session, repo: Repo, step: Merge) -> None:
    """Merge now.

    Raises:
        UnsettledError: The head is another one now, or nobody knows.
        RefusedError: `not-mergeable`: a rule of the repo holds it back; or another reason.
    """
    target = _read_target(session, repo, step.number)
    if target.state == "MERGED":
        return
    _expect(target, step)
    body = {"sha": str(step.head), "merge_method": target.method.lower()}
    try:
        session.rest("PUT", f"{repo_path(repo)}/pulls/{step.number}/merge", body)
    except RefusedError as error:
        if error.code not in _BY_RULES:
            raise
        raise RefusedError(str(error), code="not-mergeable", hint=_BLOCKED_HINT) from None


def _is_queued(session: Session, repo: Repo, number: int) -> bool:
    owner, _, name = repo.name.partition("/")
    try:
        found = session.graphql(IN_QUEUE, {"owner": owner, "name": name, "number": number})
    except RefusedError:
        return False
    return dig(found, "repository", "pullRequest", "isInMergeQueue") is True


def _read_target(session: Session, repo: Repo, number: int) -> _Target:
    owner, _, name = repo.name.partition("/")
    variables = {"owner": owner, "name": name, "number": number}
    found = dig(session.graphql(MERGE_TARGET, variables), "repository")
    pull = dig(found, "pullRequest")
    try:
        return _Target(
            node=need_text(pull, "id"),
            state=need_text(pull, "state"),
            head=need_commit(pull, "headRefOid"),
            method=next(_methods(found), "MERGE"),
            allows_auto_merge=need_flag(found, "autoMergeAllowed"),
            is_waiting=dig(pull, "autoMergeRequest") is not None,
        )
    except ValueError:
        raise malformed(f"pull request {number} of {repo.name}", is_write=False) from None


def _methods(found: object) -> Iterator[str]:
    for method in ("MERGE", "SQUASH", "REBASE"):
        key = "mergeCommitAllowed" if method == "MERGE" else f"{method.lower()}MergeAllowed"
        if need_flag(found, key):
            yield method


def _expect(target: _Target, step: EnableAutoMerge | Merge) -> None:
    if target.state != "OPEN" or target.head != step.head:
        message = f"pull request {step.number} is no longer open with {step.head}"
        raise UnsettledError(message, code="moved-meanwhile")


def _without_auto_merge(error: RefusedError) -> RefusedError:
    said = str(error).lower()
    if any(text in said for text in _NOTHING_TO_WAIT_FOR):
        return RefusedError(str(error), code="clean-status", hint="merge it: nothing holds it back")
    if _OFF in said:
        return RefusedError(str(error), code="auto-merge-off", hint=_OFF_HINT)
    return error
