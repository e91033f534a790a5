"""Branches and pull requests as GitHub's GraphQL tells of them, read with suspicion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from digestbot.forge.github.reading import dig, text
from digestbot.forge.github.strict import (
    UnexpectedError,
    need_commit,
    need_flag,
    need_list,
    need_number,
    need_object,
    need_text,
)
from digestbot.forge.pull import Checks, Gate, Mergeable, Pull, PullState
from digestbot.forge.repo import Branch

_T = TypeVar("_T")
PAGE = 50
ENDED = 20
ELSEWHERE = 20
PATHS = 100
COMMENTS = 100
# GitHub itself ends them at 256 and 65,536 characters.
_LONGEST_TITLE = 1000
_LONGEST_TEXT = 100_000
_LONGEST_PATH = 4096
# With checks that fail or run but are not required, GitHub has nothing to wait for either.
GATES = {
    "CLEAN": Gate.OPEN,
    "HAS_HOOKS": Gate.OPEN,
    "UNSTABLE": Gate.OPEN,
    "BLOCKED": Gate.SHUT,
}
MERGEABLE = {
    "MERGEABLE": Mergeable.YES,
    "CONFLICTING": Mergeable.CONFLICT,
    "UNKNOWN": Mergeable.UNKNOWN,
}
_CHECKS = {
    "SUCCESS": Checks.PASSING,
    "PENDING": Checks.PENDING,
    "EXPECTED": Checks.PENDING,
    "FAILURE": Checks.FAILING,
    "ERROR": Checks.FAILING,
}


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the open pull requests; `after` leads to the next page, empty on the last."""

    pulls: tuple[Pull, ...]
    after: str = ""


@dataclass(frozen=True, slots=True)
class BranchAnswer:
    """What is told of one branch that was asked for; `branch` None: it does not exist.

    `opened` are its open pull requests, with all details where they go to the base; `ended`
    those that are over. `older` leads to more of these where forks took the room of some.
    """

    name: str
    branch: Branch | None
    opened: tuple[Pull, ...] = ()
    ended: tuple[Pull, ...] = ()
    older: str = ""


def read_page(found: object) -> Page:
    """One page of open pull requests.

    Raises:
        ValueError: It is none.
    """
    pulls = tuple(_read_open(node) for node in need_list(found, "nodes", limit=PAGE))
    if not need_flag(found, "pageInfo", "hasNextPage"):
        return Page(pulls)
    return Page(pulls, need_text(found, "pageInfo", "endCursor"))


def read_branch(name: str, ref: object, ended: object, *, sees_checks: bool) -> BranchAnswer:
    """What is told of the branch `name`.

    Args:
        name: As it was asked for.
        ref: The branch; None where it does not exist.
        ended: The pull requests that came from branches of this name, here or in forks.
        sees_checks: Whether no check at all means that there are none.

    Raises:
        ValueError: It is not what was asked for.
    """
    ours, older = read_ended(name, ended, ENDED)
    if ref is None:
        return BranchAnswer(name, None, ended=ours, older=older)
    nodes = need_list(ref, "associatedPullRequests", "nodes", limit=ELSEWHERE)
    opened = [_read_detailed(node, sees_checks=sees_checks) for node in nodes]
    known = {pull.number for pull in opened}
    elsewhere = map(_read_open, need_list(ref, "elsewhere", "nodes", limit=ELSEWHERE))
    opened += (pull for pull in elsewhere if pull.number not in known)
    branch = _read_commit(name, dig(ref, "target"))
    return BranchAnswer(name, branch, tuple(opened), ours, older)


def read_ended(name: str, found: object, limit: int) -> tuple[tuple[Pull, ...], str]:
    """Ended pull requests of the branch `name` itself, and what leads to more.

    Raises:
        ValueError: It is not what was asked for.
    """
    over = tuple(_read_pull(node) for node in need_list(found, "nodes", limit=limit))
    ours = tuple(pull for pull in over if pull.is_from_here and pull.branch == name)
    if ours == over or not need_flag(found, "pageInfo", "hasNextPage"):
        return ours, ""
    return ours, need_text(found, "pageInfo", "endCursor")


def _read_commit(name: str, target: object) -> Branch:
    parents = need_list(target, "parents", "nodes", limit=2)
    return Branch(
        name=name,
        head=need_commit(target, "oid"),
        tree=need_object(target, "tree", "oid"),
        parents=tuple(need_commit(parent, "oid") for parent in parents),
        message=need_text(target, "message", limit=_LONGEST_TEXT),
    )


def _read_pull(node: object) -> Pull:
    return Pull(
        number=need_number(node, "number"),
        url=need_text(node, "url"),
        branch=need_text(node, "headRefName"),
        head=need_commit(node, "headRefOid"),
        base=need_text(node, "baseRefName"),
        state=PullState(need_text(node, "state").lower()),
        title=need_text(node, "title", limit=_LONGEST_TITLE),
        body=need_text(node, "body", limit=_LONGEST_TEXT),
        # A deleted account is no author any more.
        author=text(node, "author", "login")[:_LONGEST_TITLE],
        is_from_here=not need_flag(node, "isCrossRepository"),
        is_own=need_flag(node, "viewerDidAuthor"),
        is_draft=need_flag(node, "isDraft"),
    )


def _read_open(node: object) -> Pull:
    # GitHub knows no files where the fork is gone.
    files = need_list(node, "files", "nodes", limit=PATHS) if dig(node, "files") else []
    return replace(
        _read_pull(node),
        mergeable=known(MERGEABLE, need_text(node, "mergeable")),
        paths=tuple(need_text(file, "path", limit=_LONGEST_PATH) for file in files),
    )


def _read_detailed(node: object, *, sees_checks: bool) -> Pull:
    pull = _read_open(node)
    events = need_list(node, "timelineItems", "nodes", limit=100)
    kinds = {text(event, "__typename") for event in events}
    comments = need_list(node, "comments", "nodes", limit=COMMENTS)
    return replace(
        pull,
        gate=GATES.get(text(node, "mergeStateStatus"), Gate.UNKNOWN),
        checks=_read_checks(node, pull, sees_checks=sees_checks),
        comments=tuple(
            need_text(comment, "body", limit=_LONGEST_TEXT)
            for comment in comments
            if need_flag(comment, "viewerDidAuthor")
        ),
        was_labeled="LabeledEvent" in kinds,
        was_assigned="AssignedEvent" in kinds,
        was_review_requested="ReviewRequestedEvent" in kinds,
        was_auto_merged=any(kind.startswith("Auto") for kind in kinds),
    )


def _read_checks(node: object, pull: Pull, *, sees_checks: bool) -> Checks:
    """What CI says of the head; as long as that cannot be known, it is not done yet."""
    commits = need_list(node, "commits", "nodes", limit=1)
    if not commits or need_commit(commits[0], "commit", "oid") != pull.head:
        return Checks.PENDING
    rollup = dig(commits[0], "commit", "statusCheckRollup")
    if rollup is None:
        return Checks.NONE if sees_checks else Checks.PENDING
    if not need_number(rollup, "contexts", "totalCount"):
        return Checks.NONE
    return known(_CHECKS, need_text(rollup, "state"))


def known(meanings: Mapping[str, _T], word: str) -> _T:
    """What a word means.

    Raises:
        UnexpectedError: GitHub's API does not promise it.
    """
    if word not in meanings:
        raise UnexpectedError(f"an unknown word: {word[:80]!r}")
    return meanings[word]
