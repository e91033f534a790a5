"""The files of a repo on a forge, as the scan reads them: nothing is cloned."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from digestbot import __version__
from digestbot.config.discovery import NAMES
from digestbot.files import codeowners
from digestbot.files.formats import FORMATS, Format, format_of
from digestbot.files.occurrence import Skip
from digestbot.forge.interface import Contents, Interest
from digestbot.forge.repo import Entry, Mode, Repo
from digestbot.forge.sha import ObjectSha
from digestbot.scan.result import Problem
from digestbot.scan.tree import MAX_SIZE, UnreadableError, is_excluded

MAX_FILES = 1000
MAX_TOTAL = 32 * MAX_SIZE
_LFS = b"version https://git-lfs.github.com/spec/v1\n"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MODES = {
    Mode.SYMLINK: Skip("symlink", "it is a link; what it leads to is read under its own name"),
    Mode.SUBMODULE: Skip("submodule", "it is a submodule, which is another repo"),
}


def _matters(path: str) -> bool:
    return format_of(path) is not None or path in NAMES or path in codeowners.PATHS


# Another version may be interested in other files, so that its lists are not taken for these.
INTEREST = Interest(f"{'+'.join(FORMATS)}+owners-{__version__}", _matters)


@dataclass(frozen=True, slots=True)
class RepoFile:
    """A file of a repo: its bytes, or why it has none."""

    path: str
    format_name: str
    content: bytes | Skip

    def read(self) -> bytes:
        """The file's bytes.

        Raises:
            UnreadableError: There is a rule against reading it, or nothing to read.
        """
        if isinstance(self.content, Skip):
            raise UnreadableError(self.content)
        return self.content

    @property
    def format(self) -> Format:
        """The reader for this file."""
        return FORMATS[self.format_name]


@dataclass(frozen=True, slots=True)
class RepoFiles:
    """What matters of one repo.

    Attributes:
        files: Those with references, in order of path.
        configuration: Digestbot's own configuration files in it, by path: their bytes, or why
            they cannot be read.
        modes: What git says each of `files` is.
        problems: Why some are missing.
        repo: What the repo is called.
        codeowners: The bytes of its CODEOWNERS; empty where it has none that can be read, or no
            file that somebody could look after.
    """

    files: tuple[RepoFile, ...] = ()
    configuration: Mapping[str, bytes | Skip] = field(default_factory=dict)
    modes: Mapping[str, Mode] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    repo: str = ""
    codeowners: bytes = b""


def read_files(contents: Contents, repo: Repo, exclude: Sequence[str] = ()) -> RepoFiles:
    """The files of the repo's head, without those that a glob of `exclude` matches.

    A repo may hold anything: what is too large, too many, no plain file or badly named is
    said, not read.

    Raises:
        ForgeError: They cannot be read.
    """
    if repo.head is None:
        return RepoFiles(repo=repo.name)
    entries = contents.entries(repo)
    settings = [one for one in entries if one.path in NAMES]
    wanted = [
        one
        for one in entries
        if format_of(one.path) is not None and not is_excluded(one.path, exclude)
    ]
    kept, problems = wanted[:MAX_FILES], _too_many(repo, wanted)
    owners = _codeowners(entries) if kept else []
    skips = dict(_skips([*settings, *kept, *owners]))
    plain = [one for one in (*settings, *kept, *owners) if one.path not in skips]
    blobs = contents.blobs(repo, dict.fromkeys(one.sha for one in plain))
    return RepoFiles(
        files=tuple(
            RepoFile(one.path, format_of(one.path) or "", _content(one, skips, blobs))
            for one in kept
        ),
        configuration={one.path: _content(one, skips, blobs) for one in settings},
        modes={one.path: one.mode for one in kept},
        problems=problems,
        repo=repo.name,
        codeowners=b"".join(_bytes(_content(one, skips, blobs)) for one in owners),
    )


def _codeowners(entries: Sequence[Entry]) -> list[Entry]:
    """The one that counts, if there is any."""
    there = {one.path: one for one in entries}
    return [there[path] for path in codeowners.PATHS if path in there][:1]


def _bytes(content: bytes | Skip) -> bytes:
    return b"" if isinstance(content, Skip) else content


def _too_many(repo: Repo, entries: Sequence[Entry]) -> tuple[Problem, ...]:
    if len(entries) <= MAX_FILES:
        return ()
    message = f"{len(entries):,} Dockerfiles; the first {MAX_FILES:,} are read"
    hint = "leave out what does not count with `exclude`"
    return (Problem("repo", repo.name, "too-many-files", message, hint),)


def _skips(entries: Iterable[Entry]) -> Iterator[tuple[str, Skip]]:
    """Those that are not even fetched."""
    total = 0
    for entry in entries:
        total += entry.size or 0
        if not _is_safe(entry.path):
            yield entry.path, Skip("unsafe-path", "no file that git checks out is called so")
        elif entry.mode in _MODES:
            yield entry.path, _MODES[entry.mode]
        elif (entry.size or 0) > MAX_SIZE or total > MAX_TOTAL:
            yield (
                entry.path,
                Skip(
                    "too-large", "it has more than 1 MiB, or all of the repo together more than 32"
                ),
            )


def _is_safe(path: str) -> bool:
    parts = path.split("/")
    return not _CONTROL.search(path) and not any(
        part in ("", ".", "..") or part.lower() == ".git" for part in parts
    )


def _content(
    entry: Entry, skips: Mapping[str, Skip], blobs: Mapping[ObjectSha, bytes]
) -> bytes | Skip:
    if entry.path in skips:
        return skips[entry.path]
    data = blobs.get(entry.sha)
    if data is None:
        return Skip("unreadable", "the forge has no bytes for it")
    if len(data) > MAX_SIZE:
        return Skip("too-large", "the file has more than 1 MiB")
    if data.startswith(_LFS):
        return Skip("lfs-pointer", "it is a pointer of Git LFS, not the file")
    return data
