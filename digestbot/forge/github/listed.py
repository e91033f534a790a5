"""A repo as GitHub's GraphQL lists it, read with suspicion."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from digestbot.forge.github.reading import dig, items, text
from digestbot.forge.repo import LeftOut, Repo
from digestbot.forge.sha import CommitSha, ObjectSha

# These names become parts of URLs.
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}/(?!\.{1,2}$)[A-Za-z0-9_.-]{1,100}", re.ASCII)
_LONGEST_BRANCH = 255
_LONGEST_SHOWN = 100
_MAY_PUSH = ("ADMIN", "MAINTAIN", "WRITE")
_HEADS = "refs/heads/"


@dataclass(frozen=True, slots=True)
class Listed:
    """A repo, and what decides whether it is left out."""

    repo: Repo
    may_push: bool = True
    is_archived: bool = False
    is_disabled: bool = False
    is_fork: bool = False
    is_locked: bool = False
    has_more_branches: bool = False


def read_listed(node: object, prefix: str) -> Listed | LeftOut:
    """The repo that a node of GitHub's answer describes; left out where it cannot be read."""
    name = text(node, "nameWithOwner")
    if not _NAME.fullmatch(name):
        return LeftOut(_shown(name), "unreadable", "GitHub does not describe it, or not to us")
    branch = text(node, "defaultBranchRef", "name")
    try:
        head, tree = _head(dig(node, "defaultBranchRef", "target"))
    except ValueError:
        return LeftOut(name, "unreadable", "its default branch leads to no commit")
    repo = Repo(
        name=name,
        default_branch=branch,
        head=head if branch else None,
        tree=tree if branch else None,
        allows_auto_merge=dig(node, "autoMergeAllowed") is True,
        deletes_branches=dig(node, "deleteBranchOnMerge") is True,
        url=text(node, "url"),
        topics=tuple(sorted(set(_topics(node)))),
    )
    return Listed(
        repo=read_branches(repo, dig(node, "refs"), prefix),
        # GitHub tells Apps nothing here, so that nothing said is no refusal.
        may_push=text(node, "viewerPermission") in {"", *_MAY_PUSH},
        is_archived=dig(node, "isArchived") is True,
        is_disabled=dig(node, "isDisabled") is True,
        is_fork=dig(node, "isFork") is True,
        is_locked=dig(node, "isLocked") is True,
        has_more_branches=dig(node, "refs", "pageInfo", "hasNextPage") is True,
    )


def read_branches(repo: Repo, refs: object, prefix: str) -> Repo:
    """The repo with those of its branches that have our prefix, and their pull requests."""
    ours = {name: ref for ref in items(dig(refs, "nodes")) if (name := _branch(ref, prefix))}
    pulls = [
        pull
        for ref in ours.values()
        for pull in items(dig(ref, "associatedPullRequests", "nodes"))
        # Whoever opens one from a branch of ours shall not use up our limits.
        if dig(pull, "viewerDidAuthor") is True
    ]
    opened = tuple(time for pull in pulls if (time := _time(text(pull, "createdAt"))))
    return replace(
        repo,
        ours=tuple(sorted(ours)),
        open_pulls=len(pulls),
        opened=opened,
        pulse=_pulse(ours),
    )


def _pulse(ours: Mapping[str, object]) -> str:
    """Another text whenever a branch is pushed to or its pull request changes.

    GitHub counts a comment, an edit, a label and a review as a change of the pull request, and
    the end of a check as none.
    """
    told = [(name, dig(ref, "target", "oid"), _changes(ref)) for name, ref in sorted(ours.items())]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _changes(ref: object) -> list[tuple[object, object]]:
    pulls = items(dig(ref, "associatedPullRequests", "nodes"))
    return [(dig(pull, "number"), dig(pull, "updatedAt")) for pull in pulls]


def _head(target: object) -> tuple[CommitSha | None, ObjectSha | None]:
    """The commit and its tree.

    Raises:
        ValueError: It is something else.
    """
    if target is None:
        return None, None
    return CommitSha.parse(text(target, "oid")), ObjectSha.parse(text(target, "tree", "oid"))


def _branch(ref: object, prefix: str) -> str:
    """The name of one of our branches; empty for others.

    Whether `name` begins after `refs/heads/` or after the prefix that was asked for is not
    documented; `prefix` says it.
    """
    name = (text(ref, "prefix") + text(ref, "name")).removeprefix(_HEADS)
    is_ours = name.startswith(prefix) and name.isprintable() and len(name) <= _LONGEST_BRANCH
    return name if is_ours else ""


def _topics(node: object) -> Iterator[str]:
    for one in items(dig(node, "repositoryTopics", "nodes")):
        yield text(one, "topic", "name")


def _time(written: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(written)
    except ValueError:
        return None
    return time if time.tzinfo else None


def _shown(name: str) -> str:
    shown = "".join(char if char.isprintable() else "�" for char in name[:_LONGEST_SHOWN])
    return shown or "(a repo without a name)"
