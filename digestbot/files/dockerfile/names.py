"""Names of variables in shell expansions (BuildKit, frontend/dockerfile/shell/lex.go)."""

from __future__ import annotations

import re
from itertools import takewhile

from digestbot.files.dockerfile.value import shown

_SPECIAL = "@*#?$!-"
_NAME = re.compile(r"[0-9]+|[A-Za-z0-9_]*")
_WIDE_NAME = re.compile(r"(?:[A-Za-z0-9_]|[\xc2-\xf4][\x80-\xbf]+)*")
_ASCII_END = "\x80"


def read_name(text: str, at: int) -> tuple[str, int]:
    """The name that starts at `at`, and where it ends; the empty name is none.

    A name is letters, digits and `_`, or only digits where it starts with one, or a single
    special parameter such as `@`. Letters and digits of every script count.
    """
    if text[at : at + 1] in _SPECIAL and at < len(text):
        return text[at], at + 1
    match = _NAME.match(text, at)
    end = match.end() if match else at
    if end < len(text) and text[end] >= _ASCII_END:
        end = at + _wide_length(text, at)
    return text[at:end], end


def _wide_length(text: str, at: int) -> int:
    match = _WIDE_NAME.match(text, at)
    letters = shown(match[0]) if match else ""
    accepts = str.isdecimal if letters[:1].isdecimal() else _in_name
    return len("".join(takewhile(accepts, letters)).encode())


def _in_name(char: str) -> bool:
    return char == "_" or char.isalpha() or char.isdecimal()
