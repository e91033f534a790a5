"""The file formats digestbot reads, by name: the one place where a new format is registered."""

from __future__ import annotations

from typing import Protocol

from digestbot.files import dockerfile
from digestbot.files.occurrence import Occurrence


class Format(Protocol):
    """A kind of file: which paths are of this kind, and which references their bytes hold."""

    def matches(self, path: str) -> bool:
        """Whether a file of this path (relative, `/` between its parts) is of this format."""

    def read(self, path: str, data: bytes) -> list[Occurrence]:
        """Every image reference in the file, in the order they stand.

        Never raises: what cannot be read is an occurrence with a `skip`.
        """


FORMATS: dict[str, Format] = {"dockerfile": dockerfile}


def format_of(path: str) -> str | None:
    """The name of the format that reads files of this path; None where none does."""
    return next((name for name, known in FORMATS.items() if known.matches(path)), None)
