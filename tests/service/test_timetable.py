from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.service.timetable import missed, next_fire

BERLIN = "Europe/Berlin"
# A Saturday.
NOW = datetime(2026, 11, 21, 7, 0, 30, tzinfo=UTC)


def fire(*cron: str, after: str, zone: str = "UTC") -> str:
    """The next fire after a time in UTC, in UTC."""
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    then = next_fire(cron, zone, moment)
    return "" if then is None else then.strftime("%Y-%m-%d %H:%M")


def fires(*cron: str, after: str, count: int, zone: str = BERLIN) -> list[str]:
    """The next fires after a wall-clock time, with their offsets from UTC."""
    here, found = ZoneInfo(zone), []
    moment: datetime | None = datetime.fromisoformat(after).replace(tzinfo=here)
    for _ in range(count):
        assert moment is not None
        moment = next_fire(cron, zone, moment)
        found.append("" if moment is None else f"{moment.astimezone(here):%m-%d %H:%M %z}")
    return found


@pytest.mark.parametrize(
    "cron, after, then",
    [
        pytest.param(["0 * * * *"], "2026-11-21T07:00:30", "2026-11-21 08:00", id="hourly"),
        pytest.param(["0 * * * *"], "2026-11-21T06:59:59", "2026-11-21 07:00", id="in a second"),
        pytest.param(["0 7 * * *"], "2026-11-21T07:00:00", "2026-11-22 07:00", id="not now again"),
        pytest.param(["* * * * *"], "2026-11-21T07:00:59", "2026-11-21 07:01", id="each minute"),
        pytest.param(["0 9 * * *", "30 7 * * *"], "2026-11-21T07:00", "2026-11-21 07:30", id="two"),
        pytest.param(["0 6 * * mon"], "2026-12-31T07:00", "2027-01-04 06:00", id="next year"),
        pytest.param(["0 0 31 feb *"], "2026-11-21T07:00", "", id="never"),
    ],
)
def test_the_next_fire_is_the_first_matching_minute_after(
    cron: list[str], after: str, then: str
) -> None:
    assert fire(*cron, after=after) == then


def test_a_fire_is_told_in_utc_whatever_the_zone() -> None:
    then = next_fire(["0 9 * * *"], BERLIN, NOW)

    assert then == datetime(2026, 11, 21, 8, tzinfo=UTC)
    assert then.tzinfo is UTC


def test_what_the_clocks_leave_out_is_left_out() -> None:
    found = fires("30 2 * * *", after="2026-03-27T12:00", count=3)

    assert found == ["03-28 02:30 +0100", "03-30 02:30 +0200", "03-31 02:30 +0200"]


def test_half_hours_go_on_across_an_hour_that_is_left_out() -> None:
    found = fires("0,30 * * * *", after="2026-03-29T01:15", count=3)

    assert found == ["03-29 01:30 +0100", "03-29 03:00 +0200", "03-29 03:30 +0200"]


def test_what_the_clocks_show_twice_comes_twice() -> None:
    found = fires("30 2 * * *", after="2026-10-24T12:00", count=3)

    assert found == ["10-25 02:30 +0200", "10-25 02:30 +0100", "10-26 02:30 +0100"]


def test_half_hours_go_on_across_an_hour_that_is_repeated() -> None:
    found = fires("0,30 * * * *", after="2026-10-25T01:45", count=5)

    assert found == [
        "10-25 02:00 +0200",
        "10-25 02:30 +0200",
        "10-25 02:00 +0100",
        "10-25 02:30 +0100",
        "10-25 03:00 +0100",
    ]


@pytest.mark.parametrize("cron", ["x", "* * * *", "61 * * * *"])
def test_what_is_no_expression_is_refused(cron: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the parser's
        next_fire([cron], "UTC", NOW)


def test_a_zone_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone 'Mars/Base'"):
        next_fire(["* * * * *"], "Mars/Base", NOW)


@given(
    st.sampled_from(["* * * * *", "*/7 * * * *", "0 */3 * * *", "15 2 * * *"]),
    st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe"]),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
)
def test_fires_go_forward(cron: str, zone: str, after: datetime) -> None:
    first = next_fire([cron], zone, after)
    assert first is not None

    second = next_fire([cron], zone, first)

    assert second is not None
    assert after < first < second
    assert first - after <= timedelta(days=2)


@pytest.mark.parametrize(
    "last, is_missed",
    [
        pytest.param(None, False, id="there was none yet"),
        pytest.param(NOW, False, id="a moment ago"),
        pytest.param(NOW - timedelta(seconds=20), False, id="in the same minute"),
        pytest.param(NOW - timedelta(minutes=59), True, id="before the last fire"),
        pytest.param(NOW - timedelta(days=400), True, id="long ago, and yet once"),
        pytest.param(NOW + timedelta(days=1), False, id="in a future that was none"),
    ],
)
def test_a_run_is_missed_where_a_fire_came_after_the_last(
    last: datetime | None, is_missed: bool
) -> None:
    assert missed(["0 * * * *"], "UTC", last, NOW) is is_missed


def test_a_fire_of_this_very_minute_counts() -> None:
    now = datetime(2026, 11, 21, 8, tzinfo=UTC)

    assert missed(["0 8 * * *"], "UTC", now - timedelta(seconds=1), now)


def test_what_is_made_up_is_made_up_once() -> None:
    later = NOW + timedelta(minutes=5)

    assert missed(["0 * * * *"], "UTC", NOW - timedelta(days=3), NOW)
    assert not missed(["0 * * * *"], "UTC", NOW, later)


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_no_hour_is_missed_when_clocks_change(day: str) -> None:
    moment = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(BERLIN)).astimezone(UTC)
    hours = [moment + timedelta(hours=number) for number in range(1, 25)]

    assert all(missed(["0 * * * *"], BERLIN, one - timedelta(minutes=59), one) for one in hours)


def test_nothing_is_missed_of_what_never_comes() -> None:
    assert not missed(["0 0 30 feb *"], "UTC", NOW - timedelta(days=900), NOW)
