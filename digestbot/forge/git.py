"""Git itself, by a few operations; nothing else speaks GitPython.

GitPython is used for running git alone: its own objects read a repo's configuration, keep
processes and know no SHA-256.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from git import Git

from digestbot.forge.errors import ForgeError, RefusedError, UnsettledError
from digestbot.forge.git_environment import Login, Surroundings, abroad, foreign_names
from digestbot.forge.git_failure import failure
from digestbot.forge.git_output import (
    Heads,
    as_bytes,
    as_text,
    read_branch,
    read_objects,
    read_remote_heads,
    read_sizes,
    read_tree,
)
from digestbot.forge.git_url import GitUrl
from digestbot.forge.repo import Branch, Entry
from digestbot.forge.seal import sealed
from digestbot.forge.sha import CommitSha, ObjectSha
from digestbot.forge.signing import Identity, Signing, identity_environment
from digestbot.forge.steps import FileChange, PushBranch

TIMEOUT_S = 120.0
MAX_BLOB = 8 << 20
_MAX_OUTPUT = 256 << 20
_CHUNK = 1 << 16
_SHA256_DIGITS = 64
_BAD_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|^[-/]|//|/$|\.lock(?:/|$)|(?:^|/)\.")
_HEAD_FORMAT = "%(objectname) %(if)%(worktreepath)%(then)*%(else)-%(end) %(refname)"


class _Output(io.BytesIO):
    """Keeps what git writes, up to a limit; the rest is read and dropped."""

    is_cut = False

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # only bytes come
        if self.tell() + len(data) > _MAX_OUTPUT:
            self.is_cut = True
            return len(data)
        return super().write(data)


def ref_of(branch: str) -> str:
    """The full name of a branch.

    Raises:
        RefusedError: Git has no branches of that name (see `git help check-ref-format`).
    """
    if not branch or _BAD_BRANCH.search(branch):
        raise RefusedError(f"no branch can be called {branch!r}", code="bad-branch-name")
    return f"refs/heads/{branch}"


class GitFolder:
    """A repo on disk. It holds no process and no file open; many threads may use it.

    `variables` are added to every command's, and are stronger.
    """

    def __init__(
        self,
        folder: Path,
        surroundings: Surroundings,
        variables: Mapping[str, str] | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.folder = folder
        self._surroundings = surroundings
        self._variables = dict(variables or {})
        self._timeout_s = timeout_s

    @classmethod
    def create(
        cls,
        folder: Path,
        surroundings: Surroundings,
        *,
        like: ObjectSha,
        timeout_s: float = TIMEOUT_S,
    ) -> GitFolder:
        """A new bare repo without any template, for objects with such names.

        Raises:
            ForgeError: There is none.
        """
        folder.mkdir(mode=0o700)
        alone = {"GIT_DIR": str(folder)}
        made = cls(folder, surroundings, alone, timeout_s=timeout_s)
        kind = "sha256" if len(like.value) == _SHA256_DIGITS else "sha1"
        made.ask(
            "init", "--bare", "--quiet", "--template=", f"--object-format={kind}", "-b", "main"
        )
        return made

    def ask(
        self,
        *words: str,
        stdin: bytes = b"",
        around: Surroundings | None = None,
        variables: Mapping[str, str] | None = None,
        fine: tuple[int, ...] = (0,),
    ) -> bytes:
        """Run one git command and hand over what it writes.

        Raises:
            ForgeError: It ended with a status that is not fine, took too long or wrote too much.
        """
        around = around or self._surroundings
        wanted = {**around.variables, **self._variables, **(variables or {})}
        unset = [word for name in foreign_names(os.environ, wanted) for word in ("-u", name)]
        # GitPython hands every variable of this process to git; env takes them away again.
        command = ["env", *unset, str(Git.GIT_PYTHON_GIT_EXECUTABLE), *words]
        output = _Output()
        with tempfile.TemporaryFile() as feed:
            feed.write(stdin)
            feed.seek(0)
            status, _, said = Git(self.folder).execute(
                command,
                istream=feed,
                with_extended_output=True,
                with_exceptions=False,
                output_stream=output,
                kill_after_timeout=self._timeout_s,
                max_chunk_size=_CHUNK,
                shell=False,
                env=wanted,
            )
        if said.startswith("Timeout: "):
            raise ForgeError(
                f"git {_command(words)} did not end within {self._timeout_s:g} s", code="timeout"
            )
        if output.is_cut:
            raise RefusedError(f"git {_command(words)} wrote more than 256 MiB", code="too-large")
        if status not in fine:
            raise failure(f"{said}\n{as_text(output.getvalue())}", around.secrets)
        return output.getvalue()

    def hooks(self) -> list[str]:
        """The names of the hooks that stand in the settings.

        Raises:
            ForgeError: They cannot be read.
        """
        words = ("config", "-z", "--name-only", "--get-regexp", r"^hook\..*\.")
        keys = as_text(self.ask(*words, fine=(0, 1))).split("\0")[:-1]
        return sorted({key.partition(".")[2].rpartition(".")[0] for key in keys})

    def refuse_detours(self, branch: str) -> None:
        """Make sure that what git writes of a branch stays in the repo.

        Git appends who commits to its log of a branch, wherever a link has that lead to.

        Raises:
            RefusedError: A link is on the way.
        """
        common = as_text(self.ask("rev-parse", "--git-common-dir")).removesuffix("\n")
        for kind in ("refs", "logs/refs"):
            path = self.folder / common
            for part in f"{kind}/heads/{branch}".split("/"):
                path /= part
                if path.is_symlink() or (path.is_file() and path.stat().st_nlink > 1):
                    message = f"{path} leads elsewhere, and git would write there"
                    hint = "remove that link, or use a clone of your own"
                    raise RefusedError(message, code="linked-elsewhere", hint=hint)

    def heads(self) -> Heads:
        """The branches, and the one that is checked out here.

        Raises:
            ForgeError: They cannot be read.
        """
        head = as_text(self.ask("symbolic-ref", "-q", "HEAD", fine=(0, 1))).strip()
        default = head.removeprefix("refs/heads/") if head.startswith("refs/heads/") else None
        return Heads(default, {name: sha for name, (sha, _) in self._refs().items()})

    def is_checked_out(self, branch: str) -> bool:
        """Whether this checkout, or another one linked to it, is on the branch."""
        return self._refs().get(branch, ("", False))[1]

    def _refs(self) -> dict[str, tuple[CommitSha, bool]]:
        listed = as_text(self.ask("for-each-ref", f"--format={_HEAD_FORMAT}", "refs/heads"))
        rows = [line.split(" ", 2) for line in listed.split("\n") if line]
        return {
            ref.removeprefix("refs/heads/"): (CommitSha.parse(sha), mark == "*")
            for sha, mark, ref in rows
        }

    def branch(self, name: str, head: CommitSha) -> Branch | None:
        """The branch with the commit that is its head; None if that is not here.

        Raises:
            ForgeError: It cannot be read.
        """
        found = list(read_objects(self.ask("cat-file", "--batch", stdin=f"{head}\n".encode())))
        for _, kind, data in found:
            if kind == "commit" and head.names("commit", data):
                return read_branch(name, head, data)
        return None

    def entries(self, commit: ObjectSha) -> Iterator[Entry]:
        """Every file in a commit or tree, without sizes: those only git knows that has them all.

        A few small trees, nested, make millions of files: keep no more than is of interest.

        Raises:
            ForgeError: They cannot be read.
        """
        return read_tree(self.ask("ls-tree", "-r", "-z", "--full-tree", str(commit)))

    def sizes(self, shas: Iterable[ObjectSha]) -> dict[ObjectSha, int]:
        """How large these blobs are; those that are not here lack.

        Raises:
            ForgeError: They cannot be read.
        """
        return read_sizes(self.ask("cat-file", "--batch-check", stdin=_lines(shas)))

    def blobs(self, shas: Iterable[ObjectSha]) -> dict[ObjectSha, bytes]:
        """The bytes of these blobs; those that are not here, or are huge, lack.

        Raises:
            ForgeError: They cannot be read, or are not what they are called.
        """
        small = [sha for sha, size in self.sizes(shas).items() if size <= MAX_BLOB]
        found = {}
        for name, kind, data in read_objects(
            self.ask("cat-file", "--batch", stdin=_lines(small)) if small else b""
        ):
            sha = ObjectSha.parse(name)
            if not sha.names(kind, data):
                raise RefusedError(f"the object {name} has other bytes", code="corrupt")
            found[sha] = data
        return found

    def commit(
        self,
        step: PushBranch,
        *,
        identity: Identity | None = None,
        signing: Signing | None = None,
    ) -> CommitSha:
        """Make the commit of a step; no branch leads to it yet.

        The working tree and its index have no part in it.

        Raises:
            UnsettledError: The base is not here.
            ForgeError: It cannot be made.
        """
        base = self.branch("", step.base)
        if base is None:
            raise UnsettledError(f"there is no commit {step.base}", code="base-gone")
        tree = self._tree(base.tree, step.files)
        message = sealed(step.message, step.fingerprint, tree)
        sign = "-S" if signing else "--no-gpg-sign"
        made = self.ask(
            *("commit-tree", sign, "-p", str(step.base), str(tree)),
            stdin=message.encode(),
            variables=identity_environment(identity),
        )
        return CommitSha.parse(as_text(made).strip())

    def _tree(self, base: ObjectSha, files: Sequence[FileChange]) -> ObjectSha:
        with tempfile.TemporaryDirectory(prefix="digestbot-") as temp:
            paths = [Path(temp, str(number)) for number in range(len(files))]
            for path, file in zip(paths, files, strict=True):
                path.write_bytes(file.content)
            listed = "".join(f"{path}\n" for path in paths).encode()
            hashed = self.ask("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=listed)
            records = [
                f"{file.mode} {sha}\t".encode() + as_bytes(file.path) + b"\0"
                for file, sha in zip(files, as_text(hashed).split(), strict=True)
            ]
            index = {"GIT_INDEX_FILE": str(Path(temp, "index"))}
            self.ask("read-tree", str(base), variables=index)
            self.ask("update-index", "-z", "--index-info", stdin=b"".join(records), variables=index)
            tree = self.ask("write-tree", "--missing-ok", variables=index)
        made = ObjectSha.parse(as_text(tree).strip())
        # Git leaves out what no checkout may have (`.git/…`, `../…`), and says nothing.
        missing = {file.path for file in files}
        missing.difference_update(entry.path for entry in self.entries(made))
        if missing:
            raise RefusedError(f"no file can be called {min(missing)!r}", code="unsafe-path")
        return made

    def move(self, branch: str, new: CommitSha, expected: CommitSha | None) -> None:
        """Let a branch lead to another commit, if it has the expected one (None: is not there).

        Raises:
            UnsettledError: It has another one.
        """
        old = str(expected) if expected else "0" * len(new.value)
        self.ask("update-ref", "--no-deref", ref_of(branch), str(new), old)

    def delete(self, branch: str, expected: CommitSha) -> None:
        """Delete a branch, if it has the expected commit.

        Raises:
            UnsettledError: It has another one.
        """
        self.ask("update-ref", "--no-deref", "-d", ref_of(branch), str(expected))

    def remote_heads(self, url: GitUrl, login: Login | None) -> Heads:
        """The branches of a repo elsewhere.

        Raises:
            ForgeError: It does not tell.
        """
        words = ("ls-remote", "--quiet", "--symref", "--", url.text, "HEAD", "refs/heads/*")
        return read_remote_heads(self.ask(*words, around=abroad(url, login)))

    def fetch_commits(self, url: GitUrl, login: Login | None, commits: Iterable[CommitSha]) -> None:
        """Get commits with their trees: neither files nor history.

        Raises:
            ForgeError: They did not come.
        """
        refs = "".join(f"+{sha}:refs/fetched/{sha}\n" for sha in commits).encode()
        self._fetch(url, login, refs, more=("--depth=1",))

    def fetch_blobs(self, url: GitUrl, login: Login | None, blobs: Iterable[ObjectSha]) -> None:
        """Get these blobs, all in one request.

        Raises:
            ForgeError: They did not come.
        """
        # Named as had, a commit counts with all of its files, and none would come.
        self._fetch(url, login, _lines(blobs), before=("-c", "fetch.negotiationAlgorithm=noop"))

    def _fetch(
        self,
        url: GitUrl,
        login: Login | None,
        wanted: bytes,
        *,
        before: tuple[str, ...] = (),
        more: tuple[str, ...] = (),
    ) -> None:
        flags = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        config = self.folder / "config"
        kept = config.read_bytes()
        try:
            self.ask(
                *(*before, "fetch", *flags, "--filter=blob:none", *more, "--stdin", "--", url.text),
                stdin=wanted,
                around=abroad(url, login),
            )
        finally:
            # Git notes where the rest could be had, and would go there for each missing file.
            config.write_bytes(kept)

    def push(
        self,
        url: GitUrl,
        login: Login | None,
        branch: str,
        new: CommitSha | None,
        expected: CommitSha | None,
    ) -> None:
        """Let a branch elsewhere lead to a commit (None: to nothing), if it has the expected one.

        Raises:
            UnsettledError: It has another one, or nobody knows.
            RefusedError: It may not.
        """
        ref = ref_of(branch)
        lease = f"--force-with-lease={ref}:{expected or ''}"
        words = ("push", "--porcelain", "--quiet", "--no-verify", lease)
        try:
            self.ask(*words, "--", url.text, f"{new or ''}:{ref}", around=abroad(url, login))
        except (RefusedError, UnsettledError):
            raise
        except ForgeError as error:
            message = f"the push may or may not have happened: {error}"
            raise UnsettledError(message, code=error.code, hint=error.hint) from None


def _lines(shas: Iterable[ObjectSha]) -> bytes:
    return "".join(f"{sha}\n" for sha in shas).encode()


def _command(words: Sequence[str]) -> str:
    return words[2] if words[0] == "-c" else words[0]
