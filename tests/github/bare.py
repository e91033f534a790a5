"""A bare repo on disk, made and changed without starting git, read by git like any other."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.github.objects import TREE, Objects, Person, TreeEntry

# Pushes are unpacked, so that every object is a file; partial clones are served.
CONFIG = """[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
[gc]
\tauto = 0
[receive]
\tautogc = false
\tunpackLimit = 1000000
[transfer]
\tunpackLimit = 1000000
[http]
\treceivepack = true
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
"""


@dataclass(frozen=True)
class File:
    """A file to be put into a commit; of a submodule `content` is the commit's name."""

    content: bytes = b""
    mode: str = "100644"


def executable(content: bytes) -> File:
    return File(content, "100755")


def symlink(target: str) -> File:
    return File(target.encode(), "120000")


def submodule(sha: str = "5" * 40) -> File:
    return File(sha.encode(), "160000")


Files = Mapping[str, "bytes | str | File | None"]


@dataclass
class BareRepo:
    """One bare repo. Names of refs are whole: `refs/heads/main`."""

    folder: Path
    objects: Objects = field(init=False)
    _merged: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.objects = Objects(self.folder / "objects")

    def create(self, default_branch: str) -> None:
        for part in ("objects/pack", "objects/info", "refs/heads", "refs/tags"):
            (self.folder / part).mkdir(parents=True)
        (self.folder / "config").write_text(CONFIG)
        self.set_head(default_branch)

    def set_head(self, branch: str) -> None:
        (self.folder / "HEAD").write_text(f"ref: refs/heads/{branch}\n")

    def ref(self, name: str) -> str | None:
        try:
            return (self.folder / name).read_text().strip()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return self._packed_refs().get(name)

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        """All refs below a prefix such as `refs/heads/`, in order of name."""
        found = {k: v for k, v in self._packed_refs().items() if k.startswith(prefix)}
        top = prefix if prefix.endswith("/") else prefix.rpartition("/")[0]
        for folder, _, names in os.walk(self.folder / top):
            for name in names:
                path = Path(folder, name)
                full = path.relative_to(self.folder).as_posix()
                if full.startswith(prefix) and not full.endswith(".lock"):
                    found[full] = path.read_text().strip()
        return dict(sorted(found.items()))

    def _packed_refs(self) -> dict[str, str]:
        try:
            text = (self.folder / "packed-refs").read_text()
        except FileNotFoundError:
            return {}
        lines = (line.split() for line in text.splitlines() if line[0] not in "#^")
        return {name: sha for sha, name in lines}

    def set_ref(self, name: str, sha: str | None) -> None:
        """Point the ref there; None deletes it.

        Raises:
            OSError: A ref stands where this one needs a folder, or the other way round.
        """
        path = self.folder / name
        if sha is None:
            path.unlink(missing_ok=True)
            if name in self._packed_refs():
                self.git("update-ref", "-d", name)
            self._prune(path.parent)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.lock")
        new.write_text(f"{sha}\n")
        new.replace(path)

    def _prune(self, folder: Path) -> None:
        while folder.parent.name != "refs" and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent

    def git(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", "-C", str(self.folder), *words], capture_output=True, text=True, check=False
        )

    def write_file(self, file: bytes | str | File) -> tuple[str, str]:
        """Mode and name of the object."""
        if isinstance(file, str):
            file = File(file.encode())
        if isinstance(file, bytes):
            file = File(file)
        if file.mode == "160000":
            return file.mode, file.content.decode()
        return file.mode, self.objects.write("blob", file.content)

    def changed_tree(self, base: str | None, changes: Mapping[str, tuple[str, str] | None]) -> str:
        """The tree with these paths set to (mode, sha), or taken out (None)."""
        known = self.objects.tree(base) if base else []
        entries = {one.name: one for one in known or []}
        deeper: dict[str, dict[str, tuple[str, str] | None]] = {}
        for path, change in changes.items():
            name, slash, rest = path.partition("/")
            if slash:
                deeper.setdefault(name, {})[rest] = change
            elif change is None:
                entries.pop(name, None)
            else:
                entries[name] = TreeEntry(name, *change)
        for name, inner in deeper.items():
            old = entries.get(name)
            sha = self.changed_tree(old.sha if old and old.mode == TREE else None, inner)
            entries[name] = TreeEntry(name, TREE, sha)
            if not self.objects.tree(sha):
                del entries[name]
        return self.objects.write_tree(list(entries.values()))

    def commit_files(self, branch: str, files: Files, who: Person, message: str) -> str:
        """Commit on top of the branch (or start it); a file of None is deleted."""
        ref = f"refs/heads/{branch}"
        parent = self.ref(ref)
        changes = {p: None if f is None else self.write_file(f) for p, f in files.items()}
        tree = self.changed_tree(self.tree_of(parent) if parent else None, changes)
        sha = self.objects.write_commit(tree, (parent,) if parent else (), who, who, message)
        self.set_ref(ref, sha)
        return sha

    def tree_of(self, commit: str) -> str:
        found = self.objects.commit(commit)
        if found is None:
            raise LookupError(commit)
        return found.tree

    def walk(self, tree: str, prefix: str = "") -> Iterator[tuple[str, TreeEntry]]:
        """Every entry below a tree with its whole path, folders too, in git's order."""
        for entry in self.objects.tree(tree) or ():
            path = f"{prefix}{entry.name}"
            yield path, entry
            if entry.mode == TREE:
                yield from self.walk(entry.sha, f"{path}/")

    def files(self, tree: str) -> dict[str, TreeEntry]:
        return {path: entry for path, entry in self.walk(tree) if entry.mode != TREE}

    def entry_at(self, tree: str, path: str) -> TreeEntry | None:
        entry: TreeEntry | None = TreeEntry("", TREE, tree)
        for name in filter(None, path.split("/")):
            inner = self.objects.tree(entry.sha) if entry and entry.mode == TREE else None
            entry = next((one for one in inner or () if one.name == name), None)
        return entry

    def ancestors(self, sha: str) -> Iterator[str]:
        """The commit and all behind it, newest first."""
        seen = {sha}
        queue = [sha]
        while queue:
            one = queue.pop(0)
            yield one
            commit = self.objects.commit(one)
            new = [p for p in commit.parents if p not in seen] if commit else []
            seen.update(new)
            queue += new

    def is_ancestor(self, old: str, new: str) -> bool:
        return old in self.ancestors(new)

    def merge_base(self, one: str, other: str) -> str | None:
        behind = set(self.ancestors(one))
        return next((sha for sha in self.ancestors(other) if sha in behind), None)

    def merged_tree(self, base: str, head: str) -> str | None:
        """The tree of both merged; None where they conflict."""
        if (base, head) not in self._merged:
            self._merged[base, head] = self._merge(base, head)
        return self._merged[base, head]

    def _merge(self, base: str, head: str) -> str | None:
        if self.is_ancestor(base, head):
            return self.tree_of(head)
        told = self.git("merge-tree", "--write-tree", base, head)
        return told.stdout.split()[0] if told.returncode == 0 else None
