"""A notation for Dockerfiles in tests, in which people can see digests and places.

`D1` is a sha256 digest of 64 ones, `H1` its hex alone, `La` a sha512 digest of 128 a. `«D1»`
marks a digest that an edit may replace, `‸` a gap for a first one; what is unmarked stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from digestbot.files import dockerfile
from digestbot.files.occurrence import Gap, Occurrence, Pin

_LONG = re.compile(r"sha256:([0-9a-f])\1{63}|sha512:([0-9a-f])\2{127}")


@dataclass(frozen=True)
class Marked:
    """A file, and the places that are marked in it: `(start, end)` in bytes."""

    data: bytes
    places: set[tuple[int, int]]


def long(text: str) -> str:
    """The text with its digests written out."""
    return re.sub(r"(?<![A-Za-z0-9$({])([DHL])([0-9a-f])(?![A-Za-z0-9_=])", _written_out, text)


def _written_out(match: re.Match[str]) -> str:
    kind, digit = match.groups()
    if kind == "L":
        return f"sha512:{digit * 128}"
    return ("sha256:" if kind == "D" else "") + digit * 64


def short(text: str) -> str:
    """The text with its digests abbreviated."""
    return _LONG.sub(lambda match: f"D{match[1]}" if match[1] else f"L{match[2]}", text)


def marked(text: str) -> Marked:
    """A file in this notation as bytes, without its marks."""
    pieces: list[str] = []
    places: set[tuple[int, int]] = set()
    size = start = 0
    for piece in re.split("([«»‸])", long(text)):
        if piece == "‸":
            places.add((size, size))
        elif piece == "«":
            start = size
        elif piece == "»":
            # The algorithm before the hex digits is never edited.
            prefix = len("sha256:") if size - start > len("sha256:") + 63 else 0
            places.add((start + prefix, size))
        else:
            pieces.append(piece)
            size += len(piece.encode())
    return Marked("".join(pieces).encode(), places)


def read(text: str) -> list[Occurrence]:
    """The occurrences of a file in this notation."""
    return dockerfile.read("Dockerfile", marked(text).data)


def places(occurrences: list[Occurrence]) -> set[tuple[int, int]]:
    """Where edits of these occurrences would land: `(start, end)` in bytes."""
    return {_span(found.place) for found in occurrences if found.place is not None}


def _span(place: Pin | Gap) -> tuple[int, int]:
    return (place.start, place.end if isinstance(place, Pin) else place.start)


def images(text: str) -> list[str]:
    """What a file in this notation pulls: kind and normalised reference, or why not."""
    return [image(found) for found in read(text)]


def image(found: Occurrence) -> str:
    """One occurrence in a line."""
    if found.skip is not None:
        return f"{found.kind} !{found.skip.reason}"
    return f"{found.kind} {short(str(found.reference))}"
