"""The files to scan, on this machine: what git tracks or would track, else the whole tree."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from digestbot.errors import NoInputError, UsageError
from digestbot.files.formats import FORMATS, Format, format_of
from digestbot.files.occurrence import Skip

MAX_SIZE = 1 << 20
_GIT_TIMEOUT_S = 60
# A checkout is not ours, and may belong to someone else (a volume in a container): it may be
# listed, but its own settings must not start programs.
_GIT = (
    "git",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "safe.directory=*",
)


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


SourceFile = LocalFile | Text


def find_files(paths: Sequence[Path], *, exclude: Sequence[str] = ()) -> list[LocalFile]:
    """Every file of a known format under these paths, each once, in order of path.

    A file that is named itself is read whatever it is called: as a Dockerfile, where its name
    says nothing else. `exclude` are globs on the path (`vendor/**`) or on a part of it
    (`vendor`).

    Raises:
        UsageError: A path does not exist.
        NoInputError: Nothing was found.
    """
    found: dict[Path, LocalFile] = {}
    for path in paths:
        for file in _files_under(path, exclude):
            known = found.setdefault(_identity(file), file)
            if known.real.is_symlink() and not file.real.is_symlink():
                found[_identity(file)] = file
    if not found:
        where = ", ".join(str(path) for path in paths)
        raise NoInputError(
            f"no Dockerfile or Containerfile in {where}",
            hint="name the file itself if it is called otherwise, "
            "or check .gitignore and --exclude",
        )
    return sorted(found.values(), key=lambda file: file.path)


def _identity(file: LocalFile) -> Path:
    """What tells two files apart: the file behind a link, if it is in the same tree."""
    if not file.real.is_symlink():
        return file.real
    real = Path(os.path.realpath(file.real))
    return real if real.is_relative_to(file.root) else file.real


def _files_under(path: Path, exclude: Sequence[str]) -> Iterator[LocalFile]:
    if path.is_dir():
        root = path.resolve()
        shown = _shown(path)
        above = f"{shown}/" if shown else ""
        for name in _names(root):
            known = format_of(name)
            real = root / name
            if known is not None and not _excluded(name, exclude) and os.path.lexists(real):
                yield LocalFile(above + _readable(name), real, root, known)
    elif path.exists() or path.is_symlink():
        known = format_of(path.name) or "dockerfile"
        # A link that is named itself is meant: the tree is where it leads.
        yield LocalFile(_shown(path), path.absolute(), path.resolve().parent, known)
    else:
        raise UsageError(f"no such file or folder: {path}", hint="check the spelling")


def _names(root: Path) -> Iterable[str]:
    listed = _git_names(root)
    return _walk(root) if listed is None else listed


def _git_names(root: Path) -> list[str] | None:
    """What git tracks or would track below this folder; None outside of a checkout.

    Some of it may be gone from the disk.
    """
    command = [
        *_GIT,
        "-C",
        str(root),
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        listing = subprocess.run(  # noqa: S603 - a fixed command, no shell, no option from outside
            command, capture_output=True, check=True, timeout=_GIT_TIMEOUT_S, env=environment
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return [name for name in os.fsdecode(listing).split("\0") if name]


def _walk(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in files:
            yield os.path.relpath(f"{folder}/{name}", root)


def _excluded(name: str, globs: Sequence[str]) -> bool:
    path = PurePosixPath(name)
    return any(
        fnmatchcase(name, glob) or any(fnmatchcase(part, glob.rstrip("/")) for part in path.parts)
        for glob in globs
    )


def _shown(path: Path) -> str:
    """The path as reports show it: from the working directory if below it, always readable."""
    absolute = Path(os.path.normpath(path.absolute()))
    here = Path.cwd()
    shown = absolute.relative_to(here) if absolute.is_relative_to(here) else absolute
    return "" if shown == Path() else _readable(str(shown))


def _readable(path: str) -> str:
    """The path in Unicode, whatever the bytes of its name are."""
    return path if path.isascii() else os.fsencode(path).decode(errors="replace")
