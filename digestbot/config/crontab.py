"""The language of crontabs: five fields, and which minutes and days they stand for.

Source: crontab(5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_SUNDAY_TOO = 7
_NAME = re.compile(r"[A-Za-z]+")
_PART = re.compile(r"(?:\*|([0-9]{1,2})(?:-([0-9]{1,2}))?)(?:/([0-9]{1,2}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    least: int
    most: int
    names: Mapping[str, int] = field(default_factory=dict)


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    _Field("weekday", 0, _SUNDAY_TOO, {name: number for number, name in enumerate(_WEEKDAYS)}),
)


@dataclass(frozen=True, slots=True)
class Crontab:
    """One expression.

    Attributes:
        minutes: 0 to 59.
        hours: 0 to 23.
        days: Of the month, 1 to 31.
        months: 1 to 12.
        weekdays: 0 is Sunday, 6 is Saturday.
        is_either: Whether a day needs to be one of `days` or of `weekdays`; else it is both.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_either: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `*/15 6-18 1,15 jan-mar mon-fri`.

        Raises:
            ValueError: It is none; the message says which part of it.
        """
        parts = text.split()
        if len(parts) != len(_FIELDS):
            raise ValueError(f"{text!r} has not five fields, as '* 6-18 * * mon-fri' has")
        try:
            minutes, hours, days, months, weekdays = map(_numbers, _FIELDS, parts)
        except ValueError as error:
            raise ValueError(f"{text!r}: {error}") from None
        return cls(
            minutes,
            hours,
            days,
            months,
            frozenset(one % _SUNDAY_TOO for one in weekdays),
            is_either=not parts[2].startswith("*") and not parts[4].startswith("*"),
        )


def _numbers(kind: _Field, text: str) -> frozenset[int]:
    """What a field stands for: the numbers of all its parts."""
    return frozenset(number for part in text.split(",") for number in _range(kind, part))


def _range(kind: _Field, part: str) -> range:
    """The numbers of `*`, `5` or `1-5`, each perhaps with a step, as in `*/5`."""
    found = _PART.fullmatch(_NAME.sub(lambda name: _number_of(kind, name[0]), part))
    if found is None:
        raise ValueError(f"the {kind.name} {part!r} is not of the form '*', '1', '1-5' or '*/5'")
    first, last, step = found.groups()
    start = kind.least if first is None else int(first)
    # A step goes on to the end, where none is said: `5/15`.
    is_open = last is None and (first is None or step is not None)
    end = kind.most if is_open else int(last or start)
    if kind.most == _SUNDAY_TOO and end == 0 < start:
        end = _SUNDAY_TOO  # fri-sun
    if not kind.least <= start <= end <= kind.most:
        raise ValueError(f"the {kind.name} {part!r} is not within {kind.least}-{kind.most}")
    if step is not None and int(step) == 0:
        raise ValueError(f"the {kind.name} {part!r} has a step of nothing")
    return range(start, end + 1, int(step or 1))


def _number_of(kind: _Field, name: str) -> str:
    number = kind.names.get(name.lower())
    if number is None:
        raise ValueError(f"the {kind.name} has no name {name!r}")
    return str(number)
