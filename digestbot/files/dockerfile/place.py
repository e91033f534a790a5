"""Where an edit of a reference lands in the file, or why it cannot."""

from __future__ import annotations

from digestbot.files.dockerfile.value import CONDITIONAL, NOWHERE, Value
from digestbot.files.occurrence import Gap, Pin, Skip
from digestbot.image import Digest, ImageReference

_ALGORITHM = "sha256"
MAX_NAMES = 8
"""How many variables a message names."""


def place_of(value: Value, reference: ImageReference) -> tuple[Pin | Gap | None, Skip | None]:
    """The place of the digest, or for a first one; None comes with the reason."""
    if reference.digest is not None:
        return _pin(value, reference.digest)
    return _gap(value, reference)


def _pin(value: Value, digest: Digest) -> tuple[Pin | None, Skip | None]:
    if digest.algorithm != _ALGORITHM:
        message = f"registries answer {_ALGORITHM}; a {digest.algorithm} digest is left alone"
        return None, Skip("other-algorithm", message)
    offsets = value.offsets[-len(digest.hex) :]
    if NOWHERE in offsets:
        return None, _NO_PLACE
    start, end = offsets[0], offsets[-1] + 1
    if tuple(offsets) != tuple(range(start, end)):
        return None, Skip("split-digest", "the digest is pieced together from several places")
    return Pin(start, end), None


def _gap(value: Value, reference: ImageReference) -> tuple[Gap | None, Skip | None]:
    if value.unset:
        names = ", ".join(sorted(value.unset)[:MAX_NAMES])
        message = f"a digest would fix an image that {names} may still change"
        return None, Skip("build-arg", message)
    if value.tail == CONDITIONAL:
        message = "a conditional expansion follows the name: a digest may follow there, or not"
        return None, Skip("conditional", message)
    if value.tail == NOWHERE:
        return None, _NO_PLACE
    return Gap(value.tail, "" if reference.tag is not None else ":latest"), None


_NO_PLACE = Skip("no-place", "the text of the reference stands in no file")
