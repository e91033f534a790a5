"""Instructions: a keyword, its flags, and where its arguments stand in the logical line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from digestbot.files.dockerfile.flags import split_flags
from digestbot.files.dockerfile.heredocs import NestingError, heredocs
from digestbot.files.dockerfile.lines import LogicalLine, LogicalLines
from digestbot.files.dockerfile.rejection import RejectedError
from digestbot.files.dockerfile.source import Source
from digestbot.files.dockerfile.space import leading, trimmed_end
from digestbot.files.dockerfile.value import Value
from digestbot.files.dockerfile.words import NotStringsError, json_strings

_KEYWORD = re.compile(r"([^\t\v\f\r ]*)[\t\v\f\r ]*")
_HEREDOC_KEYWORDS = frozenset({"run", "copy", "add"})
_ONBUILD = "onbuild"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: `start:end` are its arguments in the text of its logical line.

    `keyword` is in lower case if it can be one; nothing says yet that it is a known one.
    """

    line: LogicalLine
    keyword: str
    flags: tuple[Value, ...]
    start: int
    end: int
    escape: str

    @classmethod
    def of(cls, line: LogicalLine, start: int, end: int, escape: str) -> Instruction:
        """Split `start:end` of a logical line; see `splitCommand` of BuildKit's parser."""
        text = line.text
        match = _KEYWORD.match(text, start, end)
        keyword, start = (match[1], match.end()) if match else ("", start)
        if keyword.isascii():
            keyword = keyword.lower()
        flags: tuple[Value, ...] = ()
        if text.startswith("--", start) or text[start : start + 1] >= "\x80":
            flags, start = split_flags(line, start, end, escape)
            start = min(start + leading(text[start:end]), end)
        return cls(line, keyword, flags, start, end, escape)

    @property
    def number(self) -> int:
        """The physical line where the instruction begins."""
        return self.line.number

    @property
    def arguments(self) -> str:
        """What stands behind the keyword and the flags, without white space around it."""
        return self.line.text[self.start : self.end]

    @property
    def trigger(self) -> Instruction:
        """The instruction inside an ONBUILD."""
        return Instruction.of(self.line, self.start, self.end, self.escape)


def read_instructions(source: Source, escape: str, *, every: bool = False) -> Iterator[Instruction]:
    """The instructions of a file, in order; bodies of heredocs are passed over.

    Behind the first FROM, those that keep all rules and name no image are passed over too,
    unless `every` one is asked for.

    Raises:
        RejectedError: A heredoc has no end.
    """
    lines = LogicalLines(source, escape)
    quick = False
    for line in lines:
        text = line.text
        instruction = Instruction.of(line, leading(text), trimmed_end(text), escape)
        yield instruction
        if "<<" in text and _may_hold_heredocs(instruction):
            try:
                for heredoc in heredocs(text):
                    lines.skip_body(heredoc, line.number)
            except NestingError as error:
                raise RejectedError(line.number, "expansions are nested too deep") from error
        quick = quick or (instruction.keyword == "from" and not every)
        if quick:
            lines.pass_over()


def _may_hold_heredocs(instruction: Instruction) -> bool:
    if instruction.keyword == _ONBUILD:
        instruction = instruction.trigger
    if instruction.keyword not in _HEREDOC_KEYWORDS:
        return False
    try:
        return json_strings(instruction.arguments) is None
    except NotStringsError:
        return False
