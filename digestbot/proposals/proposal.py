"""A proposal: the updates that travel in one branch and one pull request of one repo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from digestbot.forge.steps import FileChange
from digestbot.proposals.update import Update


@dataclass(frozen=True, slots=True)
class Proposal:
    """What should be proposed.

    Attributes:
        branch: Where it travels; the same for the same group of the same repo, always.
        updates: In order of their keys, at least one.
        files: What the edits make of the files of the repo's head.
        fingerprint: 16 hex digits over every (path, image:tag, new digest); it stays the same
            while lines move and other things change.
    """

    branch: str
    updates: tuple[Update, ...]
    files: tuple[FileChange, ...]
    fingerprint: str


class Writer(Protocol):
    """Someone who finds the words for a proposal, in one repo."""

    def title(self, proposal: Proposal) -> str:
        """The title of its pull request, one line."""

    def message(self, proposal: Proposal) -> str:
        """The message of its commit, without the seal."""

    def body(self, proposal: Proposal) -> str:
        """The body of its pull request, with the marker; may ask registries for evidence."""
