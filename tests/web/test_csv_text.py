from __future__ import annotations

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.web.csv_text import LONGEST_CELL, csv_text, disarmed


@pytest.mark.parametrize(
    "text, expected",
    [
        pytest.param("python:3.12", "python:3.12", id="harmless"),
        pytest.param("", "", id="empty"),
        pytest.param("=HYPERLINK(1)", "'=HYPERLINK(1)", id="equals"),
        pytest.param("+1", "'+1", id="plus"),
        pytest.param("-1", "'-1", id="minus"),
        pytest.param("@SUM(1)", "'@SUM(1)", id="at"),
        pytest.param("\t=1", "'\\t=1", id="tab"),
        pytest.param("\r=1", "'\\r=1", id="carriage return"),
        pytest.param("\n=1", "'\\n=1", id="line feed"),
        pytest.param("\uff1d1", "'\uff1d1", id="wide equals"),
        pytest.param("a=1", "a=1", id="in the middle"),
        pytest.param("'=1", "'=1", id="apostrophe already"),
        pytest.param("two\r\nlines", "two\\r\\nlines", id="line breaks"),
        pytest.param("\u202eevil", "\\u202eevil", id="turned around"),
        pytest.param("\udcff", "\\udcff", id="no text at all"),
    ],
)
def test_no_cell_is_computed_or_hides_anything(text: str, expected: str) -> None:
    assert disarmed(text) == expected


def test_cells_are_no_longer_than_spreadsheets_take() -> None:
    assert len(disarmed("=" + "x" * 100_000)) <= LONGEST_CELL + 2


def test_lines_are_as_the_rfc_has_them() -> None:
    text = csv_text([["a", 'say "no", please', None, True, False, -3, 1.5]])

    assert text == 'a,"say ""no"", please",,true,false,-3,1.5\r\n'


@given(st.lists(st.lists(st.text(), min_size=2, max_size=4), max_size=4))
def test_what_is_written_is_read_again_row_by_row(rows: list[list[str]]) -> None:
    found = list(csv.reader(StringIO(csv_text(rows), newline="")))

    assert found == [[disarmed(cell) for cell in row] for row in rows]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in found for cell in row)
