"""The forge of plain git URLs: anything that speaks git, and nothing more.

A copy is made with neither history nor files; the files that matter are then fetched in one
request. It lives in a folder of the run, which only we can read, and which goes with it.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from digestbot.forge.errors import RefusedError
from digestbot.forge.git_environment import Login, abroad
from digestbot.forge.git_import import load_git
from digestbot.forge.git_output import Heads
from digestbot.forge.git_url import GitUrl
from digestbot.forge.interface import Interest
from digestbot.forge.local import files_at, plain_files
from digestbot.forge.pull import Survey
from digestbot.forge.repo import Entry, LeftOut, Repo
from digestbot.forge.sha import CommitSha, ObjectSha
from digestbot.forge.signing import Identity, Signing
from digestbot.forge.steps import DeleteBranch, PushBranch, Step

if TYPE_CHECKING:
    from digestbot.forge.git import GitFolder

DIGESTBOT = Identity("digestbot", "digestbot@users.noreply.github.com")
_TIMEOUT_S = 120.0


class _Copy:
    """A bare copy in a folder of its own, with what was fetched so far."""

    def __init__(
        self, url: GitUrl, login: Login | None, signing: Signing | None, timeout_s: float
    ) -> None:
        self._url = url
        self._login = login
        self._around = abroad(signing=signing)
        self._timeout_s = timeout_s
        self._temp = tempfile.TemporaryDirectory(prefix="digestbot-", ignore_cleanup_errors=True)
        self._folder: GitFolder | None = None
        self._has: set[ObjectSha] = set()
        self._lock = threading.Lock()

    def heads(self) -> Heads:
        """The branches there are now."""
        folder = Path(self._temp.name)
        # Git looks for a repo in every folder above, and those may be anybody's.
        nowhere = {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
        alone = load_git()(folder, self._around, nowhere, timeout_s=self._timeout_s)
        return alone.remote_heads(self._url, self._login)

    def with_commits(self, commits: Iterable[CommitSha]) -> GitFolder:
        """The copy, after these commits were fetched, where they were not before."""
        with self._lock:
            wanted = [sha for sha in dict.fromkeys(commits) if sha not in self._has]
            if self._folder is None:
                where = Path(self._temp.name, "repo.git")
                self._folder = load_git().create(
                    where, self._around, like=wanted[0], timeout_s=self._timeout_s
                )
            if wanted:
                self._folder.fetch_commits(self._url, self._login, wanted)
                self._has.update(wanted)
            return self._folder

    def with_blobs(self, folder: GitFolder, blobs: Iterable[ObjectSha]) -> None:
        """Fetch these blobs, all at once, where they were not before."""
        with self._lock:
            wanted = [sha for sha in dict.fromkeys(blobs) if sha not in self._has]
            if wanted:
                folder.fetch_blobs(self._url, self._login, wanted)
                self._has.update(wanted)

    def push(
        self, folder: GitFolder, branch: str, new: CommitSha | None, expected: CommitSha | None
    ) -> None:
        folder.push(self._url, self._login, branch, new, expected)

    def close(self) -> None:
        self._temp.cleanup()


class RemoteForge:
    """One repo behind a URL. Close it in the end."""

    def __init__(
        self,
        url: str,
        interest: Interest,
        login: Login | None = None,
        *,
        prefix: str = "digestbot/",
        identity: Identity = DIGESTBOT,
        signing: Signing | None = None,
        timeout_s: float = _TIMEOUT_S,
        allow_file: bool = False,
    ) -> None:
        self._url = GitUrl.parse(url, allow_file=allow_file)
        self._interest = interest
        self._prefix = prefix
        self._identity = identity
        self._signing = signing
        self._copy = _Copy(self._url, login, signing, timeout_s)

    def repos(self) -> Iterator[Repo | LeftOut]:
        """The repo, as it is now.

        Raises:
            ForgeError: It cannot be read.
        """
        name, heads = self._url.text, self._copy.heads()
        if not heads.branches:
            yield Repo(name, heads.default or "", None, None)
            return
        if heads.default is None or heads.default not in heads.branches:
            yield LeftOut(name, "no-default-branch", "its HEAD leads to no branch")
            return
        head = heads.branches[heads.default]
        branch = self._copy.with_commits([head]).branch(heads.default, head)
        ours = tuple(sorted(one for one in heads.branches if one.startswith(self._prefix)))
        yield Repo(name, heads.default, head, branch.tree if branch else None, ours)

    def entries(self, repo: Repo) -> Sequence[Entry]:
        """The files of interest in the head commit; their sizes are not known.

        Raises:
            ForgeError: They cannot be listed.
        """
        if repo.head is None:
            return ()
        found = self._copy.with_commits([repo.head]).entries(repo.head)
        return sorted(
            (entry for entry in found if self._interest.matches(entry.path)),
            key=lambda entry: entry.path,
        )

    def blobs(self, repo: Repo, shas: Iterable[ObjectSha]) -> Mapping[ObjectSha, bytes]:
        """The bytes of these blobs, fetched in one request; those that are huge lack.

        Raises:
            ForgeError: They cannot be read.
        """
        wanted = list(shas)
        if repo.head is None or not wanted:
            return {}
        folder = self._copy.with_commits([repo.head])
        self._copy.with_blobs(folder, wanted)
        return folder.blobs(wanted)

    def blobs_at(self, repo: Repo, commit: CommitSha, paths: Iterable[str]) -> Mapping[str, bytes]:
        """The bytes of these files at another commit; those that are gone lack.

        Raises:
            ForgeError: They cannot be read.
        """
        folder = self._copy.with_commits([commit])
        wanted = plain_files(folder, commit, paths)
        self._copy.with_blobs(folder, wanted.values())
        return files_at(folder, commit, wanted)

    def survey(self, repo: Repo, branches: Sequence[str]) -> Survey:
        """Which of these branches there are; git knows no pull requests.

        Raises:
            ForgeError: It cannot be known.
        """
        heads = self._copy.heads().branches
        there = {name: heads[name] for name in branches if name in heads}
        if not there:
            return Survey()
        folder = self._copy.with_commits(there.values())
        found = [folder.branch(name, sha) for name, sha in there.items()]
        return Survey({branch.name: branch for branch in found if branch})

    def perform(self, repo: Repo, step: Step) -> None:
        """Push or delete a branch.

        Raises:
            UnsettledError: It may or may not have happened, or the branch is no longer as the
                step expects.
            RefusedError: It may not be, or the step is about pull requests.
        """
        match step:
            case PushBranch():
                _push(self._copy, step, self._identity, self._signing)
            case DeleteBranch():
                folder = self._copy.with_commits([step.expected])
                self._copy.push(folder, step.branch, None, step.expected)
            case _:
                raise RefusedError("git alone has no pull requests", code="no-pulls")

    def close(self) -> None:
        """Remove the copy."""
        self._copy.close()


def push_branch(
    url: str,
    login: Login | None,
    step: PushBranch,
    *,
    identity: Identity = DIGESTBOT,
    signing: Signing | None = None,
    timeout_s: float = _TIMEOUT_S,
) -> None:
    """Do one `PushBranch` by git alone: copy, commit, sign, push.

    Raises:
        UnsettledError: It may or may not have happened, or the branch is no longer as the step
            expects.
        ForgeError: It did not happen.
    """
    copy = _Copy(GitUrl.parse(url), login, signing, timeout_s)
    try:
        _push(copy, step, identity, signing)
    finally:
        copy.close()


def _push(copy: _Copy, step: PushBranch, identity: Identity, signing: Signing | None) -> None:
    folder = copy.with_commits([step.base])
    new = folder.commit(step, identity=identity, signing=signing)
    copy.push(folder, step.branch, new, step.expected)
