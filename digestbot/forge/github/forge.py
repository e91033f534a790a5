"""GitHub as a forge: listing, contents and proposing, over one session."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from digestbot.clock import Clock
from digestbot.forge.blob_cache import BlobCache
from digestbot.forge.errors import ForgeError
from digestbot.forge.github.contents import GitHubContents
from digestbot.forge.github.limits import Limiter
from digestbot.forge.github.listing import GitHubListing, Selection
from digestbot.forge.github.performing import perform
from digestbot.forge.github.session import Session
from digestbot.forge.github.settings import GitHubSettings
from digestbot.forge.github.survey import survey
from digestbot.forge.interface import Contents, Forge, Interest, Listing
from digestbot.forge.pull import Survey
from digestbot.forge.repo import Entry, LeftOut, Repo
from digestbot.forge.sha import CommitSha, ObjectSha
from digestbot.forge.steps import PushBranch, Step

Push = Callable[[Repo, PushBranch], None]
"""Another way to push a branch than the API: fails as `Proposing.perform` does."""
Entries = Callable[[Repo], Sequence[Entry]]
"""Another way to list a repo's files, for those that are too large for the API."""


class GitHubForge:
    """The repos of one target on one GitHub.

    `push` takes the place of commits by the API, `clone` that of a tree that is too large.
    """

    def __init__(
        self,
        session: Session,
        listing: Listing,
        contents: Contents,
        push: Push | None = None,
        clone: Entries | None = None,
    ) -> None:
        self.session = session
        self._listing = listing
        self._contents = contents
        self._push = push
        self._clone = clone

    def repos(self) -> Iterator[Repo | LeftOut]:
        """See `Listing.repos`."""
        return self._listing.repos()

    def entries(self, repo: Repo) -> Sequence[Entry]:
        """See `Contents.entries`."""
        try:
            return self._contents.entries(repo)
        except ForgeError as error:
            if error.code != "tree-too-large" or self._clone is None:
                raise
            return self._clone(repo)

    def blobs(self, repo: Repo, shas: Iterable[ObjectSha]) -> Mapping[ObjectSha, bytes]:
        """See `Contents.blobs`."""
        return self._contents.blobs(repo, shas)

    def blobs_at(self, repo: Repo, commit: CommitSha, paths: Iterable[str]) -> Mapping[str, bytes]:
        """See `Contents.blobs_at`."""
        return self._contents.blobs_at(repo, commit, paths)

    def survey(self, repo: Repo, branches: Sequence[str]) -> Survey:
        """See `Proposing.survey`."""
        return survey(self.session, repo, branches)

    def perform(self, repo: Repo, step: Step) -> None:
        """See `Proposing.perform`."""
        if self._push is not None and isinstance(step, PushBranch):
            self._push(repo, step)
        else:
            perform(self.session, repo, step)

    def close(self) -> None:
        """Close all connections."""
        self.session.close()


def open_github(
    target: str,
    settings: GitHubSettings,
    interest: Interest,
    *,
    cache: BlobCache | None = None,
    clock: Clock | None = None,
    selection: Selection | None = None,
    limiter: Limiter | None = None,
    push_with: Callable[[Session], Push] | None = None,
    clone_with: Callable[[Session], Entries] | None = None,
) -> Forge:
    """The repos of `owner` or `owner/repo`; close it in the end. Nothing is asked before use.

    Args:
        target: An owner, which is a user or an organization, or one repo.
        settings: Which GitHub, and as whom.
        interest: Which files matter.
        cache: What was read before; in memory where none is given.
        clock: Tells and passes the time.
        selection: Which repos of the owner.
        limiter: Shared with others who speak with the same token.
        push_with: Makes another way to push, from the session, which knows the token.
        clone_with: Makes another way to list files, likewise.
    """
    session = Session(settings, target, clock, limiter)
    return GitHubForge(
        session,
        GitHubListing(session, target, selection),
        GitHubContents(session, cache or BlobCache(None), interest),
        push_with(session) if push_with else None,
        clone_with(session) if clone_with else None,
    )
