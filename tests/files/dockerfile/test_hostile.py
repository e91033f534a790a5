"""Files that mean harm: they cost no more than they weigh, and never raise."""

from __future__ import annotations

import pytest

from digestbot.files.dockerfile import read


@pytest.mark.parametrize(
    "data",
    [
        b"# syntax= \nFROM a\n",
        b"//syntax= \nFROM a\n",
        b'{"syntax":""}',
        b'{"syntax":"\\u0061"}',
        b'{"syntax":"\\u0061\\u0000"}',
    ],
)
def test_a_frontend_that_is_hardly_one_is_read_without_an_error(data: bytes) -> None:
    for found in read("Dockerfile", data):
        assert found.line >= 1
        assert found.column >= 1


def test_blanks_without_a_word_behind_them_are_passed_over_once() -> None:
    """Each blank was tried as the start of a word: hours for a file of this size."""
    blanks = b" " * 4000 + b"\\\n"
    data = b"ARG a=b" + blanks * 200 + b"\\\f\nFROM a:1\n"

    assert [found.written for found in read("Dockerfile", data)] == ["a:1"]


def test_names_without_a_value_cost_what_they_weigh() -> None:
    """Each value carried the names of all before it: gigabytes for half a megabyte."""
    chain = "".join(f"ARG B{n + 1}=$B{n}$u{n}\n" for n in range(12_000))

    (found,) = read("Dockerfile", f"ARG B0=x\n{chain}FROM a:1\n".encode())[-1:]

    assert (found.written, found.skip and found.skip.reason) in {
        ("a:1", None),
        ("", "too-complex"),
    }


def test_a_message_names_a_few_variables_and_no_more() -> None:
    names = "".join(f"$u{n}" for n in range(3000))

    (found,) = read("Dockerfile", f"ARG B={names}\nFROM a$B\n".encode())

    assert found.refusal is not None
    assert len(found.refusal.message) < 200
