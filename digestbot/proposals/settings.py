"""What a user wants of proposals, in one repo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Rebase(StrEnum):
    """When a branch is built anew on the base."""

    CONFLICT = "conflict"
    BEHIND = "behind"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class CommitSettings:
    """How commits and titles read.

    Attributes:
        title: Template of the pull request's title and the commit's subject; empty is the
            built-in one. It knows `{image}`, `{tag}`, `{old}`, `{new}`, `{count}`.
        prefix: What stands before it, for conventional commits: `chore(deps)`; empty is none.
        signoff: `Name <mail>` for a Signed-off-by trailer; empty is none.
    """

    title: str = ""
    prefix: str = ""
    signoff: str = ""


@dataclass(frozen=True, slots=True)
class ProposalSettings:
    """What proposals look like, and how far digestbot may go.

    Attributes:
        enabled: Whether anything is proposed at all.
        group: `repo` is one proposal per repo, `image` one per image.
        groups: Named groups by globs on the image's name; what matches none follows `group`.
        prefix: The beginning of every branch name.
        open_limit: How many proposals may be open in one repo.
        reason: Why something is proposed, a clause in Markdown; empty where the tags moved.
    """

    enabled: bool = True
    group: str = "repo"
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    labels: tuple[str, ...] = ("digestbot",)
    reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    draft: bool = False
    automerge: bool = False
    automerge_without_checks: bool = False
    rebase: Rebase = Rebase.CONFLICT
    commit: CommitSettings = field(default_factory=CommitSettings)
    prefix: str = "digestbot/"
    open_limit: int = 10
    reason: str = ""
