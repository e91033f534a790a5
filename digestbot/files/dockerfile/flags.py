"""Flags of an instruction: the words that start with `--` right behind its keyword.

Splitting follows BuildKit's frontend/dockerfile/parser/split_command.go, which works byte by
byte; what is allowed follows frontend/dockerfile/instructions/bflag.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum

from digestbot.files.dockerfile.lines import LogicalLine
from digestbot.files.dockerfile.value import Value, shown

_SPACES = re.compile(r"[\t\n\v\f\r \x85\xa0]*")
_SIMPLE = re.compile(r"--[^\t\n\v\f\r \x85\xa0'\"\\`]+(?=[\t\v\f\r ]|\Z)")
_WORD_END = frozenset("\t\n\v\f\r \x85\xa0")


class FlagKind(Enum):
    """How often a flag may be given, and with what."""

    SWITCH = "true or false, or nothing"
    ONE = "one value"
    MANY = "a value each time"


class FlagError(Exception):
    """A flag is unknown, repeated, or has a value it cannot have."""


def split_flags(
    line: LogicalLine, start: int, end: int, escape: str
) -> tuple[tuple[Value, ...], int]:
    """The flag words from `start` on, without their quotes, and where the arguments begin."""
    flags: list[Value] = []
    text = line.text
    at = start
    while True:
        spaces = _SPACES.match(text, at, end)
        at = spaces.end() if spaces else at
        if not text.startswith("--", at, end):
            return tuple(flags), at
        simple = _SIMPLE.match(text, at, end)
        if simple:
            word, at = line.value(at, simple.end()), simple.end()
        else:
            word, at, quoted = _unquoted(line, at, end, escape)
            if not word.text and not quoted:
                continue
        if word.text == "--":
            return tuple(flags), at
        flags.append(word)


def _unquoted(line: LogicalLine, at: int, end: int, escape: str) -> tuple[Value, int, bool]:
    """One word without quotes and escapes, where it ends, and whether it had quotes."""
    chars: list[int] = []
    quote, quoted = "", False
    text, start = line.text, at
    while at < end and (quote or text[at] not in _WORD_END):
        char = text[at]
        if char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote, quoted = char, True
        elif char != escape:
            chars.append(at)
        elif at + 1 < end:
            at += 1
            chars.append(at)
        at += 1
    offsets = line.offsets(start, at)
    found = [offsets[index - start] for index in chars]
    return Value("".join(text[index] for index in chars), found), at, quoted


def parse_flags(words: Sequence[Value], allowed: Mapping[str, FlagKind]) -> dict[str, list[Value]]:
    """The values of each flag that is given.

    Raises:
        FlagError: A flag is unknown, repeated or has no fitting value.
    """
    found: dict[str, list[Value]] = {}
    for word in words:
        flag, equals, text = word.text.partition("=")
        name = flag[2:]
        kind = allowed.get(name)
        if kind is None:
            raise FlagError(f"there is no flag {shown(flag)[:40]}")
        if name in found and kind is not FlagKind.MANY:
            raise FlagError(f"the flag {flag} is given twice")
        if kind is FlagKind.SWITCH:
            _check_switch(flag, equals, text)
        elif not equals:
            raise FlagError(f"the flag {flag} needs a value: {flag}=…")
        found.setdefault(name, []).append(word.cut(len(flag) + 1))
    return found


def _check_switch(flag: str, equals: str, text: str) -> None:
    if equals and text.lower() not in {"true", "false"}:
        raise FlagError(f"the flag {flag} takes true or false")
