"""What git's plumbing writes, as records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from digestbot.forge.repo import Branch, Entry, Mode
from digestbot.forge.sha import CommitSha, ObjectSha

_HEADS = "refs/heads/"
_MODES = frozenset(Mode)


@dataclass(frozen=True, slots=True)
class Heads:
    """The branches of a repo: `default` is the one that HEAD names, if it does."""

    default: str | None = None
    branches: Mapping[str, CommitSha] = field(default_factory=dict)


def as_text(data: bytes) -> str:
    """Names in git are bytes; what is no UTF-8 survives the way there and back."""
    return data.decode("utf-8", "surrogateescape")


def as_bytes(text: str) -> bytes:
    """The bytes of a name."""
    return text.encode("utf-8", "surrogateescape")


def read_tree(data: bytes) -> Iterator[Entry]:
    """The entries that `ls-tree -r -z` lists."""
    end = -1
    while (start := end + 1) < len(data):
        end = data.index(b"\0", start)
        facts, _, path = data[start:end].partition(b"\t")
        mode, _, sha = facts.decode("ascii").split(" ")
        if mode in _MODES:
            yield Entry(as_text(path), Mode(mode), ObjectSha.parse(sha))


def read_sizes(data: bytes) -> dict[ObjectSha, int]:
    """The blobs that `cat-file --batch-check` knows, and how large they are."""
    fields = [line.split(" ") for line in data.decode("ascii").splitlines()]
    known = [one for one in fields if one[1] == "blob"]
    return {ObjectSha.parse(sha): int(size) for sha, _, size in known}


def read_objects(data: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Name, type and bytes of what `cat-file --batch` writes; what is missing lacks."""
    position = 0
    while position < len(data):
        end = data.index(b"\n", position)
        fields = data[position:end].decode("ascii").split(" ")
        position = end + 1
        if fields[1] != "missing":
            name, kind, size = fields[0], fields[1], int(fields[2])
            yield name, kind, data[position : position + size]
            position += size + 1


def read_branch(name: str, head: CommitSha, data: bytes) -> Branch:
    """The branch whose head is this commit object.

    The object itself is read, so that its parents are named in a shallow copy too.

    Raises:
        ValueError: It is no commit.
    """
    header, _, message = data.partition(b"\n\n")
    lines = [line.decode("utf-8", "replace").partition(" ") for line in header.split(b"\n")]
    trees = [value for key, _, value in lines if key == "tree"]
    if not trees:
        raise ValueError(f"{head} is no commit")
    return Branch(
        name=name,
        head=head,
        tree=ObjectSha.parse(trees[0]),
        parents=tuple(CommitSha.parse(value) for key, _, value in lines if key == "parent"),
        message=message.decode("utf-8", "replace"),
    )


def read_remote_heads(data: bytes) -> Heads:
    """What `ls-remote --symref` lists."""
    default, branches = None, {}
    for line in as_text(data).splitlines():
        sha, _, ref = line.partition("\t")
        if sha.startswith(f"ref: {_HEADS}") and ref == "HEAD":
            default = sha.removeprefix(f"ref: {_HEADS}")
        elif ref.startswith(_HEADS):
            branches[ref.removeprefix(_HEADS)] = CommitSha.parse(sha)
    return Heads(default, branches)
