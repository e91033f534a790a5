"""One line of comma-separated values with provenance, as `RUN --mount` takes it.

The rules are those of the CSV reader BuildKit uses, tonistiigi/go-csvvalue.
"""

from __future__ import annotations

import re

from digestbot.files.dockerfile.value import Value

_QUOTED = re.compile(r'"((?:[^"]|"")*+)"(?=,|\Z)')
_BARE = re.compile(r'[^",]*+(?=,|\Z)')


class CsvError(Exception):
    """The line is empty, or a quote stands where none may."""


def fields(line: Value) -> list[Value]:
    """The fields of a line, without their quotes.

    Raises:
        CsvError: The line is not well formed.
    """
    text = line.text
    if not text:
        raise CsvError("its value is empty")
    found: list[Value] = []
    at = -1
    while at < len(text):
        match = _QUOTED.match(text, at + 1) or _BARE.match(text, at + 1)
        if match is None:
            raise CsvError("a double quote is out of place")
        start, end = match.span(1) if match.re is _QUOTED else match.span()
        found.append(_without_doubled_quotes(line.cut(start, end)))
        at = match.end()
    return found


def _without_doubled_quotes(field: Value) -> Value:
    if '""' not in field.text:
        return field
    kept = [match.start() for match in re.finditer(r'""|[^"]', field.text)]
    offsets = [field.offsets[index] for index in kept]
    return Value("".join(field.text[index] for index in kept), offsets, field.tail)
