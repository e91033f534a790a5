"""Words: how FROM, ARG and the JSON form split their arguments.

The rules are those of BuildKit, frontend/dockerfile/parser/line_parsers.go.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import NoReturn

from digestbot.files.dockerfile.lines import LogicalLine
from digestbot.files.dockerfile.space import RE_BLANKS, SPACE
from digestbot.files.dockerfile.value import Value

_TOKEN = re.compile(r"[^\t\v\f\r ]+")
_SPACES = re.compile(f"{SPACE}*+")
_MAX_NESTING = 200


def tokens(line: LogicalLine, start: int, end: int) -> list[Value]:
    """The arguments of FROM: split at blanks, whatever is quoted."""
    return [line.value(*match.span()) for match in _TOKEN.finditer(line.text, start, end)]


def token_texts(text: str) -> list[str]:
    """The arguments of COPY and ADD, which split as those of FROM do."""
    return RE_BLANKS.split(text) if text else []


def quoted_words(line: LogicalLine, start: int, end: int, escape: str) -> list[Value]:
    """The arguments of ARG, ENV and LABEL: split at white space outside quotes, which stay."""
    word = _word_pattern(escape)
    found: list[Value] = []
    # Not `finditer`: where no word follows, it would try again behind every blank.
    while space := _SPACES.match(line.text, start, end):
        match = word.match(line.text, space.end(), end)
        if match is None:
            break
        found.append(line.value(*match.span()))
        start = match.end()
    return found


@cache
def _word_pattern(escape: str) -> re.Pattern[str]:
    mark = re.escape(escape)
    return re.compile(
        rf"""(?:
            [^'"{mark}\t\n\v\f\r\x20\x80-\xff]++
            | {mark}(?:{SPACE}|.)
            | '[^']*+(?:'|\Z)
            | "(?:[^"{mark}]|{mark}.)*+(?:"|(?={mark}?\Z))
            | (?!{SPACE})[\x80-\xff]
        )++""",
        re.DOTALL | re.VERBOSE,
    )


class NotStringsError(Exception):
    """A JSON array holds something else than strings."""


def json_strings(text: str) -> list[str] | None:
    """The strings of an argument in JSON form; None if it is not in that form.

    Raises:
        NotStringsError: It is a JSON array, but not one of strings.
    """
    if not text.startswith("[") or text.count("[") + text.count("{") > _MAX_NESTING:
        return None
    try:
        found = _JSON.decode(text)
    except ValueError:
        return None
    if not all(isinstance(item, str) for item in found):
        raise NotStringsError
    return list(found)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


_JSON = json.JSONDecoder(parse_constant=_refuse)
