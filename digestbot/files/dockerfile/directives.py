"""Directives: `# escape=`, `# syntax=` and `# check=` at the very top of a file.

The rules are those of BuildKit, frontend/dockerfile/parser/directives.go and parser.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from digestbot.files.dockerfile.rejection import RejectedError
from digestbot.files.dockerfile.source import Source
from digestbot.files.dockerfile.space import leading

_KEY = re.compile(r"([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*")
_KNOWN = frozenset({"escape", "syntax", "check"})
_ESCAPES = frozenset("\\`")
DEFAULT_ESCAPE = "\\"


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive: the file offsets of its value, and its line, from 1."""

    line: int
    key: str
    start: int
    end: int


def directives(
    source: Source, mark: str = "#", *, first: int = 0, indented: bool = False
) -> Iterator[Directive]:
    """The directives from physical line `first` (from 0) on, up to the first other line."""
    for index in range(first, len(source.lines)):
        line = source.lines[index].rstrip("\r")
        at = source.bom if index == 0 else 0
        if indented:
            at += leading(line[at:])
        if not line.startswith(mark, at):
            return
        at += len(mark)
        at += leading(line[at:])
        match = _KEY.match(line, at)
        if match is None or match[1].lower() not in _KNOWN:
            return
        start, end = match.end(), len(line.rstrip("\t\n\f\r "))
        if end <= start:
            # Nothing but white space: its last character is the value, by the regular
            # expression that BuildKit uses.
            start, end = len(line) - 1, len(line)
            if line[start] == "=":
                return
        offset = source.starts[index]
        yield Directive(index + 1, match[1].lower(), offset + start, offset + end)


def escape_of(source: Source) -> str:
    r"""The escape character of a file, `\` unless a directive says otherwise.

    Raises:
        RejectedError: A directive is given twice, or the escape is neither `\` nor a backtick.
    """
    seen: set[str] = set()
    escape = DEFAULT_ESCAPE
    for directive in directives(source, indented=True):
        if directive.key in seen:
            raise RejectedError(directive.line, f"the directive {directive.key} is given twice")
        seen.add(directive.key)
        if directive.key == "escape":
            escape = source.text[directive.start : directive.end]
            if escape not in _ESCAPES:
                raise RejectedError(directive.line, "the escape must be \\ or `")
    return escape
