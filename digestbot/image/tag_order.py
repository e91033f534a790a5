"""Which of two tags names the older release, as far as their numbers tell."""

from __future__ import annotations

import re

from digestbot.image.reference import ImageTag

# `v1.2.3-slim`: a `v` or nothing, numbers, and what must be the same for both.
_NUMBERED = re.compile(r"(v?)(\d{1,12}(?:\.\d{1,12}){0,5})(\D.*)?", re.ASCII)
_DATE_DIGITS = 6


def is_lower(image: ImageTag, than: ImageTag) -> bool:
    """Whether a tag has lower numbers than another; false where that cannot be told.

    `3.21` is lower than `3.22.1`. `3` may be as new as `3.22`, `20260101` is a date, and
    `3.21-slim` is another kind of image than `3.22`: of those nothing is told.
    """
    ours, theirs = _NUMBERED.fullmatch(image.tag), _NUMBERED.fullmatch(than.tag)
    if not ours or not theirs or (ours[1], ours[3]) != (theirs[1], theirs[3]):
        return False
    left, right = _numbers(ours[2]), _numbers(theirs[2])
    if _is_date(left) != _is_date(right):
        return False
    return left[: len(right)] < right[: len(left)]


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def _is_date(numbers: tuple[int, ...]) -> bool:
    return len(str(numbers[0])) >= _DATE_DIGITS
