"""From a text with provenance to an occurrence: reference, place, comments, and what is wrong."""

from __future__ import annotations

import re
from dataclasses import replace

from digestbot.files.dockerfile.place import MAX_NAMES, place_of
from digestbot.files.dockerfile.source import Source
from digestbot.files.dockerfile.value import Value, shown
from digestbot.files.occurrence import Occurrence, Pin, Skip, Steering
from digestbot.files.steering import SteeringError, combine, parse_steering
from digestbot.image import ImageReference, InvalidReferenceError

FORMAT = "dockerfile"
TEMPLATE_MARKS = re.compile(r"\{\{|\{%|<%")
_HEX = re.compile(r"[0-9a-f]{64}")
_IMAGE_ID = Skip("image-id", "this is the id of a local image, not a reference to follow")


class Recorder:
    """Makes the occurrences of one file."""

    def __init__(self, path: str, source: Source) -> None:
        self._path = path
        self._source = source
        self._steering: dict[int, Steering | SteeringError] = {}

    def image(self, kind: str, written: Value, value: Value, line: int | None = None) -> Occurrence:
        """An image: as it is written, and what that expands to.

        `line` is where the instruction begins; without one no comment steers.
        """
        found = self.skipped(kind, written, None, line)
        reference, skip = _judge(value)
        if reference is None or skip == _IMAGE_ID:
            return replace(found, reference=reference, skip=found.skip or skip)
        place, refusal = place_of(value, reference)
        if place is not None and line is not None and self._source.steers:
            # An ARG default may have comments of its own; a gap belongs to the text before it.
            at = place.start if isinstance(place, Pin) else place.start - 1
            found = self._steer(found, line, found.line, self._source.line_at(at))
        return replace(
            found, reference=reference, place=place, refusal=refusal, skip=found.skip or skip
        )

    def skipped(self, kind: str, written: Value, skip: Skip | None, line: int | None) -> Occurrence:
        """Something that cannot be followed."""
        at = max(written.offsets[0], 0)
        own, column = self._source.line_at(at), self._source.column_at(at)
        text = shown(written.text)
        found = Occurrence(self._path, own, column, FORMAT, kind, text, skip=skip)
        if line is None or not self._source.steers:
            return found
        return self._steer(found, line, own)

    def file(self, line: int, skip: Skip) -> Occurrence:
        """The file as a whole, which cannot be read."""
        return Occurrence(self._path, line, 1, FORMAT, "file", "", skip=skip)

    def _steer(self, found: Occurrence, *lines: int) -> Occurrence:
        """The occurrence with what the comments above these lines say, taken together."""
        try:
            steering = combine(self._steered(line) for line in sorted(set(lines)))
        except SteeringError as error:
            return replace(found, skip=Skip("bad-comment", str(error)))
        return replace(found, steering=steering)

    def _steered(self, line: int) -> Steering:
        if line not in self._steering:
            try:
                self._steering[line] = parse_steering(*self._source.comments_above(line))
            except SteeringError as error:
                self._steering[line] = error
        found = self._steering[line]
        if isinstance(found, SteeringError):
            raise found
        return found


def _judge(value: Value) -> tuple[ImageReference | None, Skip | None]:
    text = shown(value.text)
    try:
        reference = ImageReference.parse(text)
    except InvalidReferenceError as error:
        return None, _why_invalid(value, text, str(error))
    if reference.image == "docker.io/library/sha256" and _HEX.fullmatch(reference.tag or ""):
        return reference, _IMAGE_ID
    if value.platform:
        names = ", ".join(sorted(value.platform)[:MAX_NAMES])
        return reference, Skip("platform-arg", f"the image depends on {names}: it is not one image")
    return reference, None


def _why_invalid(value: Value, text: str, message: str) -> Skip:
    if value.unset:
        names = ", ".join(shown(name) for name in sorted(value.unset)[:MAX_NAMES])
        message = f"no ARG before the first FROM gives {names} a value: nothing says which image"
        return Skip("build-arg", message)
    if _HEX.fullmatch(text):
        return _IMAGE_ID
    if TEMPLATE_MARKS.search(text):
        return Skip("template", "this is a template, not an image")
    return Skip("invalid-reference", message)
