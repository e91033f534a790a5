"""Where a command's data goes: stdout, or a file that is written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import click

from digestbot.errors import UsageError


def write_whole(path: Path, data: str | bytes) -> None:
    """Write a file of our own making at once; what it held before is replaced.

    Raises:
        UsageError: The system refused.
    """
    payload = data.encode("utf-8", "replace") if isinstance(data, str) else data
    try:
        if path.exists() and not path.is_file():
            # A pipe or /dev/stdout cannot be renamed over.
            path.write_bytes(payload)
            return
        _replace(path, payload)
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror or error}",
            hint="name a file in a folder that exists and may be written",
        ) from error


def _replace(path: Path, payload: bytes) -> None:
    import tempfile  # noqa: PLC0415 - most runs write no file

    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(payload)
        # mkstemp makes private files; a report is as public as the user's umask says.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def emit(data: str | bytes, output: Path | None, *, color: bool = False) -> None:
    """Write data to the file, or to stdout where there is none."""
    if output is not None:
        write_whole(output, data)
    elif data:
        payload = data.encode("utf-8", "replace").decode() if isinstance(data, str) else data
        click.echo(payload, nl=False, color=color)
