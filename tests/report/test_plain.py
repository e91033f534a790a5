from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.files.occurrence import Steering
from digestbot.policy.finding import Status
from digestbot.report.plain import (
    name_of,
    one_line,
    path_bytes,
    shorten_digests,
    well_formed,
)
from tests.report.builders import OLD, make_finding


@pytest.mark.parametrize(
    "text, expected",
    [
        pytest.param("app/Dockerfile", "app/Dockerfile", id="plain"),
        pytest.param("é 日本 🐍", "é 日本 🐍", id="letters-of-the-world"),
        pytest.param("\x1b[31mred", r"\x1b[31mred", id="escape-sequence"),
        pytest.param("a\r\nb\tc", r"a\r\nb\tc", id="line-ends"),
        pytest.param("\x9b2J\x7f", r"\x9b2J\x7f", id="c1-and-delete"),
        pytest.param("\u202etxt\u2066", r"\u202etxt\u2066", id="bidi"),
        pytest.param("a\u200bb\ufeff", r"a\u200bb\ufeff", id="invisible"),
        pytest.param("a\u2028b", r"a\u2028b", id="line-separator"),
        pytest.param("caf\udce9", r"caf\udce9", id="byte-that-is-not-utf-8"),
    ],
)
def test_every_character_is_visible_and_on_one_line(text: str, expected: str) -> None:
    assert one_line(text) == expected


@given(st.text(st.characters()))
def test_one_line_is_printable_whatever_comes(text: str) -> None:
    assert one_line(text).isprintable()


def test_a_long_text_loses_its_middle() -> None:
    assert one_line("a" * 50 + "b" * 50, 10) == "aaaaa…bbbbb"


def test_lone_surrogates_become_text() -> None:
    assert well_formed("caf\udce9\n") == "caf\\udce9\n"


def test_a_path_keeps_its_bytes() -> None:
    assert path_bytes("caf\udce9/é") == b"caf\xe9/\xc3\xa9"


def test_full_digests_are_shortened_wherever_they_stand() -> None:
    text = f"x moved from {OLD} to sha512:{'c' * 128}; sha256:abc stays"

    assert shorten_digests(text) == "x moved from aaaaaaa to ccccccc; sha256:abc stays"


@pytest.mark.parametrize(
    "image, expected",
    [
        pytest.param("python:3.12", "python:3.12", id="official"),
        pytest.param("docker.io/acme/tool:1", "acme/tool:1", id="docker-hub"),
        pytest.param("ghcr.io/acme/tool:1", "ghcr.io/acme/tool:1", id="other-registry"),
        pytest.param("ghcr.io/library/tool:1", "ghcr.io/library/tool:1", id="library-elsewhere"),
        pytest.param("python", "python", id="pinned-without-tag"),
    ],
)
def test_an_image_has_the_name_that_people_use(image: str, expected: str) -> None:
    assert name_of(make_finding(image)) == expected


def test_a_tag_from_the_comment_above_is_part_of_the_name() -> None:
    assert name_of(make_finding("python", steering=Steering(tag="3.12"))) == "python:3.12"


def test_an_untagged_unpinned_image_follows_latest() -> None:
    assert name_of(make_finding("alpine", Status.UNPINNED)) == "alpine:latest"


def test_what_is_no_reference_is_named_as_written() -> None:
    assert name_of(make_finding(None, Status.SKIPPED, written="${X}\n")) == "${X}"


def test_a_finding_about_a_file_says_so() -> None:
    assert name_of(make_finding(None, Status.SKIPPED, written=" ")) == "(the whole file)"
