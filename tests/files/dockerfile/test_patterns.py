"""Patterns of expansions, against a matcher that tries everything."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.files.dockerfile import patterns

TEXTS = st.text(alphabet="ab.", max_size=10)
PATTERNS = st.text(alphabet="ab.*?", max_size=6)


def naive(pattern: str, *, longest: bool) -> str:
    star = ".*" if longest else ".*?"
    return "".join({"*": star, "?": "."}.get(char, re.escape(char)) for char in pattern)


@given(PATTERNS, TEXTS, st.booleans())
def test_a_prefix_is_cut_as_a_backtracking_matcher_would(
    pattern: str, text: str, longest: bool
) -> None:
    match = re.match(naive(pattern, longest=longest), text)

    length = patterns.prefix_length(pattern, text, longest=longest)

    assert length == (match.end() if match else 0)


@given(PATTERNS, TEXTS, st.booleans())
def test_a_suffix_is_a_prefix_read_backwards(pattern: str, text: str, longest: bool) -> None:
    backwards = patterns.prefix_length(pattern[::-1], text[::-1], longest=longest)

    assert patterns.suffix_length(pattern, text, longest=longest) == backwards


@given(PATTERNS, TEXTS)
def test_the_first_place_is_the_leftmost_and_longest(pattern: str, text: str) -> None:
    match = re.search(naive(pattern, longest=True), text)

    assert patterns.spans(pattern, text, every=False) == ([match.span()] if match else [])


@pytest.mark.parametrize(
    "pattern, text, spans",
    [
        ("a", "aba", [(0, 1), (2, 3)]),
        ("*", "ab", [(0, 2)]),
        ("", "ab", [(0, 0), (1, 1), (2, 2)]),
        ("b", "aa", []),
        ("a*b", "xaabbxab", [(1, 8)]),
        ("?", "ab", [(0, 1), (1, 2)]),
    ],
)
def test_every_place_is_found(pattern: str, text: str, spans: list[tuple[int, int]]) -> None:
    assert patterns.spans(pattern, text, every=True) == spans


@pytest.mark.parametrize(
    "pattern, text, length",
    [("\\*a", "*ab", 2), ("\\?", "?x", 1), ("\\\\", "\\x", 1), ("\\}", "}", 1), ("\\/", "/", 1)],
)
def test_escapes_make_literals(pattern: str, text: str, length: int) -> None:
    assert patterns.prefix_length(pattern, text, longest=False) == length


@pytest.mark.parametrize("pattern", ["\\a", "\\", "a\\"])
def test_other_escapes_are_errors(pattern: str) -> None:
    with pytest.raises(patterns.PatternError):
        patterns.prefix_length(pattern, "a", longest=True)


def test_many_stars_take_no_time() -> None:
    assert patterns.prefix_length("*a" * 400 + "b", "a" * 1000, longest=True) == 0
    assert patterns.spans("*a" * 400 + "b", "a" * 1000, every=True) == []
