"""The local forge: a checkout on this machine. It makes branches and opens nothing.

What is read is the commit that is checked out, not the working tree: a proposal stands on a
commit, and what nobody committed yet belongs to nobody but its author. Neither the working
tree nor the index nor HEAD is touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from digestbot.forge.errors import RefusedError, UnsettledError
from digestbot.forge.git_environment import at_home
from digestbot.forge.git_import import load_git
from digestbot.forge.git_output import as_text
from digestbot.forge.interface import Interest
from digestbot.forge.pull import Survey
from digestbot.forge.repo import Entry, LeftOut, Mode, Repo
from digestbot.forge.sha import CommitSha, ObjectSha
from digestbot.forge.signing import Signing
from digestbot.forge.steps import DeleteBranch, PushBranch, Step

if TYPE_CHECKING:
    from digestbot.forge.git import GitFolder

_TIMEOUT_S = 60.0


class LocalForge:
    """One checkout. Of a folder inside of it, only the files below are of interest.

    Commits are made in the name that git knows the user by.
    """

    def __init__(
        self,
        path: str,
        interest: Interest,
        *,
        prefix: str = "digestbot/",
        signing: Signing | None = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        self._path = path
        self._interest = interest
        self._prefix = prefix
        self._signing = signing
        self._git = open_checkout(Path(path), signing, timeout_s=timeout_s)
        self._below = as_text(self._git.ask("rev-parse", "--show-prefix").rstrip(b"\n"))

    def repos(self) -> Iterator[Repo | LeftOut]:
        """The checkout, as it is now.

        Raises:
            ForgeError: It cannot be read.
        """
        heads = self._git.heads()
        if heads.default is None:
            yield LeftOut(self._path, "detached", "no branch is checked out: `git switch` to one")
            return
        head = heads.branches.get(heads.default)
        branch = self._git.branch(heads.default, head) if head else None
        ours = tuple(sorted(name for name in heads.branches if name.startswith(self._prefix)))
        yield Repo(self._path, heads.default, head, branch.tree if branch else None, ours)

    def entries(self, repo: Repo) -> Sequence[Entry]:
        """The files of interest in the commit that is checked out.

        Raises:
            ForgeError: They cannot be listed.
        """
        if repo.head is None:
            return ()
        found = sorted(
            (entry for entry in self._git.entries(repo.head) if self._matters(entry.path)),
            key=lambda entry: entry.path,
        )
        sizes = self._git.sizes(one.sha for one in found if one.mode is not Mode.SUBMODULE)
        return [replace(one, size=sizes.get(one.sha)) for one in found]

    def _matters(self, path: str) -> bool:
        return path.startswith(self._below) and self._interest.matches(path)

    def blobs(self, repo: Repo, shas: Iterable[ObjectSha]) -> Mapping[ObjectSha, bytes]:
        """The bytes of these blobs; those that are gone or huge lack.

        Raises:
            ForgeError: They cannot be read.
        """
        return self._git.blobs(shas)

    def blobs_at(self, repo: Repo, commit: CommitSha, paths: Iterable[str]) -> Mapping[str, bytes]:
        """The bytes of these files at another commit; those that are gone lack.

        Raises:
            ForgeError: They cannot be read.
        """
        if self._git.branch("", commit) is None:
            return {}
        return files_at(self._git, commit, paths)

    def survey(self, repo: Repo, branches: Sequence[str]) -> Survey:
        """Which of these branches there are; pull requests are unknown here.

        Raises:
            ForgeError: It cannot be known.
        """
        heads = self._git.heads().branches
        found = [self._git.branch(name, heads[name]) for name in branches if name in heads]
        return Survey({branch.name: branch for branch in found if branch})

    def perform(self, repo: Repo, step: Step) -> None:
        """Make or delete a branch.

        Raises:
            UnsettledError: The branch is no longer as the step expects.
            RefusedError: It is checked out, or the step is about pull requests.
        """
        match step:
            case PushBranch():
                self._check_free(step.branch)
                self._check_expected(step.branch, step.expected)
                new = self._git.commit(step, signing=self._signing)
                self._git.move(step.branch, new, step.expected)
            case DeleteBranch():
                self._check_free(step.branch)
                self._check_expected(step.branch, step.expected)
                self._git.delete(step.branch, step.expected)
            case _:
                raise RefusedError("a checkout has no pull requests", code="no-pulls")

    def _check_free(self, branch: str) -> None:
        self._git.refuse_detours(branch)
        if self._git.is_checked_out(branch):
            raise RefusedError(
                f"the branch {branch} is checked out",
                code="checked-out",
                hint="switch to another branch, or choose another branch prefix",
            )

    def _check_expected(self, branch: str, expected: CommitSha | None) -> None:
        """Ask before a commit is made for nothing; what counts is asked again with the move."""
        if self._git.heads().branches.get(branch) != expected:
            raise UnsettledError(f"the branch {branch} has moved", code="branch-moved")

    def close(self) -> None:
        """Nothing is held."""


def open_checkout(path: Path, signing: Signing | None, *, timeout_s: float) -> GitFolder:
    """The checkout at a folder.

    Raises:
        ForgeError: There is none, it is bare, or it belongs to somebody else.
    """
    if not path.is_dir():
        raise RefusedError(f"{path} is no folder", code="not-a-repo", hint="check the spelling")
    git = load_git()
    hooks = git(path, at_home(), timeout_s=timeout_s).hooks()
    folder = git(path, at_home(signing, hooks), timeout_s=timeout_s)
    if folder.ask("rev-parse", "--is-inside-work-tree").strip() != b"true":
        raise RefusedError(f"{path} is no checkout", code="bare-repo", hint="name a checkout")
    return folder


def files_at(folder: GitFolder, commit: CommitSha, paths: Iterable[str]) -> dict[str, bytes]:
    """The bytes of these plain files at a commit, as far as they are here."""
    shas = plain_files(folder, commit, paths)
    blobs = folder.blobs(dict.fromkeys(shas.values()))
    return {path: blobs[sha] for path, sha in shas.items() if sha in blobs}


def plain_files(folder: GitFolder, commit: CommitSha, paths: Iterable[str]) -> dict[str, ObjectSha]:
    """The blobs behind these paths at a commit; links and submodules are no files."""
    wanted = frozenset(paths)
    return {
        entry.path: entry.sha
        for entry in folder.entries(commit)
        if entry.path in wanted and entry.mode in {Mode.FILE, Mode.EXECUTABLE}
    }
