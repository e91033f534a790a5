"""A file as text: one character per byte, with the positions of its lines."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

from digestbot.files.dockerfile.space import leading
from digestbot.files.dockerfile.value import shown

BOM = "\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Source:
    """The file viewed as latin-1: an index into `text` is a byte offset in the file.

    `lines` are the physical lines without their line feed, `starts` the offsets where they
    begin; `steers` whether a comment may be meant for us. A byte order mark stays in `text` and
    in the first line.
    """

    text: str
    lines: list[str]
    starts: list[int]
    steers: bool

    @classmethod
    def of(cls, data: bytes) -> Source:
        """View these bytes; nothing is decoded and nothing can fail."""
        text = data.decode("latin-1")
        lines = text.split("\n")
        starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
        return cls(text, lines, starts, steers="digestbot" in text.lower())

    @property
    def bom(self) -> int:
        """The length of the byte order mark, 0 without one."""
        return len(BOM) if self.text.startswith(BOM) else 0

    def line_at(self, offset: int) -> int:
        """The number of the physical line, from 1, that holds this offset."""
        return min(bisect_right(self.starts, offset), len(self.lines))

    def column_at(self, offset: int) -> int:
        """The column of this offset in its line: Unicode characters, from 1, without the BOM."""
        start = max(self.starts[self.line_at(offset) - 1], self.bom)
        return len(shown(self.text[start:offset])) + 1

    def comments_above(self, line: int) -> list[str]:
        """The comment lines that stand directly above this line, from top to bottom."""
        found: list[str] = []
        while line > 1:
            line -= 1
            text = self.lines[line - 1]
            text = text[leading(text) :]
            if not text.startswith("#"):
                break
            found.append(shown(text.rstrip("\r")))
        return found[::-1]
