"""Ignoring: by comment, by configuration, for ever or until a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest

from digestbot.files.occurrence import Ignore, Occurrence, Steering
from digestbot.image import ImageReference
from digestbot.policy.ignore import why_ignored

DAY = date(2027, 1, 31)


@dataclass(frozen=True)
class Rule:
    image: str
    path: str | None = None
    until: date | None = None
    reason: str | None = None
    by: str = "the configuration"


def occurrence(written: str = "python:3.12", ignore: Ignore | None = None) -> Occurrence:
    reference = ImageReference.parse(written)
    steering = Steering(ignore=ignore)
    return Occurrence(
        "app/Dockerfile", 1, 6, "dockerfile", "from", written, reference, steering=steering
    )


@pytest.mark.parametrize(
    "glob, hit",
    [
        ("docker.io/library/python", True),
        ("docker.io/library/python:3.12", True),
        ("docker.io/library/python:3.*", True),
        ("docker.io/library/*", True),
        ("*", True),
        ("docker.io/library/python:3", False),
        ("python", False),
        ("ghcr.io/*", False),
    ],
)
def test_a_rule_names_images_by_glob(glob: str, hit: bool) -> None:
    assert bool(why_ignored(occurrence(), [Rule(glob)], today=DAY)) is hit


@pytest.mark.parametrize("path, hit", [("app/*", True), ("*", True), ("lib/*", False)])
def test_a_rule_may_be_limited_to_paths(path: str, hit: bool) -> None:
    assert bool(why_ignored(occurrence(), [Rule("*", path)], today=DAY)) is hit


@pytest.mark.parametrize(
    "today, hit", [(date(2027, 1, 30), True), (DAY, True), (date(2027, 2, 1), False)]
)
def test_until_is_the_last_day(today: date, hit: bool) -> None:
    commented = occurrence(ignore=Ignore(until=DAY))

    assert bool(why_ignored(commented, [], today=today)) is hit
    assert bool(why_ignored(occurrence(), [Rule("*", until=DAY)], today=today)) is hit


def test_the_sentence_says_who_until_when_and_why() -> None:
    commented = occurrence(ignore=Ignore(DAY, "glibc freeze"))

    assert why_ignored(commented, [], today=DAY) == (
        "ignored by the comment above until 2027-01-31: glibc freeze"
    )
    assert why_ignored(occurrence(), [Rule("*", reason="ours")], today=DAY) == (
        "ignored by the configuration: ours"
    )


def test_a_glob_with_many_stars_takes_no_time() -> None:
    hostile = Rule("*a" * 50 + "b")

    assert why_ignored(occurrence("a" * 60 + ":1"), [hostile], today=DAY) is None
