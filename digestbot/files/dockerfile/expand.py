"""Shell expansion of FROM and of ARG defaults, with provenance.

The rules are those of BuildKit, frontend/dockerfile/shell/lex.go: quotes, escapes, `$x`,
`${x}` and the operators `:-` `-` `:+` `+` `:?` `?` `#` `##` `%` `%%` `/` `//`, nested at will.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache

from digestbot.files.dockerfile import patterns
from digestbot.files.dockerfile.names import read_name
from digestbot.files.dockerfile.source import BOM
from digestbot.files.dockerfile.value import CONDITIONAL, NOWHERE, Value, shown

_NOTHING = Value("", ())
# What a build for linux/amd64 defines by itself (BuildKit, dockerfile2llb/platform.go).
_PREDEFINED = {
    name: Value.predefined(name, text)
    for name, text in {
        "BUILDPLATFORM": "linux/amd64",
        "BUILDOS": "linux",
        "BUILDOSVERSION": "",
        "BUILDARCH": "amd64",
        "BUILDVARIANT": "",
        "TARGETPLATFORM": "linux/amd64",
        "TARGETOS": "linux",
        "TARGETOSVERSION": "",
        "TARGETARCH": "amd64",
        "TARGETVARIANT": "",
        "TARGETSTAGE": "default",
    }.items()
}
_MAX_DEPTH = 50
# Substituted characters and pattern steps that one file may cost: a few lines of
# `ARG B=$A$A` would double a text for ever.
_MAX_WORK = 1_000_000
_MAX_PATTERN = 1000


@cache
def _patterns(escape: str) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Text that means itself, the same inside double quotes, and what needs a closer look."""
    mark = re.escape(escape)
    return (
        re.compile(rf"[^$'\"}}/{mark}]+"),
        re.compile(rf'[^"${mark}]+'),
        re.compile(rf"[$'\"{mark}]|\A{BOM}"),
    )


class ExpansionError(Exception):
    """A text cannot be expanded; `reason` is a stable slug."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Expander:
    """Expands words with the global ARGs defined so far."""

    def __init__(self, escape: str) -> None:
        self.escape = escape
        self.values = dict(_PREDEFINED)
        self.plain, self.in_quotes, self._special = _patterns(escape)
        self._work = _MAX_WORK

    def define(self, name: str, value: Value) -> None:
        """Give a variable its value; the last one counts."""
        self.values[name] = value

    def forget(self, name: str) -> None:
        """Take a variable's value away: only a build argument can give it one."""
        self.values.pop(name, None)

    def expand(self, word: Value) -> Value:
        """The text this word stands for.

        Raises:
            ExpansionError: The word breaks a rule, needs a build argument, or costs too much.
        """
        if self._special.search(word.text) is None:
            return word
        return _Expansion(self, word).run()

    def spend(self, amount: int) -> None:
        """Count work against the file's limit."""
        self._work -= amount
        if self._work < 0:
            raise ExpansionError("too-complex", "the expansions of this file grow without end")


class _Pieces:
    """Collects the text of one level, and knows where an insertion behind it belongs."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._offsets: list[int] = []
        self._tail = NOWHERE
        self._sole: Value | None = None
        self._platform: set[str] = set()
        self._unset: set[str] = set()

    def literal(self, text: str, offsets: Sequence[int]) -> None:
        self._add(text, offsets)
        self._sole = None
        self._tail = offsets[-1] + 1

    def looked_at(self, platform: Iterable[str], unset: Iterable[str]) -> None:
        self._platform.update(platform)
        self._unset.update(unset)

    def variable(self, value: Value, behind: int) -> None:
        """A variable's value as it is; `behind` is the offset behind its `$name`."""
        if value.text:
            self._sole = None if self._offsets else value
        self._add(value.text, value.offsets)
        self._tail = behind

    def computed(self, value: Value, tail: int) -> None:
        """What an operator yields; nothing at all might be something in another build."""
        self._sole = None
        self._add(value.text, value.offsets)
        self._tail = tail if value.text else CONDITIONAL

    def value(self) -> Value:
        return Value(
            "".join(self._texts),
            tuple(self._offsets),
            self._sole.tail if self._sole else self._tail,
            frozenset(self._platform),
            frozenset(self._unset),
        )

    def _add(self, text: str, offsets: Sequence[int]) -> None:
        self._texts.append(text)
        self._offsets.extend(offsets)


