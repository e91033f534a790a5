"""Writing a file so that it is either as it was or as it should be, never half."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from digestbot.errors import WriteError


def replace_file(path: Path, before: bytes, after: bytes) -> None:
    """Replace a file's bytes at once, keeping its mode and owner.

    The new bytes are written beside it, flushed to disk, then renamed over it; a link is
    followed, so that it stays a link.

    Raises:
        WriteError: The file is read-only, no longer holds `before`, or the system refused
            (disk full, no permission); it is left as it was.
    """
    try:
        real = path.resolve(strict=True)
        status = real.stat()
        if not status.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
            raise WriteError(
                f"cannot write {path}: the file is read-only",
                hint=f"chmod u+w {path}, then run again",
            )
        if real.read_bytes() != before:
            raise WriteError(
                f"cannot write {path}: the file changed while digestbot was at work",
                hint="run again",
            )
        _write_beside(real, after, status)
    except OSError as error:
        reason = error.strerror or str(error)
        raise WriteError(
            f"cannot write {path}: {reason}",
            hint="the file is as it was; see to disk space and permissions, then run again",
        ) from error


def _write_beside(real: Path, data: bytes, status: os.stat_result) -> None:
    import tempfile  # noqa: PLC0415 - most runs write no file

    descriptor, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fchmod(stream.fileno(), stat.S_IMODE(status.st_mode))
            created = os.fstat(stream.fileno())
            if (created.st_uid, created.st_gid) != (status.st_uid, status.st_gid):
                os.fchown(stream.fileno(), status.st_uid, status.st_gid)
                # chown may clear set-uid bits, so the mode comes once more.
                os.fchmod(stream.fileno(), stat.S_IMODE(status.st_mode))
            os.fsync(stream.fileno())
        Path(name).replace(real)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    _sync_folder(real.parent)


def _sync_folder(folder: Path) -> None:
    # Not every file system lets a folder be flushed; the rename itself has happened.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
