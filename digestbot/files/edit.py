"""Edits: byte span, old bytes, new bytes; and how they are applied to a file's bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from digestbot.errors import EditRefusedError


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace the bytes `start:end`, which hold `old`, by `new`; all ASCII."""

    path: str
    start: int
    end: int
    old: str
    new: str


def apply_edits(data: bytes, edits: Iterable[Edit]) -> bytes:
    """The file's bytes with the edits made; everything outside their spans is untouched.

    Raises:
        EditRefusedError: The file no longer holds the old bytes, or two edits overlap.
    """
    pieces: list[bytes] = []
    done, last = 0, -1
    for edit in sorted(set(edits)):
        # Two insertions at one byte do not overlap, but nobody meant one behind the other.
        if edit.start < done or edit.start == last:
            raise EditRefusedError(
                f"{edit.path}: two different edits meet at byte {edit.start}", reason="overlap"
            )
        if data[edit.start : edit.end] != edit.old.encode():
            raise EditRefusedError(
                f"{edit.path}: byte {edit.start} no longer holds what was read there",
                reason="file-changed",
                hint="scan again",
            )
        pieces += [data[done : edit.start], edit.new.encode()]
        done, last = edit.end, edit.start
    pieces.append(data[done:])
    return b"".join(pieces)
