"""The records of pull requests, and of all that a proposal has to know about a repo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from digestbot.forge.repo import Branch
from digestbot.forge.sha import CommitSha


class PullState(StrEnum):
    """Where a pull request is in its life."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


class Mergeable(StrEnum):
    """Whether it merges without conflict; forges find out late."""

    YES = "yes"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"


class Gate(StrEnum):
    """Whether the repo's own rules let it be merged now: checks, reviews, whatever they are."""

    OPEN = "open"
    SHUT = "shut"
    UNKNOWN = "unknown"


class Checks(StrEnum):
    """What CI says of the head commit; without any check there is nothing green."""

    NONE = "none"
    PENDING = "pending"
    FAILING = "failing"
    PASSING = "passing"


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request.

    Attributes:
        branch: The head branch, without owner.
        is_from_here: Whether that branch is in this repo, not in a fork.
        is_own: Whether digestbot's own account opened it; a forge without accounts says yes.
        paths: The files an open one touches; the first 100.
        comments: The texts of its last 100 comments by digestbot's own account.
        was_labeled: Whether a label was ever added; so of `was_assigned`,
            `was_review_requested`, `was_auto_merged` (a person may have undone it on purpose).
    """

    number: int
    url: str
    branch: str
    head: CommitSha
    base: str
    state: PullState
    title: str = ""
    body: str = ""
    author: str = ""
    is_from_here: bool = True
    is_own: bool = True
    is_draft: bool = False
    mergeable: Mergeable = Mergeable.UNKNOWN
    gate: Gate = Gate.UNKNOWN
    checks: Checks = Checks.NONE
    paths: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    was_labeled: bool = False
    was_assigned: bool = False
    was_review_requested: bool = False
    was_auto_merged: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """What the forge has now of one repo.

    Attributes:
        branches: Those that were asked for and exist, by name.
        pulls: Every open pull request, of anyone, and the ended ones that came from the
            branches that were asked for, newest first; None where the forge knows no pull
            requests.
    """

    branches: Mapping[str, Branch] = field(default_factory=dict)
    pulls: tuple[Pull, ...] | None = None
