"""A forge that does not tell that merging was ordered before.

Whoever ordered it and does not find the order takes it to be undone by a person. After it was
withdrawn here, that is not so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from digestbot.forge.interface import Forge
from digestbot.forge.pull import Survey
from digestbot.forge.repo import Entry, LeftOut, Repo
from digestbot.forge.sha import CommitSha, ObjectSha
from digestbot.forge.steps import Step


@dataclass(frozen=True, slots=True)
class Unordered:
    """Another forge, but for what it tells of orders to merge; whoever opened it closes it."""

    forge: Forge

    def repos(self) -> Iterator[Repo | LeftOut]:
        """See `Listing.repos`."""
        return self.forge.repos()

    def entries(self, repo: Repo) -> Sequence[Entry]:
        """See `Contents.entries`."""
        return self.forge.entries(repo)

    def blobs(self, repo: Repo, shas: Iterable[ObjectSha]) -> Mapping[ObjectSha, bytes]:
        """See `Contents.blobs`."""
        return self.forge.blobs(repo, shas)

    def blobs_at(self, repo: Repo, commit: CommitSha, paths: Iterable[str]) -> Mapping[str, bytes]:
        """See `Contents.blobs_at`."""
        return self.forge.blobs_at(repo, commit, paths)

    def survey(self, repo: Repo, branches: Sequence[str]) -> Survey:
        """See `Proposing.survey`; nobody ordered anything."""
        found = self.forge.survey(repo, branches)
        if found.pulls is None:
            return found
        return replace(
            found, pulls=tuple(replace(one, was_auto_merged=False) for one in found.pulls)
        )

    def perform(self, repo: Repo, step: Step) -> None:
        """See `Proposing.perform`."""
        self.forge.perform(repo, step)

    def close(self) -> None:
        """Nothing."""
