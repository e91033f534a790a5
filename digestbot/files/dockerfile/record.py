"""From a text with provenance to an occurrence: reference, place, comments, and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable

from digestbot.files.dockerfile.place import place_of
from digestbot.files.dockerfile.source import Source
from digestbot.files.dockerfile.value import Value, shown
from digestbot.files.occurrence import Occurrence, Pin, Skip, Steering
from digestbot.files.steering import SteeringError, parse_steering
from digestbot.image import ImageReference, InvalidReferenceError

FORMAT = "dockerfile"
TEMPLATE_MARKS = re.compile(r"\{\{|\{%|<%")
_NO_STEERING = Steering()
_HEX = re.compile(r"[0-9a-f]{64}")
_IMAGE_ID = Skip("image-id", "this is the id of a local image, not a reference to follow")


class Recorder:
    """Makes the occurrences of one file."""

    def __init__(self, path: str, source: Source) -> None:
        self._path = path
        self._source = source
        self._steering: dict[frozenset[int], Steering | SteeringError] = {}

    def image(self, kind: str, written: Value, value: Value, line: int | None = None) -> Occurrence:
        """An image: as it is written, and what that expands to.

        `line` is where the instruction begins; without one no comment steers.
        """
        reference, skip = _judge(value)
        place, refusal = None, None
        if reference is not None and skip != _IMAGE_ID:
            place, refusal = place_of(value, reference)
        at = written.offsets[0]
        steering = _NO_STEERING
        if line is not None:
            lines = {line, self._source.line_at(at)}
            if place is not None:
                lines.add(self._source.line_at(place.start - (not isinstance(place, Pin))))
            try:
                steering = self._steered(frozenset(lines))
            except SteeringError as error:
                skip = Skip("bad-comment", str(error))
        return Occurrence(
            path=self._path,
            line=self._source.line_at(at),
            column=self._source.column_at(at),
            format=FORMAT,
            kind=kind,
            written=shown(written.text),
            reference=reference,
            place=place,
            skip=skip,
            refusal=refusal,
            steering=steering,
        )

    def skipped(self, kind: str, written: Value, skip: Skip) -> Occurrence:
        """Something that cannot be followed."""
        at = written.offsets[0]
        line, column = self._source.line_at(at), self._source.column_at(at)
        return Occurrence(self._path, line, column, FORMAT, kind, shown(written.text), skip=skip)

    def file(self, line: int, skip: Skip) -> Occurrence:
        """The file as a whole, which cannot be read."""
        return Occurrence(self._path, line, 1, FORMAT, "file", "", skip=skip)

    def _steered(self, lines: frozenset[int]) -> Steering:
        """What the comments above these lines say, taken together."""
        if lines not in self._steering:
            self._steering[lines] = self._parsed(lines)
        found = self._steering[lines]
        if isinstance(found, SteeringError):
            raise found
        return found

    def _parsed(self, lines: Iterable[int]) -> Steering | SteeringError:
        if not self._source.steers:
            return _NO_STEERING
        comments = [text for line in sorted(lines) for text in self._source.comments_above(line)]
        try:
            return parse_steering(*comments)
        except SteeringError as error:
            return error


def _judge(value: Value) -> tuple[ImageReference | None, Skip | None]:
    text = shown(value.text)
    try:
        reference = ImageReference.parse(text)
    except InvalidReferenceError as error:
        return None, _why_invalid(value, text, str(error))
    if reference.image == "docker.io/library/sha256" and _HEX.fullmatch(reference.tag or ""):
        return reference, _IMAGE_ID
    if value.platform:
        names = ", ".join(sorted(value.platform))
        return reference, Skip("platform-arg", f"the image depends on {names}: it is not one image")
    return reference, None


def _why_invalid(value: Value, text: str, message: str) -> Skip:
    if value.unset:
        names = ", ".join(shown(name) for name in sorted(value.unset))
        return Skip("build-arg", f"{names} has no default: only a build argument tells the image")
    if _HEX.fullmatch(text):
        return _IMAGE_ID
    if TEMPLATE_MARKS.search(text):
        return Skip("template", "this is a template, not an image")
    return Skip("invalid-reference", message)
