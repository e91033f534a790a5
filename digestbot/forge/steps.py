"""The steps that change a forge: a plan is a tuple of these, performed one by one.

Each is one write as a person would see it. Performing a step twice does no harm, or fails
with `UnsettledError`.
"""

from __future__ import annotations

from dataclasses import dataclass

from digestbot.forge.repo import Mode
from digestbot.forge.sha import CommitSha


@dataclass(frozen=True, slots=True)
class FileChange:
    """The new bytes of one file, which keeps its mode."""

    path: str
    mode: Mode
    content: bytes


@dataclass(frozen=True, slots=True)
class PushBranch:
    """Make the branch one commit on top of `base`.

    `expected` is what the branch has now (None: it does not exist); if it has something else
    by then, nothing happens. The seal (see `forge.seal`) is put under `message`.
    """

    branch: str
    base: CommitSha
    expected: CommitSha | None
    files: tuple[FileChange, ...]
    message: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class DeleteBranch:
    """Delete the branch, if it still has this commit."""

    branch: str
    expected: CommitSha


@dataclass(frozen=True, slots=True)
class OpenPull:
    """Open a pull request from `branch` to `base`."""

    branch: str
    base: str
    title: str
    body: str
    is_draft: bool = False


@dataclass(frozen=True, slots=True)
class EditPull:
    """Give a pull request another title and body."""

    number: int
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class ClosePull:
    """Close a pull request, and give it this body in the same write."""

    number: int
    body: str


@dataclass(frozen=True, slots=True)
class Comment:
    """Say something on a pull request."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class AddLabels:
    """Add labels to a pull request; those the repo lacks are created by the forge."""

    number: int
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestReviews:
    """Ask people (`ann`) and teams (`acme/platform`) for a review."""

    number: int
    reviewers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assign:
    """Assign people to a pull request."""

    number: int
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EnableAutoMerge:
    """Let the forge merge once its own rules are met, if the head is still this commit.

    Where they are met already the forge refuses; with `may_merge`, merging is the next step.
    """

    number: int
    head: CommitSha
    may_merge: bool = False


@dataclass(frozen=True, slots=True)
class DisableAutoMerge:
    """Let nothing be merged by the forge itself any more; where nothing would be, all is well."""

    number: int


@dataclass(frozen=True, slots=True)
class Merge:
    """Merge now, if the head is still this commit."""

    number: int
    head: CommitSha


Step = (
    PushBranch
    | DeleteBranch
    | OpenPull
    | EditPull
    | ClosePull
    | Comment
    | AddLabels
    | RequestReviews
    | Assign
    | EnableAutoMerge
    | DisableAutoMerge
    | Merge
)
