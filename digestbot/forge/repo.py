"""The records of what a forge holds: repos, their branches, the files in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from digestbot.forge.sha import CommitSha, ObjectSha


class Mode(StrEnum):
    """What an entry of a git tree is, as git writes it."""

    FILE = "100644"
    EXECUTABLE = "100755"
    SYMLINK = "120000"
    SUBMODULE = "160000"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in a commit; `size` in bytes, None where the forge does not tell."""

    path: str
    mode: Mode
    sha: ObjectSha
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch and the commit it leads to.

    `tree`, `parents` and `message` are the commit's.
    """

    name: str
    head: CommitSha
    tree: ObjectSha
    parents: tuple[CommitSha, ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class Repo:
    """A git repository as its forge lists it.

    Attributes:
        name: What reports and people call it: `acme/app`, a path, a URL.
        default_branch: The branch that proposals go to.
        head: Its commit; None where nothing was ever committed.
        tree: The tree of that commit.
        ours: The branches that have digestbot's prefix, by name.
        open_pulls: How many open pull requests of our own come from those.
        opened: When each of these was opened, as far as the forge tells.
        pulse: Changes whenever something happens to our branches or their open pull requests;
            empty where the forge does not tell.
        allows_auto_merge: Whether the forge merges by itself once all is green.
        deletes_branches: Whether the forge deletes a branch once it is merged.
        url: Its page; empty without one.
        topics: What its forge lists it under, sorted; nothing where it was not asked for them.
    """

    name: str
    default_branch: str
    head: CommitSha | None
    tree: ObjectSha | None
    ours: tuple[str, ...] = ()
    open_pulls: int = 0
    opened: tuple[datetime, ...] = ()
    pulse: str = ""
    allows_auto_merge: bool = False
    deletes_branches: bool = False
    url: str = ""
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A repo that is not touched: a stable slug (`archived`, `fork`, …) and a sentence."""

    name: str
    reason: str
    message: str
