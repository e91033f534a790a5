"""Edits applied to bytes."""

from __future__ import annotations

import pytest

from digestbot.errors import EditRefusedError
from digestbot.files.edit import Edit, apply_edits


def edit(start: int, old: str, new: str) -> Edit:
    return Edit("f", start, start + len(old), old, new)


def test_only_the_spans_change() -> None:
    edits = [edit(6, "c", "CC"), edit(2, "", "+"), edit(0, "a", "A")]

    assert apply_edits(b"a\r\nb\xff\xfec\n", edits) == b"A\r+\nb\xff\xfeCC\n"


def test_the_same_edit_counts_once() -> None:
    assert apply_edits(b"ab", [edit(0, "a", "x"), edit(0, "a", "x")]) == b"xb"


def test_no_edits_change_nothing() -> None:
    assert apply_edits(b"ab", []) == b"ab"


@pytest.mark.parametrize(
    "edits, reason",
    [
        pytest.param([edit(0, "b", "x")], "file-changed", id="other bytes"),
        pytest.param([edit(1, "bc", "x")], "file-changed", id="behind the end"),
        pytest.param([edit(0, "ab", "x"), edit(1, "b", "y")], "overlap", id="overlap"),
    ],
)
def test_edits_that_do_not_fit_are_refused(edits: list[Edit], reason: str) -> None:
    with pytest.raises(EditRefusedError) as caught:
        apply_edits(b"ab", edits)

    assert caught.value.reason == reason


def test_two_insertions_at_one_place_are_refused() -> None:
    with pytest.raises(EditRefusedError):
        apply_edits(b"ab", [edit(1, "", "x"), edit(1, "", "y")])
