"""Who asks all the time does not have it made all the time."""

from __future__ import annotations

from itertools import count

import pytest

from digestbot.service.kept import Kept
from tests.github.clock import VirtualClock


def test_it_is_made_once_however_many_ask() -> None:
    numbers = count()
    kept = Kept(lambda: next(numbers), 5.0, VirtualClock().as_clock())

    assert [kept() for _ in range(10)] == [0] * 10


def test_it_is_made_anew_when_its_time_is_over() -> None:
    numbers, clock = count(), VirtualClock()
    kept = Kept(lambda: next(numbers), 5.0, clock.as_clock())

    first = kept()
    clock.advance(5)

    assert (first, kept()) == (0, 1)


def test_what_cannot_be_made_is_tried_again() -> None:
    failures = [OSError("no")]

    def make() -> int:
        if failures:
            raise failures.pop()
        return 7

    kept = Kept(make, 5.0, VirtualClock().as_clock())

    with pytest.raises(OSError, match="no"):
        kept()
    assert kept() == 7
