"""The files to scan, on this machine: what git tracks or would track, else the whole tree."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from digestbot.errors import NoInputError, UsageError
from digestbot.files.formats import FORMATS, Format, format_of
from digestbot.files.occurrence import Skip
from digestbot.globs import matches

MAX_SIZE = 1 << 20
_GIT_TIMEOUT_S = 60
# A checkout is not ours: its own settings must not start programs, neither as hooks nor to
# fetch what a partial clone lacks.
_GIT = (
    *("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"),
    *("-c", "safe.bareRepository=explicit"),
)
_GIT_ENVIRONMENT = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
_UNLISTED = re.compile(r"warning: could not open directory '(.*)/?': (.*)")


class UnreadableError(Exception):
    """A file cannot be scanned; `skip` says why in a slug and a sentence."""

    def __init__(self, skip: Skip) -> None:
        super().__init__(skip.message)
        self.skip = skip


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on disk: `path` is what reports call it, `real` what is opened.

    `root` is the folder it was found under; nothing outside of it is read, whatever links say.
    """

    path: str
    real: Path
    root: Path
    format_name: str

    def read(self) -> bytes:
        """The file's bytes.

        Raises:
            UnreadableError: It is too large, no plain file, or a link out of the tree.
            OSError: The system refused.
        """
        real = os.path.realpath(self.real, strict=True)
        if not real.startswith(os.path.join(self.root, "")):  # noqa: PTH118 - for each file
            raise UnreadableError(Skip("symlink", f"it is a link to {real}, outside of the tree"))
        # Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
        descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableError(Skip("not-a-file", "it is not a plain file"))
            data = stream.read(min(status.st_size, MAX_SIZE) + 1)
        if len(data) > MAX_SIZE:
            raise UnreadableError(Skip("too-large", "the file has more than 1 MiB"))
        return data

    @property
    def format(self) -> Format:
        """The reader for this file."""
        return FORMATS[self.format_name]

    @property
    def path_in_tree(self) -> str:
        """The path from the folder it was found under."""
        inside = self.real.is_relative_to(self.root)
        return str(self.real.relative_to(self.root)) if inside else self.real.name


@dataclass(frozen=True, slots=True)
class Text:
    """A file that came on standard input."""

    data: bytes
    path: str = "<stdin>"
    format_name: str = "dockerfile"

    def read(self) -> bytes:
        """The bytes.

        Raises:
            UnreadableError: They are too many.
        """
        if len(self.data) > MAX_SIZE:
            raise UnreadableError(Skip("too-large", "standard input has more than 1 MiB"))
        return self.data

    @property
    def format(self) -> Format:
        """The reader for this text."""
        return FORMATS[self.format_name]


@dataclass(frozen=True, slots=True)
class UnlistedFolder:
    """A folder that could not be listed, in place of the files that may be in it."""

    path: str
    reason: str
    format_name: str = "dockerfile"

    def read(self) -> bytes:
        """Say why.

        Raises:
            OSError: Always.
        """
        raise OSError(None, f"{self.reason} (files in this folder were not scanned)")

    @property
    def format(self) -> Format:
        """Any reader: there is nothing to read."""
        return FORMATS[self.format_name]


SourceFile = LocalFile | Text | UnlistedFolder
_Found = LocalFile | UnlistedFolder


