"""The objects of real bare repos, read and written as loose files, without a process for each.

Whatever `git` itself writes (a push is unpacked to loose objects, see `bare.CONFIG`) is read
the same way; packs are read through `git cat-file`.
"""

from __future__ import annotations

import hashlib
import subprocess
import zlib
from dataclasses import dataclass, field
from pathlib import Path

TREE = "040000"


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One line of a tree: `mode` is six digits, as GitHub writes it."""

    name: str
    mode: str
    sha: str

    @property
    def kind(self) -> str:
        return {TREE: "tree", "160000": "commit"}.get(self.mode, "blob")


@dataclass(frozen=True)
class Person:
    """Who wrote a commit, and when, in seconds since the epoch."""

    name: str
    email: str
    at: int

    @classmethod
    def parse(cls, text: str) -> Person:
        who, _, when = text.rpartition("> ")
        name, _, email = who.partition(" <")
        return cls(name, email, int(when.split()[0]))

    def __str__(self) -> str:
        return f"{self.name} <{self.email}> {self.at} +0000"


@dataclass(frozen=True)
class CommitObject:
    """A commit, read."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str
    signature: str = ""


@dataclass
class Objects:
    """The objects of one bare repo; `folder` is its `objects`. They never change: read once."""

    folder: Path
    _known: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def path(self, sha: str) -> Path:
        return self.folder / sha[:2] / sha[2:]

    def has(self, sha: str) -> bool:
        return self.find(sha) is not None

    def find(self, sha: str) -> tuple[str, bytes] | None:
        """Kind and bytes; None where this repo has no such object."""
        if len(sha) != 40 or not sha.isalnum():
            return None
        found = self._known.get(sha) or self._loose(sha) or self._packed(sha)
        if found is not None:
            self._known[sha] = found
        return found

    def _loose(self, sha: str) -> tuple[str, bytes] | None:
        try:
            raw = zlib.decompress(self.path(sha).read_bytes())
        except FileNotFoundError:
            return None
        head, _, data = raw.partition(b"\0")
        return head.split()[0].decode(), data

    def _packed(self, sha: str) -> tuple[str, bytes] | None:
        if not any((self.folder / "pack").glob("*.pack")):
            return None
        told = subprocess.run(
            ["git", "-C", str(self.folder.parent), "cat-file", "--batch"],
            input=sha.encode(),
            capture_output=True,
            check=True,
        ).stdout
        head, _, data = told.partition(b"\n")
        words = head.decode().split()
        return None if words[1] == "missing" else (words[1], data[: int(words[2])])

    def write(self, kind: str, data: bytes) -> str:
        raw = f"{kind} {len(data)}\0".encode() + data
        sha = hashlib.sha1(raw).hexdigest()
        if sha in self._known:
            return sha
        path = self.path(sha)
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(zlib.compress(raw, 1))
        self._known[sha] = (kind, data)
        return sha

    def blob(self, sha: str) -> bytes | None:
        return self._of("blob", sha)

    def tree(self, sha: str) -> list[TreeEntry] | None:
        data = self._of("tree", sha)
        return None if data is None else _parse_tree(data)

    def commit(self, sha: str) -> CommitObject | None:
        data = self._of("commit", sha)
        return None if data is None else _parse_commit(sha, data)

    def _of(self, kind: str, sha: str) -> bytes | None:
        found = self.find(sha)
        return found[1] if found is not None and found[0] == kind else None

    def write_tree(self, entries: list[TreeEntry]) -> str:
        ordered = sorted(entries, key=lambda one: one.name + ("/" if one.mode == TREE else ""))
        return self.write(
            "tree",
            b"".join(
                f"{one.mode.lstrip('0')} {one.name}\0".encode() + bytes.fromhex(one.sha)
                for one in ordered
            ),
        )

    def write_commit(
        self, tree: str, parents: tuple[str, ...], author: Person, committer: Person, message: str
    ) -> str:
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        lines += [f"author {author}", f"committer {committer}", "", message]
        return self.write("commit", "\n".join(lines).encode())


def _parse_tree(data: bytes) -> list[TreeEntry]:
    entries = []
    at = 0
    while at < len(data):
        space = data.index(b" ", at)
        end = data.index(b"\0", space)
        name = data[space + 1 : end].decode("utf-8", "surrogateescape")
        sha = data[end + 1 : end + 21].hex()
        entries.append(TreeEntry(name, data[at:space].decode().zfill(6), sha))
        at = end + 21
    return entries


def _parse_commit(sha: str, data: bytes) -> CommitObject:
    head, _, message = data.decode("utf-8", "replace").partition("\n\n")
    fields: dict[str, list[str]] = {}
    name = ""
    for line in head.split("\n"):
        if line.startswith(" "):
            fields[name][-1] += f"\n{line[1:]}"
            continue
        name, _, value = line.partition(" ")
        fields.setdefault(name, []).append(value)
    return CommitObject(
        sha,
        fields["tree"][0],
        tuple(fields.get("parent", ())),
        Person.parse(fields["author"][0]),
        Person.parse(fields["committer"][0]),
        message,
        fields.get("gpgsig", [""])[0],
    )
