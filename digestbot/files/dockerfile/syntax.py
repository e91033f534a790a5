"""The frontend image of `# syntax=`, wherever BuildKit looks for it.

The rules are those of `DetectSyntax` in frontend/dockerfile/parser/directives.go: a directive
behind an optional shebang line, then the same behind `//`, then a file that is a JSON object.
"""

from __future__ import annotations

import json
from typing import NoReturn

from digestbot.files.dockerfile.directives import directives
from digestbot.files.dockerfile.source import Source
from digestbot.files.dockerfile.value import NOWHERE, Value

_KEY = "syntax"
_MAX_NESTING = 200
_JSON_SPACE = " \t\r\n"


def syntax_of(source: Source) -> Value | None:
    """The text of the frontend image, with its place; None if the file names none."""
    first = 1 if source.lines[0].startswith("#!", source.bom) else 0
    for mark in ("#", "//"):
        seen: set[str] = set()
        for directive in directives(source, mark, first=first):
            if directive.key in seen:
                break
            seen.add(directive.key)
            if directive.key == _KEY:
                written = source.text[directive.start : directive.end]
                end = directive.start + len(written.partition(" ")[0])
                if end == directive.start:
                    return None
                return Value(source.text[directive.start : end], range(directive.start, end), end)
    return _from_json(source, source.starts[1] if first else source.bom)


def _from_json(source: Source, start: int) -> Value | None:
    text = source.text
    start += len(text[start:]) - len(text[start:].lstrip(_JSON_SPACE))
    if not text.startswith("{", start) or f'"{_KEY}"' not in text:
        return None
    if text.count("{") + text.count("[") > _MAX_NESTING:
        return None
    try:
        found = json.loads(text[start:], parse_constant=_refuse)
    except ValueError:
        return None
    return _member(text, start + 1) if isinstance(found.get(_KEY), str) and found[_KEY] else None


def _member(text: str, at: int) -> Value | None:
    """The last string under the key, in a JSON object that is known to be well formed."""
    found: Value | None = None
    decoder = json.JSONDecoder()
    while (at := _skip_space(text, at)) < len(text) and text[at] != "}":
        key, at = decoder.raw_decode(text, at)
        at = _skip_space(text, _skip_space(text, at) + 1)
        value, end = decoder.raw_decode(text, at)
        if key == _KEY:
            written = text[at + 1 : end - 1]
            plain = range(at + 1, end - 1) if written == value else (NOWHERE,) * len(value)
            found = Value(value, plain, end - 1 if written == value else NOWHERE)
        at = _skip_space(text, end)
        at += text.startswith(",", at)
    return found


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in _JSON_SPACE:
        at += 1
    return at


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