class _Expansion:
    """The expansion of one word: a cursor that reads it from left to right."""

    def __init__(self, expander: Expander, word: Value) -> None:
        self._expander = expander
        self._word = word
        self._text = word.text
        self._at = len(BOM) if word.text.startswith(BOM) else 0

    def run(self) -> Value:
        return self._until("", raw=False, depth=0)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        char = self._peek()
        if not char:
            raise _bad("an expansion has no closing '}'")
        self._at += 1
        return char

    def _literal(self, pieces: _Pieces, start: int, end: int) -> None:
        pieces.literal(self._text[start:end], self._word.offsets[start:end])

    def _until(self, stop: str, *, raw: bool, depth: int) -> Value:
        """The value of what stands before `stop`; with `raw`, escapes are kept."""
        if depth > _MAX_DEPTH:
            raise ExpansionError("too-complex", f"expansions are nested over {_MAX_DEPTH} deep")
        pieces = _Pieces()
        while self._peek() != stop:
            if self._at >= len(self._text):
                raise _bad("an expansion has no closing '}'")
            self._piece(pieces, raw=raw, depth=depth)
        self._at += 1
        return pieces.value()

    def _piece(self, pieces: _Pieces, *, raw: bool, depth: int) -> None:
        start = self._at
        if plain := self._expander.plain.match(self._text, start):
            self._at = plain.end()
            self._literal(pieces, start, self._at)
            return
        char = self._take()
        if char == "$":
            self._dollar(pieces, depth)
        elif char == "'":
            self._single_quoted(pieces)
        elif char == '"':
            self._double_quoted(pieces, raw=raw, depth=depth)
        elif char == self._expander.escape:
            self._at = min(self._at + 1, len(self._text))
            kept = start if raw else start + 1
            if kept < self._at:
                self._literal(pieces, kept, self._at)
        else:
            self._literal(pieces, start, self._at)

    def _single_quoted(self, pieces: _Pieces) -> None:
        end = self._text.find("'", self._at)
        if end < 0:
            raise _bad("a single quote is never closed")
        if end > self._at:
            self._literal(pieces, self._at, end)
        self._at = end + 1

    def _double_quoted(self, pieces: _Pieces, *, raw: bool, depth: int) -> None:
        escape = self._expander.escape
        while (char := self._peek()) != '"':
            start = self._at
            if not char:
                raise _bad("a double quote is never closed")
            self._at += 1
            if char == "$":
                self._dollar(pieces, depth)
            elif char == escape:
                self._escape_in_quotes(pieces, raw=raw)
            else:
                run = self._expander.in_quotes.match(self._text, start)
                self._at = run.end() if run else self._at
                self._literal(pieces, start, self._at)
        self._at += 1

    def _escape_in_quotes(self, pieces: _Pieces, *, raw: bool) -> None:
        escape_at = self._at - 1
        if raw:
            self._literal(pieces, escape_at, escape_at + 1)
        following = self._peek()
        if following and following in {'"', "$", self._expander.escape}:
            self._literal(pieces, self._at, self._at + 1)
            self._at += 1
        elif following:
            self._literal(pieces, escape_at, escape_at + 1)

    def _dollar(self, pieces: _Pieces, depth: int) -> None:
        dollar_at = self._at - 1
        if self._peek() != "{":
            name, self._at = read_name(self._text, self._at)
            if name:
                self._variable(pieces, name)
            else:
                self._literal(pieces, dollar_at, dollar_at + 1)
            return
        self._at += 1
        if self._peek() in {"{", "}", ":"}:
            raise _bad("an expansion names no variable")
        name, self._at = read_name(self._text, self._at)
        operator = self._take()
        if operator == "}":
            self._variable(pieces, name)
        elif operator == "/":
            self._replacement(pieces, name, depth)
        else:
            self._operator(pieces, name, operator, depth)

    def _variable(self, pieces: _Pieces, name: str) -> None:
        value = self._lookup(pieces, name)
        if value is None:
            pieces.looked_at((), (name,))
        pieces.variable(value or _NOTHING, self._behind())

    def _lookup(self, pieces: _Pieces, name: str) -> Value | None:
        value = self._expander.values.get(name)
        if value is not None:
            self._expander.spend(len(value.text) + len(value.platform) + len(value.unset))
            pieces.looked_at(value.platform, value.unset)
        return value

    def _behind(self) -> int:
        return self._word.offsets[self._at - 1] + 1

    def _operator(self, pieces: _Pieces, name: str, operator: str, depth: int) -> None:
        colon = operator == ":"
        if colon:
            operator = self._take()
        if operator not in "+-?#%" or (colon and operator in "#%"):
            raise _bad(f"'{':' if colon else ''}{shown(operator)}' is no operator of an expansion")
        word = self._until("}", raw=operator in "#%", depth=depth + 1)
        value = self._lookup(pieces, name)
        given = value is not None and (bool(value.text) or not colon)
        if operator in "#%":
            if value is None:
                pieces.looked_at((), (name,))
            pieces.computed(self._trimmed(value or _NOTHING, operator, word.text), self._behind())
        elif operator == "+" or (operator == "-" and not given):
            chosen = word if given == (operator == "+") else _NOTHING
            pieces.looked_at(chosen.platform, chosen.unset)
            pieces.computed(chosen, chosen.tail)
        elif value is not None and given:
            # `${V-w}` with an empty V: another build may leave V unset and get w.
            add = pieces.variable if value.text or operator == "?" else pieces.computed
            add(value, self._behind())
        else:
            raise ExpansionError("build-arg", f"{shown(name)} must be given: {shown(word.text)}")

    def _trimmed(self, value: Value, operator: str, pattern: str) -> Value:
        longest = pattern[:1] == operator
        self._check_pattern(pattern, value.text)
        pattern = pattern[longest:]
        try:
            if operator == "#":
                return value.cut(patterns.prefix_length(pattern, value.text, longest=longest))
            length = patterns.suffix_length(pattern, value.text, longest=longest)
        except patterns.PatternError as error:
            raise _bad(str(error)) from error
        return value.cut(0, len(value.text) - length)

    def _replacement(self, pieces: _Pieces, name: str, depth: int) -> None:
        every = self._peek() == "/"
        self._at += every
        pattern = self._until("/", raw=True, depth=depth + 1).text
        replacement = self._until("}", raw=True, depth=depth + 1)
        value = self._lookup(pieces, name)
        pieces.looked_at(replacement.platform, replacement.unset)
        if value is None:
            pieces.looked_at((), (name,))
            value = _NOTHING
        self._check_pattern(pattern, value.text)
        if every and "$" in replacement.text:
            raise ExpansionError("too-complex", "a replacement holds a '$'")
        try:
            spans = patterns.spans(pattern, value.text, every=every)
        except patterns.PatternError as error:
            raise _bad(str(error)) from error
        self._expander.spend(len(spans) * len(replacement.text))
        replaced = _Pieces()
        done = 0
        for start, end in spans:
            replaced.variable(value.cut(done, start), NOWHERE)
            replaced.variable(replacement, NOWHERE)
            done = end
        replaced.variable(value.cut(done), NOWHERE)
        pieces.computed(replaced.value(), self._behind())

    def _check_pattern(self, pattern: str, text: str) -> None:
        if len(pattern) > _MAX_PATTERN:
            raise ExpansionError("too-complex", f"a pattern is over {_MAX_PATTERN} characters long")
        self._expander.spend((len(pattern) + 1) * (len(text) + 1))


def _bad(message: str) -> ExpansionError:
    return ExpansionError("bad-expansion", message)
