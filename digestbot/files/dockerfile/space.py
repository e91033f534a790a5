"""White space, as Go sees it in UTF-8, in text where one character is one byte.

The whole package views a file as latin-1, so that an index is a file offset. Python's own
`str.strip` must not be used on such text: it would take the last byte of `à` for a space.
"""

from __future__ import annotations

import re

BLANKS = "\t\v\f\r "
"""What separates a keyword from its arguments, and the arguments of FROM from each other."""

# Beyond ASCII, Go's unicode.IsSpace knows these; here they are their UTF-8 bytes.
_WIDE = r"\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80"
SPACE = rf"(?:[\t\n\v\f\r ]|{_WIDE})"
"""A pattern for one Unicode space."""

RE_BLANKS = re.compile(r"[\t\v\f\r ]+")
_LEADING = re.compile(rf"{SPACE}*+")
_WIDE_AT_END = re.compile(rf"(?:{_WIDE})\Z")
_WIDEST = 3
_ASCII_END = "\x80"


def leading(text: str) -> int:
    """How many characters of Unicode space the text starts with."""
    start = len(text) - len(text.lstrip(BLANKS))
    if start < len(text) and text[start] >= _ASCII_END:
        match = _LEADING.match(text, start)
        return match.end() if match else start
    return start


def trimmed_end(text: str) -> int:
    """Where the text ends once trailing Unicode space is cut off."""
    end = len(text.rstrip(BLANKS))
    while end and text[end - 1] >= _ASCII_END:
        match = _WIDE_AT_END.search(text, max(0, end - _WIDEST), end)
        if match is None:
            break
        end = match.start()
        while end and text[end - 1] in BLANKS:
            end -= 1
    return end
