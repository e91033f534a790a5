"""The record of one place in a file where an image reference stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from digestbot.image import ImageReference, Platform


@dataclass(frozen=True, slots=True)
class Skip:
    """Why something is not followed or not edited: a stable slug, and a sentence."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Ignore:
    """A `# digestbot: ignore` comment: until when (inclusive; None is for ever), and why."""

    until: date | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Steering:
    """What the comment on the line above says: `# digestbot: tag=… platform=… ignore …`."""

    tag: str | None = None
    platform: Platform | None = None
    ignore: Ignore | None = None


@dataclass(frozen=True, slots=True)
class Pin:
    """The bytes that hold the hex digits of a digest; offsets in the file, end exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Where a first digest goes: `before` is what stands between the gap and `@sha256:…`.

    It is empty behind a written tag, and `:latest` behind a name without one, so that the
    pinned reference can still be followed.
    """

    start: int
    before: str = ""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One image reference in one file.

    `line` and `column` count from 1, columns in Unicode characters; they say where `written`
    begins. `place` is where an edit lands, which may be far from there (an ARG default).
    A `skip` says why the reference is not looked up at all, a `refusal` why it is looked up
    but not edited; `place` is None whenever there is no safe place for an edit.
    """

    path: str
    line: int
    column: int
    format: str
    kind: str
    written: str
    reference: ImageReference | None = None
    place: Pin | Gap | None = None
    skip: Skip | None = None
    refusal: Skip | None = None
    steering: Steering = Steering()