def find_files(paths: Sequence[Path], *, exclude: Sequence[str] = ()) -> list[_Found]:
    """Every file of a known format under these paths, each once, in order of path.

    A file that is named itself is read whatever it is called: as a Dockerfile, where its name
    says nothing else. `exclude` are globs on the path (`vendor/**`) or on a part of it
    (`vendor`).

    Raises:
        UsageError: A path does not exist.
        NoInputError: Nothing was found.
    """
    found: dict[Path, LocalFile] = {}
    unlisted: dict[str, UnlistedFolder] = {}
    for path in paths:
        for file in _files_under(path, exclude):
            if isinstance(file, UnlistedFolder):
                unlisted[file.path] = file
                continue
            known = found.setdefault(_identity(file), file)
            if known.real.is_symlink() and not file.real.is_symlink():
                found[_identity(file)] = file
    if not found and not unlisted:
        where = ", ".join(str(path) for path in paths)
        raise NoInputError(
            f"no Dockerfile or Containerfile in {where}",
            hint="name the file itself if it is called otherwise, "
            "or check .gitignore and --exclude",
        )
    everything: list[_Found] = [*found.values(), *unlisted.values()]
    return sorted(everything, key=lambda file: file.path)


def _identity(file: LocalFile) -> Path:
    """What tells two files apart: the file behind a link, if it is in the same tree."""
    if not file.real.is_symlink():
        return file.real
    real = Path(os.path.realpath(file.real))
    return real if real.is_relative_to(file.root) else file.real


def _files_under(path: Path, exclude: Sequence[str]) -> Iterator[_Found]:
    if path.is_dir():
        root = path.resolve()
        shown = _shown(path)
        above = f"{shown}/" if shown else ""
        for name in _names(root):
            if isinstance(name, UnlistedFolder):
                if not is_excluded(name.path, exclude):
                    yield replace(name, path=above + name.path)
                continue
            known = format_of(name)
            real = root / name
            if known is not None and not is_excluded(name, exclude) and os.path.lexists(real):
                yield LocalFile(above + name, real, root, known)
    elif path.exists() or path.is_symlink():
        known = format_of(path.name) or "dockerfile"
        # A link that is named itself is meant: the tree is where it leads.
        yield LocalFile(_shown(path), path.absolute(), path.resolve().parent, known)
    else:
        raise UsageError(f"no such file or folder: {path}", hint="check the spelling")


def _names(root: Path) -> Iterable[str | UnlistedFolder]:
    listed = _git_names(root)
    return _walk(root) if listed is None else listed


def _git_names(root: Path) -> list[str | UnlistedFolder] | None:
    """What git tracks or would track below this folder; None outside of a checkout.

    Some of it may be gone from the disk.
    """
    listing = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command, no shell, no option from outside
            [*_GIT, "-C", str(root), *listing],
            capture_output=True,
            check=True,
            timeout=_GIT_TIMEOUT_S,
            env=environment | _GIT_ENVIRONMENT,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    names: list[str | UnlistedFolder] = [n for n in os.fsdecode(done.stdout).split("\0") if n]
    warnings = _UNLISTED.findall(os.fsdecode(done.stderr))
    return [*names, *(UnlistedFolder(path.rstrip("/"), reason) for path, reason in warnings)]


def _walk(root: Path) -> Iterator[str | UnlistedFolder]:
    """The files of a tree, however deep; links to folders are not followed."""
    waiting = [""]
    while waiting:
        above = waiting.pop()
        try:
            with os.scandir(root / above) as entries:
                for entry in entries:
                    if not entry.is_dir(follow_symlinks=False):
                        yield above + entry.name
                    elif entry.name != ".git":
                        waiting.append(f"{above}{entry.name}/")
        except OSError as error:
            yield UnlistedFolder(above.rstrip("/") or ".", error.strerror or str(error))


def is_excluded(name: str, globs: Sequence[str]) -> bool:
    """Whether one of the globs matches the path, or a part of it."""
    path = PurePosixPath(name)
    return any(
        matches(name, glob) or any(matches(part, glob.rstrip("/")) for part in path.parts)
        for glob in globs
    )


def _shown(path: Path) -> str:
    """The path as reports call it: from the working directory if below it; empty for that."""
    absolute = Path(os.path.normpath(path.absolute()))
    here = Path.cwd()
    shown = absolute.relative_to(here) if absolute.is_relative_to(here) else absolute
    return "" if shown == Path() else str(shown)
