"""What a forge can do: list repos, read files, say what there is, change it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from digestbot.forge.pull import Survey
from digestbot.forge.repo import Entry, LeftOut, Repo
from digestbot.forge.sha import CommitSha, ObjectSha
from digestbot.forge.steps import Step


@dataclass(frozen=True, slots=True)
class Interest:
    """Which files of a repo matter: the others are not even listed.

    `key` names the rule behind `matches`, so that an answer can be kept on disk.
    """

    key: str
    matches: Callable[[str], bool]


class Listing(Protocol):
    """Finds the repos behind a target."""

    def repos(self) -> Iterator[Repo | LeftOut]:
        """Every repo of the target, as it is now; never all of them at once.

        Raises:
            ForgeError: The target cannot be listed.
        """


class Contents(Protocol):
    """Reads files at a commit, without a checkout."""

    def entries(self, repo: Repo) -> Sequence[Entry]:
        """The files of the repo's head commit that are of interest, in order of path.

        Raises:
            ForgeError: They cannot be listed.
        """

    def blobs(self, repo: Repo, shas: Iterable[ObjectSha]) -> Mapping[ObjectSha, bytes]:
        """The bytes of these blobs, each checked against its name; those that are gone lack.

        Raises:
            ForgeError: They cannot be read.
        """

    def blobs_at(self, repo: Repo, commit: CommitSha, paths: Iterable[str]) -> Mapping[str, bytes]:
        """The bytes of these files at another commit of the repo; those that are gone lack.

        Raises:
            ForgeError: They cannot be read.
        """


class Proposing(Protocol):
    """Knows and changes branches and pull requests."""

    def survey(self, repo: Repo, branches: Sequence[str]) -> Survey:
        """What there is now: of these branches, and of pull requests.

        Raises:
            ForgeError: It cannot be known.
        """

    def perform(self, repo: Repo, step: Step) -> None:
        """Do one step.

        Raises:
            UnsettledError: It may or may not have happened, or the repo is no longer as
                the step expects: survey again.
            DeferredError: Not now.
            RefusedError: Not at all.
        """


class Forge(Listing, Contents, Proposing, Protocol):
    """All of it, for one target. Safe to use from many threads. Close it in the end."""

    def close(self) -> None:
        """Let go of connections, processes and temporary files."""
