"""The hidden marker: written, read again, and not to be fooled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.proposals.marker import Marker, as_obsolete, read_marker

KEY = "docker.io/library/python:3.12@sha256:" + "a" * 64
MARKER = Marker("0123456789abcdef", (KEY,))


@pytest.mark.parametrize("is_obsolete", [True, False])
def test_what_is_written_is_read_again(is_obsolete: bool) -> None:
    marker = Marker("0123456789abcdef", (KEY, "b:1@sha256:c"), is_obsolete)

    assert read_marker(f"words\n\n{marker}\nmore words") == marker


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="empty"),
        pytest.param("words", id="none"),
        pytest.param(f"{MARKER}{MARKER}", id="two"),
        pytest.param("<!-- digestbot:v1 {} -->", id="nothing-in-it"),
        pytest.param("<!-- digestbot:v1 {broken} -->", id="no-json"),
        pytest.param('<!-- digestbot:v1 {"fingerprint": 1, "keys": []} -->', id="no-text"),
        pytest.param('<!-- digestbot:v1 {"fingerprint": "a", "keys": 1} -->', id="no-list"),
        pytest.param(
            '<!-- digestbot:v1 {"a": ' + "[" * 20_000 + "]" * 9_000 + "} -->", id="nested"
        ),
        pytest.param("<!-- digestbot:v1 {" * 20_000, id="many-beginnings"),
    ],
)
def test_a_body_without_one_readable_marker_has_none(body: str) -> None:
    assert read_marker(body) is None


def test_keys_that_are_no_text_are_left_out() -> None:
    body = '<!-- digestbot:v1 {"fingerprint": "a", "keys": ["k", 1, null]} -->'

    assert read_marker(body) == Marker("a", ("k",))


def test_the_word_that_digestbot_closed_it_changes_the_marker_alone() -> None:
    closed = as_obsolete(f"before\n{MARKER}\nafter")

    marker = read_marker(closed)
    assert marker == Marker(MARKER.fingerprint, MARKER.keys, is_obsolete=True)
    assert (closed.splitlines()[0], closed.splitlines()[-1]) == ("before", "after")
    assert as_obsolete(closed) == closed


def test_a_body_without_a_marker_stays_as_it_is() -> None:
    assert as_obsolete("mine") == "mine"


@given(st.text())
def test_any_body_can_be_read(body: str) -> None:
    assert read_marker(body) is None
