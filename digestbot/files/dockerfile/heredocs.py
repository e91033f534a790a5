r"""Which heredocs a line announces: BuildKit splits it as a shell would, and so do we.

The rules are those of `heredocsFromLine` in frontend/dockerfile/parser/parser.go and of
frontend/dockerfile/shell/lex.go, in the mode that keeps quotes, escapes and unset variables.
The escape is always `\` here, whatever the file's directive says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from digestbot.files.dockerfile.names import read_name
from digestbot.files.dockerfile.source import BOM
from digestbot.files.dockerfile.space import SPACE

_HEREDOC = re.compile(r"[0-9]*<<(-?)[\t\n\f\r ]*([^<]*)")
_SPACE = re.compile(SPACE)
_SPACES = re.compile(f"{SPACE}+")
_ORDINARY = re.compile(r"[^$<'\"\\}/\t\n\v\f\r \x80-\xff]+")
_IN_QUOTES = re.compile(r'[^"$\\]+')
_BLANK = re.compile(r"[\t\r ]*")
_MAX_DEPTH = 50


@dataclass(frozen=True, slots=True)
class Heredoc:
    """One `<<NAME`: its body ends with the line `name`; `chomp` forgives leading tabs."""

    name: str
    chomp: bool


class NestingError(Exception):
    """Expansions stand in each other deeper than anyone would write."""


def heredocs(line: str) -> list[Heredoc]:
    """The heredocs of a joined line, in the order of their bodies.

    A line that cannot be split, because of an odd quote for instance, has none.

    Raises:
        NestingError: Expansions are nested more than 50 deep.
    """
    try:
        words = _Splitter(line, raw=True).words()
    except _LexError:
        return []
    return [found for word in words if (found := heredoc(word)) is not None]


def heredoc(word: str) -> Heredoc | None:
    """The heredoc this word announces, if it does.

    Raises:
        NestingError: Expansions are nested more than 50 deep.
    """
    match = _HEREDOC.fullmatch(word)
    if match is None or not match[2]:
        return None
    try:
        # Go's scanner takes a BOM at the start of what it reads for no text at all.
        names = _Splitter(match[2].removeprefix(BOM), raw=False).words()
    except _LexError:
        return None
    return Heredoc(names[0], chomp=bool(match[1])) if len(names) == 1 else None


class _LexError(Exception):
    """The text breaks off, or holds an expansion that does not exist."""


class _Splitter:
    """Splits one text into words; with `raw`, quotes and escapes stay in them."""

    def __init__(self, text: str, *, raw: bool) -> None:
        self._text = text
        self._raw = raw
        self._at = 0
        self._words: list[str] = []
        self._word: list[str] = []

    def words(self) -> list[str]:
        """All words of the text.

        Raises:
            _LexError: It cannot be split.
        """
        while self._at < len(self._text):
            part, splits = self._part(raw=self._raw, depth=0)
            first, *others = _SPACE.split(part) if splits else [part]
            self._word.append(first)
            for other in others:
                self._flush()
                self._word = [other]
        self._flush()
        return self._words

    def _flush(self) -> None:
        if word := "".join(self._word):
            self._words.append(word)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        if self._at >= len(self._text):
            raise _LexError
        self._at += 1
        return self._text[self._at - 1]

    def _until(self, stop: str, *, raw: bool, depth: int) -> str:
        """The text up to `stop`, inside an expansion."""
        if depth > _MAX_DEPTH:
            raise NestingError
        # BuildKit forgets the part of a word that stands before such an expansion.
        self._word = []
        parts: list[str] = []
        while self._peek() != stop:
            if self._at >= len(self._text):
                raise _LexError
            parts.append(self._part(raw=raw, depth=depth)[0])
        self._at += 1
        return "".join(parts)

    def _part(self, *, raw: bool, depth: int) -> tuple[str, bool]:
        """The next piece of text, and whether white space in it separates words."""
        if ordinary := _ORDINARY.match(self._text, self._at):
            self._at = ordinary.end()
            return ordinary[0], False
        if spaces := _SPACES.match(self._text, self._at):
            self._at = spaces.end()
            return spaces[0], True
        char = self._take()
        if char == "$":
            return self._dollar(depth=depth), True
        if char == "'":
            return self._single_quoted(), False
        if char == '"':
            return self._double_quoted(raw=raw, depth=depth), False
        if char == "<":
            return self._less_than(), False
        if char == "\\":
            escaped = self._peek()
            self._at += 1
            return (char if raw else "") + escaped, False
        return char, False

    def _less_than(self) -> str:
        if self._peek() != "<":
            return "<"
        blank = _BLANK.match(self._text, self._at + 1)
        self._at = blank.end() if blank else self._at + 1
        return "<<" + (blank[0] if blank else "")

    def _single_quoted(self) -> str:
        end = self._text.find("'", self._at)
        if end < 0:
            raise _LexError
        inside = self._text[self._at : end]
        self._at = end + 1
        return f"'{inside}'" if self._raw else inside

    def _double_quoted(self, *, raw: bool, depth: int) -> str:
        quote = '"' if self._raw else ""
        parts = [quote]
        while (char := self._take()) != '"':
            if char == "$":
                parts.append(self._dollar(depth=depth))
            elif char == "\\":
                escapes = self._peek() in {'"', "$", "\\"}
                # A bare escape is doubled where escapes are kept: it is read once more.
                parts.append(("\\" if raw else "") + (self._take() if escapes else "\\"))
            else:
                run = _IN_QUOTES.match(self._text, self._at - 1)
                parts.append(run[0] if run else char)
                self._at = run.end() if run else self._at
        return "".join([*parts, quote])

    def _dollar(self, *, depth: int) -> str:
        if self._peek() != "{":
            name, self._at = read_name(self._text, self._at)
            return f"${name}"
        self._at += 1
        if self._peek() in {"", "{", "}", ":"}:
            raise _LexError
        name, self._at = read_name(self._text, self._at)
        operator = self._take()
        if operator == "}":
            return f"${{{name}}}"
        if operator == "/":
            return self._replacement(name, depth)
        if operator == ":":
            operator += self._take()
        if operator[0] not in ":+-?#%" or operator in {":#", ":%"}:
            raise _LexError
        word = self._until("}", raw=operator in {"#", "%"}, depth=depth + 1)
        return f"${{{name}{operator}{word}}}"

    def _replacement(self, name: str, depth: int) -> str:
        if self._peek() == "/":
            self._at += 1
        pattern = self._until("/", raw=True, depth=depth + 1)
        replacement = self._until("}", raw=True, depth=depth + 1)
        return f"${{{name}/{pattern}/{replacement}}}"
