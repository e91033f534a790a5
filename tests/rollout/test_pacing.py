from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from digestbot.rollout.pacing import Pace, PaceRules, room

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
RULES = PaceRules(per_minute=60, per_hour=450, writes_per_pull=5, pending=50)


def ago(seconds: float, times: int = 1) -> list[datetime]:
    return [NOW - timedelta(seconds=seconds)] * times


def test_so_many_pull_requests_as_there_are_writes_left_in_the_minute() -> None:
    assert room(RULES, Pace(), [], 0, NOW) == 12
    assert room(RULES, Pace(), ago(30, 31), 0, NOW) == 5
    assert room(RULES, Pace(), ago(30, 60), 0, NOW) == 0
    assert room(RULES, Pace(), ago(61, 60), 0, NOW) == 12


def test_no_more_than_there_are_left_in_the_hour() -> None:
    assert room(RULES, Pace(), ago(1800, 440), 0, NOW) == 2
    assert room(RULES, Pace(), ago(1800, 450), 0, NOW) == 0
    assert room(RULES, Pace(), ago(3601, 450), 0, NOW) == 12


def test_no_more_than_ci_can_take() -> None:
    assert room(RULES, Pace(), [], 47, NOW) == 3
    assert room(RULES, Pace(), [], 60, NOW) == 0


def test_a_refusal_halves_the_pace_and_another_one_again() -> None:
    once = Pace().refused(NOW)

    assert room(RULES, once, [], 0, NOW) == 6
    assert room(RULES, once.refused(NOW), [], 0, NOW) == 3


def test_it_creeps_back() -> None:
    slow = Pace().refused(NOW)

    paces = [slow.at(RULES, NOW + timedelta(minutes=minutes)).share for minutes in (9, 10, 25, 60)]

    assert [round(share, 2) for share in paces] == [0.5, 0.6, 0.7, 1.0]


def test_asked_often_it_creeps_no_faster() -> None:
    pace = Pace().refused(NOW)
    for minute in range(31):
        pace = pace.at(RULES, NOW + timedelta(minutes=minute))

    assert round(pace.share, 2) == 0.8


@given(st.integers(1, 20))
def test_it_never_stands_still_for_ever(refusals: int) -> None:
    pace = Pace()
    for _ in range(refusals):
        pace = pace.refused(NOW)

    assert pace.share > 0
    assert pace.at(RULES, NOW + timedelta(hours=2)).share == 1.0


@given(st.lists(st.integers(0, 3600), max_size=500), st.integers(0, 80), st.floats(0.02, 1))
def test_what_is_opened_stays_within_all_limits(
    seconds: list[int], pending: int, share: float
) -> None:
    writes = [NOW - timedelta(seconds=one) for one in seconds]
    minute = sum(one < 60 for one in seconds)

    found = room(RULES, Pace(share, NOW), writes, pending, NOW)

    if found:
        assert minute + found * 5 <= 60
        assert sum(one < 3600 for one in seconds) + found * 5 <= 450
        assert pending + found <= 50
