from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digestbot.config.proposing import FreezeConfig, ScheduleConfig
from digestbot.proposals.opening import Closed, closed_at
from digestbot.proposals.schedule import YEARS, is_open

BERLIN = "Europe/Berlin"
# A Saturday.
NOW = datetime(2026, 11, 21, 7, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def freeze(start: str, end: str, reason: str | None = None) -> FreezeConfig:
    return FreezeConfig(start=date.fromisoformat(start), end=date.fromisoformat(end), reason=reason)


def schedule(*cron: str, timezone: str = BERLIN) -> ScheduleConfig:
    return ScheduleConfig(cron=cron, timezone=timezone)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# -- the schedule alone


def test_without_schedule_and_freeze_it_is_open() -> None:
    assert closed_at(None, (), NOW) is None


def test_in_a_minute_of_the_schedule_it_is_open() -> None:
    assert closed_at(schedule("* 8 * * sat"), (), NOW) is None


def test_outside_the_schedule_the_sentence_says_when_and_where() -> None:
    assert closed_at(schedule("* 6-18 * * mon-fri"), (), NOW) == Closed(
        "not before 2026-11-23 06:00 (Europe/Berlin), as the schedule says", utc("2026-11-23T05:00")
    )


def test_a_schedule_that_never_comes_is_said() -> None:
    closed = closed_at(schedule("* * 31 feb *"), (), NOW)

    assert closed == Closed(f"not within the next {YEARS} years, as the schedule says")


# -- freezes


def test_a_freeze_is_said_with_its_reason_and_the_first_day_after() -> None:
    frozen = freeze("2026-11-20", "2026-11-29", "the big sale")

    assert closed_at(None, [frozen], NOW) == Closed(
        "not before 2026-11-30 (UTC), as there is a freeze: the big sale", utc("2026-11-30T00:00")
    )


def test_a_freeze_needs_no_reason() -> None:
    closed = closed_at(None, [freeze("2026-11-21", "2026-11-21")], NOW)

    assert closed is not None
    assert closed.message == "not before 2026-11-22 (UTC), as there is a freeze"


@pytest.mark.parametrize(
    "now, is_open_then",
    [
        pytest.param("2026-12-18T23:59:59", True, id="the second before"),
        pytest.param("2026-12-19T00:00:00", False, id="as the first day begins"),
        pytest.param("2027-01-03T23:59:59", False, id="as the last day ends"),
        pytest.param("2027-01-04T00:00:00", True, id="the first day after"),
    ],
)
def test_both_days_of_a_freeze_are_frozen(now: str, is_open_then: bool) -> None:
    closed = closed_at(None, [freeze("2026-12-19", "2027-01-03")], utc(now))

    assert (closed is None) is is_open_then


@pytest.mark.parametrize(
    "timezone, is_open_then",
    [("UTC", True), (BERLIN, False), ("America/New_York", True)],
)
def test_days_are_those_of_the_time_zone_of_the_schedule(timezone: str, is_open_then: bool) -> None:
    late = utc("2026-11-21T23:30")

    closed = closed_at(
        schedule("* * * * *", timezone=timezone), [freeze("2026-11-22", "2026-11-22")], late
    )

    assert (closed is None) is is_open_then


@pytest.mark.parametrize(
    "freezes, until",
    [
        pytest.param(
            [("2026-11-20", "2026-11-22"), ("2026-11-23", "2026-11-24")],
            "2026-11-25",
            id="adjacent",
        ),
        pytest.param(
            [("2026-11-22", "2026-11-24"), ("2026-11-20", "2026-11-22")],
            "2026-11-25",
            id="overlapping",
        ),
        pytest.param(
            [("2026-11-20", "2026-11-30"), ("2026-11-21", "2026-11-22")],
            "2026-12-01",
            id="one in another",
        ),
        pytest.param(
            [("2026-11-20", "2026-11-22"), ("2026-11-24", "2026-11-25")],
            "2026-11-23",
            id="a day between",
        ),
    ],
)
def test_freezes_go_together(freezes: list[tuple[str, str]], until: str) -> None:
    closed = closed_at(None, [freeze(start, end) for start, end in freezes], NOW)

    assert closed is not None
    assert closed.until == utc(f"{until}T00:00")
    assert until in closed.message


def test_after_a_freeze_the_schedule_says_when() -> None:
    frozen = freeze("2026-11-20", "2026-11-27", "the big sale")

    closed = closed_at(schedule("* 6-18 * * mon-fri"), [frozen], NOW)

    # The 28th is a Saturday.
    assert closed == Closed(
        "not before 2026-11-28 (Europe/Berlin), as there is a freeze: the big sale",
        utc("2026-11-30T05:00"),
    )


def test_a_schedule_that_opens_in_a_freeze_opens_after_it() -> None:
    frozen = freeze("2026-11-23", "2026-11-24", "the big sale")

    closed = closed_at(schedule("* 6-18 * * mon-fri"), [frozen], NOW)

    assert closed == Closed(
        "not before 2026-11-25 06:00 (Europe/Berlin), as the schedule says", utc("2026-11-25T05:00")
    )


def test_a_freeze_ends_with_midnight_of_its_zone() -> None:
    closed = closed_at(
        schedule("* * * * *"), [freeze("2026-10-25", "2026-10-25")], utc("2026-10-25T12:00")
    )

    assert closed is not None
    # The clocks were put back that night.
    assert closed.until == utc("2026-10-25T23:00")


@pytest.mark.parametrize("end", ["9999-12-31", "9999-12-30", "2067-01-01"])
def test_a_freeze_without_end_is_said(end: str) -> None:
    closed = closed_at(schedule("* * * * *"), [freeze("2026-01-01", end, "retired")], NOW)

    assert closed == Closed(
        f"not within the next {YEARS} years, as there is a freeze: retired", None
    )


def test_a_schedule_that_is_frozen_each_time_is_waited_for_in_steps() -> None:
    first = date(2026, 11, 22)
    sundays = [
        FreezeConfig(start=first + number * 7 * DAY, end=first + number * 7 * DAY)
        for number in range(1000)
    ]

    closed = closed_at(schedule("0 9 * * sun"), sundays, NOW)

    # Nothing opens before, and whoever asks again then is told of a later time.
    assert closed is not None
    assert closed.until is not None
    again = closed_at(schedule("0 9 * * sun"), sundays, closed.until)
    assert again is not None
    assert again.until is not None
    assert again.until > closed.until > NOW


FREEZES = st.lists(
    st.tuples(st.integers(-5, 12), st.integers(0, 3)).map(
        lambda pair: FreezeConfig(
            start=NOW.date() + pair[0] * DAY, end=NOW.date() + (pair[0] + pair[1]) * DAY
        )
    ),
    max_size=5,
)
SCHEDULES = st.sampled_from(
    [None, schedule("0 * * * *"), schedule("0 6-9 * * mon-fri"), schedule("0 0 * * *")]
)


@settings(max_examples=80, deadline=None)
@given(SCHEDULES, FREEZES, st.integers(0, 48))
def test_it_opens_when_hour_after_hour_was_tried(
    hours: ScheduleConfig | None, freezes: list[FreezeConfig], later: int
) -> None:
    now = NOW.replace(minute=0, second=0) + later * HOUR

    def may(moment: datetime) -> bool:
        here = moment.astimezone(UTC) if hours is None else moment + HOUR  # Berlin in winter.
        is_frozen = any(one.start <= here.date() <= one.end for one in freezes)
        return not is_frozen and (hours is None or is_open(hours.cron, hours.timezone, moment))

    closed = closed_at(hours, freezes, now)

    tried = (now + number * HOUR for number in range(40 * 24))
    first = next(moment for moment in tried if may(moment))
    assert (now if closed is None else closed.until) == first
