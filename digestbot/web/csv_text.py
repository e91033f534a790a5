"""Tables as CSV that is safe to open: by RFC 4180, and without formulas."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from digestbot.report.plain import one_line

LONGEST_CELL = 32_000
"""Spreadsheets take 32,767 characters."""
# Source: OWASP, "CSV Injection"; the last four are what some spreadsheets take for the first.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - meant


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """The rows as lines of CSV; nothing is an empty cell, yes and no are `true` and `false`."""
    text = StringIO(newline="")
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return disarmed(value) if isinstance(value, str) else value


def disarmed(text: str) -> str:
    """The text on one line, with every character visible, and such that no spreadsheet computes it.

    What begins as a formula gets an apostrophe in front: whoever reads the file with a program
    takes it off, or takes the JSON, where everything is as it is.
    """
    shown = one_line(text, LONGEST_CELL)
    return f"'{shown}" if shown.startswith(_FORMULA) or text.startswith(_FORMULA) else shown
