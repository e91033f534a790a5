"""Comments that steer, and those that must not be taken for one."""

from __future__ import annotations

from datetime import date

import pytest

from digestbot.files.occurrence import Ignore, Steering
from digestbot.files.steering import SteeringError, combine, parse_steering
from digestbot.image import Platform

ARM = Platform("linux", "arm64")


@pytest.mark.parametrize(
    "comment, steering",
    [
        ("# digestbot: tag=3.12", Steering(tag="3.12")),
        ("#digestbot:tag=3.12-slim_x", Steering(tag="3.12-slim_x")),
        ("  ## Digestbot : platform=linux/arm64", Steering(platform=ARM)),
        ("// digestbot: ignore", Steering(ignore=Ignore())),
        ("# digestbot: ignore until=2027-01-31", Steering(ignore=Ignore(date(2027, 1, 31)))),
        (
            "# digestbot: ignore until=2027-01-31 waits for the new glibc",
            Steering(ignore=Ignore(date(2027, 1, 31), "waits for the new glibc")),
        ),
        (
            "# digestbot: tag=3 platform=linux/aarch64 ignore it is fine",
            Steering("3", ARM, Ignore(None, "it is fine")),
        ),
        ("# digestbot: ignore for now tag=3", Steering("3", None, Ignore(None, "for now"))),
    ],
)
def test_a_comment_says_what_to_do(comment: str, steering: Steering) -> None:
    assert parse_steering(comment) == steering


@pytest.mark.parametrize(
    "comment",
    [
        "# a comment",
        "# digestbot keeps this fresh",
        "# digestbots: tag=1",
        "# see digestbot: tag=1",
        "# digestbot",
        "digestbot: tag=1",
        "# tag=1",
        "",
    ],
)
def test_other_comments_say_nothing(comment: str) -> None:
    assert parse_steering(comment) == Steering()


@pytest.mark.parametrize(
    "comment, message",
    [
        ("# digestbot:", "nothing follows"),
        ("# digestbot: tags=3", "tags= is unknown; known are tag="),
        ("# digestbot: ignored", "'ignored' is unknown"),
        ("# digestbot: 3.12", "'3.12' is unknown"),
        ("# digestbot: ignore utnil=2027-01-31", "utnil= is unknown"),
        ("# digestbot: ignore until=2027-02-30", "is not a date"),
        ("# digestbot: ignore until=soon", "is not a date like 2027-01-31"),
        ("# digestbot: until=2027-01-31", "write 'ignore until="),
        ("# digestbot: tag=", "tag= is not a tag"),
        ("# digestbot: tag=a/b", "tag=a/b is not a tag"),
        ("# digestbot: tag=3.12,", "is not a tag"),
        ("# digestbot: tag=3@sha256:" + "1" * 64, "is not a tag alone"),
        ("# digestbot: tag=3 tag=4", "tag= is given twice"),
        ("# digestbot: platform=arm64", "is not like linux/arm64"),
        ("# digestbot ignore", "write 'digestbot: ignore'"),
        ("# digestbot tag=3", "write 'digestbot: tag=3'"),
    ],
)
def test_a_typo_is_an_error(comment: str, message: str) -> None:
    with pytest.raises(SteeringError, match=message):
        parse_steering(comment)


def test_several_lines_are_one_block() -> None:
    block = ("# digestbot: tag=3", "# because", "# digestbot: platform=linux/arm64")

    assert parse_steering(*block) == Steering("3", ARM)


def test_a_block_says_nothing_twice() -> None:
    with pytest.raises(SteeringError, match="tag= is given twice"):
        parse_steering("# digestbot: tag=3", "# digestbot: tag=3")


def test_blocks_are_combined() -> None:
    ignore = Ignore(None, "why")

    assert combine([Steering(tag="3"), Steering(), Steering(ignore=ignore)]) == Steering(
        "3", None, ignore
    )


def test_blocks_must_not_both_say_the_same() -> None:
    with pytest.raises(SteeringError, match="ignore is given twice"):
        combine([Steering(ignore=Ignore()), Steering(ignore=Ignore())])
