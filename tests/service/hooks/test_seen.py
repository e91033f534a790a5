from __future__ import annotations

from digestbot.service.hooks.seen import Seen
from tests.github.clock import VirtualClock


def test_a_key_is_known_for_its_time() -> None:
    clock = VirtualClock(0.0)
    seen = Seen(clock.as_clock())

    seen.add("a", 10)
    clock.advance(9.9)
    before = "a" in seen
    clock.advance(0.1)

    assert before
    assert "a" not in seen
    assert "b" not in seen


def test_a_key_that_comes_again_is_known_for_longer() -> None:
    clock = VirtualClock(0.0)
    seen = Seen(clock.as_clock())
    seen.add("a", 10)
    clock.advance(5)

    seen.add("a", 10)
    clock.advance(9)

    assert "a" in seen
    assert len(seen) == 1


def test_of_too_many_the_first_are_forgotten() -> None:
    seen = Seen(VirtualClock(0.0).as_clock(), most=3)

    for key in ("a", "b", "c", "a", "d"):
        seen.add(key, 10)

    assert [key for key in "abcd" if key in seen] == ["a", "c", "d"]
    assert len(seen) == 3


def test_however_many_come_memory_is_bounded() -> None:
    seen = Seen(VirtualClock(0.0).as_clock(), most=100)

    for number in range(10_000):
        seen.add(number, 3600)

    assert len(seen) == 100
