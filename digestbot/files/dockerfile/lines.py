"""Physical lines to logical ones: comments and blank lines go, continuations are joined.

The rules are those of BuildKit, frontend/dockerfile/parser/parser.go.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

from digestbot.files.dockerfile.heredocs import Heredoc
from digestbot.files.dockerfile.quick import plain_lines
from digestbot.files.dockerfile.rejection import RejectedError
from digestbot.files.dockerfile.source import Source
from digestbot.files.dockerfile.space import leading
from digestbot.files.dockerfile.value import NOWHERE, Value


@dataclass(frozen=True, slots=True)
class LogicalLine:
    """One instruction's text, and the pieces of the file it was joined from.

    `number` is the physical line, from 1, where it begins; each of `pieces` says from which
    index of the text on, and from which offset of the file, characters follow one another.
    """

    number: int
    text: str
    pieces: tuple[tuple[int, int], ...]

    def offsets(self, start: int, end: int) -> Sequence[int]:
        """The file offsets of the characters `start:end`."""
        if len(self.pieces) == 1:
            offset = self.pieces[0][1]
            return range(offset + start, offset + end)
        at = bisect_right(self.pieces, start, key=itemgetter(0)) - 1
        found: list[int] = []
        for index in range(at, len(self.pieces)):
            first, offset = self.pieces[index]
            last = self.pieces[index + 1][0] if index + 1 < len(self.pieces) else len(self.text)
            run = range(offset + start - first, offset + min(end, last) - first)
            if end <= last and not found:
                return run
            found.extend(run)
            start = last
            if end <= last:
                break
        return found

    def value(self, start: int, end: int) -> Value:
        """The characters `start:end` with their provenance."""
        offsets = self.offsets(start, end)
        return Value(self.text[start:end], offsets, offsets[-1] + 1 if offsets else NOWHERE)


class LogicalLines(Iterator[LogicalLine]):
    """Walks over a file's logical lines; whoever sees a heredoc skips its body."""

    def __init__(self, source: Source, escape: str) -> None:
        self._source = source
        self._escape = escape
        self._next = 0

    def pass_over(self) -> None:
        """Go behind all the lines that follow and matter to nobody, once there was a FROM."""
        starts = self._source.starts
        if self._next < len(self._source.lines):
            at = starts[self._next]
            match = plain_lines(self._escape).match(self._source.text, at)
            if match and match.end() > at:
                self._next = bisect_left(starts, match.end())

    def __next__(self) -> LogicalLine:
        lines = self._source.lines
        while self._next < len(lines):
            index = self._next
            self._next += 1
            line = lines[index]
            if index == 0 and self._source.bom:
                start = self._source.bom + leading(line[self._source.bom :])
            else:
                start = leading(line)
            if start < len(line) and line[start] != "#":
                return self._joined(index, start)
        raise StopIteration

    def skip_body(self, heredoc: Heredoc, number: int) -> None:
        """Go behind the line that ends this heredoc of the instruction on line `number`.

        Raises:
            RejectedError: There is no such line.
        """
        lines = self._source.lines
        for index in range(self._next, len(lines)):
            line = lines[index].rstrip("\r")
            if heredoc.chomp:
                line = line.lstrip("\t")
            if line == heredoc.name:
                self._next = index + 1
                return
        raise RejectedError(number, f"the heredoc <<{heredoc.name[:40]} is never ended")

    def _joined(self, index: int, start: int) -> LogicalLine:
        lines, starts = self._source.lines, self._source.starts
        number = index + 1
        text, continued = self._without_escape(lines[index])
        if not continued:
            return LogicalLine(number, text[start:], ((0, starts[index] + start),))
        texts, pieces = [text[start:]], [(0, starts[index] + start)]
        length = len(text) - start
        while continued and self._next < len(lines):
            index = self._next
            self._next += 1
            line = lines[index]
            lead = leading(line)
            if lead == len(line) or line[lead] == "#":
                continue
            text, continued = self._without_escape(line)
            texts.append(text)
            pieces.append((length, starts[index]))
            length += len(text)
        return LogicalLine(number, "".join(texts), tuple(pieces))

    def _without_escape(self, line: str) -> tuple[str, bool]:
        """A physical line without its end, and whether the next one continues it.

        A doubled escape continues nothing.
        """
        line = line.rstrip("\r")
        body = line.rstrip(" \t")
        if body.endswith(self._escape) and body[-2:-1] != self._escape:
            return body[:-1], True
        return line, False
