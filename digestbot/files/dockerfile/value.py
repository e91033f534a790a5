"""Text with provenance: every character of a value knows the file offset it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NOWHERE = -1
"""The offset of a character that stands in no file, such as `amd64` for `$TARGETARCH`."""

CONDITIONAL = -2
"""A `tail` behind which further text may follow, depending on a build argument."""


@dataclass(frozen=True, slots=True)
class Value:
    """A text, the offset of each of its characters, and what its expansion looked at.

    `tail` is the file offset where text must be inserted to follow this value and nothing
    else: behind the last character, but behind `$V` as a whole if a variable gave the end
    of a longer text, and inside the variable's default if that gave all of it.

    `platform` names the predefined variables that took part, `unset` the variables without
    a value that were replaced by nothing.
    """

    text: str
    offsets: Sequence[int]
    tail: int = NOWHERE
    platform: frozenset[str] = frozenset()
    unset: frozenset[str] = frozenset()

    @classmethod
    def predefined(cls, name: str, text: str) -> Value:
        """What BuildKit itself says, such as `amd64` for TARGETARCH: it stands in no file."""
        return cls(text, (NOWHERE,) * len(text), platform=frozenset({name}))

    def cut(self, start: int, end: int | None = None) -> Value:
        """The characters from `start` up to `end`."""
        offsets = self.offsets[start:end]
        tail = offsets[-1] + 1 if offsets and offsets[-1] != NOWHERE else NOWHERE
        return Value(self.text[start:end], offsets, tail, self.platform, self.unset)


def shown(text: str) -> str:
    """The text as people read it: its bytes as UTF-8."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")
