from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digestbot.proposals.schedule import is_open, next_minute

BERLIN = "Europe/Berlin"
MINUTE = timedelta(minutes=1)
NEVER = "never"
# A Saturday.
NOW = datetime(2026, 11, 21, 7, 0, 30, tzinfo=UTC)


def opens(*cron: str, at: str = "", zone: str = BERLIN, fold: int = 0) -> str:
    """When it opens after a wall-clock time of the zone; empty where it is open."""
    here = datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(zone), fold=fold) if at else NOW
    if is_open(cron, zone, here):
        return ""
    then = next_minute(cron, zone, here)
    return f"{then.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" if then else NEVER


@pytest.mark.parametrize(
    "cron",
    [
        pytest.param("* * * * *", id="always"),
        pytest.param("0 8 21 11 6", id="this minute"),
        pytest.param("0 8 * * sat", id="name of a weekday"),
        pytest.param("* * * Nov SAT", id="capitals"),
        pytest.param("0,30 */4 * * *", id="list and step"),
        pytest.param("0 6-10/2 * oct-dec *", id="ranges"),
        pytest.param("* 5/3 * * *", id="step from a number on"),
        pytest.param("* * * * fri-sun", id="weekend, from Friday"),
        pytest.param("* * * * 5-7", id="the same in numbers"),
        pytest.param("* * 1 * sat", id="the weekday alone, where both are said"),
        pytest.param("* * 21 * mon", id="the day of the month alone, where both are said"),
    ],
)
def test_open_in_a_minute_that_matches(cron: str) -> None:
    assert opens(cron) == ""


@pytest.mark.parametrize(
    "cron, then",
    [
        pytest.param("1 8 * * *", "2026-11-21 08:01", id="in a minute"),
        pytest.param("0 * * * *", "", id="seconds do not matter"),
        pytest.param("59 7 * * *", "2026-11-22 07:59", id="a minute ago"),
        pytest.param("0 0 * * 0", "2026-11-22 00:00", id="0 is Sunday"),
        pytest.param("0 0 * * 7", "2026-11-22 00:00", id="7 is Sunday"),
        pytest.param("0 0 * * 1", "2026-11-23 00:00", id="1 is Monday"),
        pytest.param("0 0 * * sun-mon", "2026-11-22 00:00", id="from Sunday"),
        pytest.param("* * * * 1-5", "2026-11-23 00:00", id="1-5 is Monday to Friday"),
        pytest.param("0 0 */2 * sat", "2026-12-05 00:00", id="both, where one begins with *"),
        pytest.param("0 0 31 * *", "2026-12-31 00:00", id="months without a 31st"),
        pytest.param("0 0 31 4-6 *", "2027-05-31 00:00", id="and others with it"),
        pytest.param("0 0 29 2 *", "2028-02-29 00:00", id="leap day"),
        pytest.param("0 0 30 2 mon", "2027-02-01 00:00", id="no such day, but the weekday"),
    ],
)
def test_closed_until_the_next_minute_that_matches(cron: str, then: str) -> None:
    assert opens(cron) == then


def test_the_first_of_several_expressions_counts() -> None:
    assert opens("0 6 * * mon", "0 9 * * sat", "0 9 * * sun") == "2026-11-21 09:00"


def test_the_time_zone_of_the_schedule_counts() -> None:
    assert opens("0 7 * * *", zone="UTC") == ""
    assert opens("0 7 * * *", zone="Asia/Tokyo") == "2026-11-22 07:00"


@pytest.mark.parametrize("cron", ["* * 31 feb *", "0 0 31 2,4,6,9,11 *", "* * 30 2 */1"])
def test_what_never_comes_is_said(cron: str) -> None:
    assert opens(cron) == NEVER


@pytest.mark.parametrize(
    "cron, at, then, zone",
    [
        pytest.param(
            "30 2 * * *", "2026-03-28T23:00", "2026-03-30 02:30", BERLIN, id="an hour left out"
        ),
        pytest.param(
            "30 * * * *", "2026-03-29T01:45", "2026-03-29 03:30", BERLIN, id="behind that hour"
        ),
        pytest.param(
            "30 0 * * mon", "2026-03-28T12:00", "2026-03-30 00:30", BERLIN, id="the day after"
        ),
        pytest.param(
            "30 2 * * *", "2026-10-25T01:00", "2026-10-25 02:30", BERLIN, id="an hour twice"
        ),
        pytest.param(
            "30 2 * * *", "2026-10-25T02:45", "2026-10-25 02:30", BERLIN, id="its second time"
        ),
        pytest.param(
            "10,35 2 * * *",
            "2026-10-04T01:50",
            "2026-10-04 02:35",
            "Australia/Lord_Howe",
            id="half an hour left out",
        ),
        pytest.param(
            "0 0 * * *",
            "2026-04-23T12:00",
            "2026-04-25 00:00",
            "Africa/Cairo",
            id="midnight left out",
        ),
        pytest.param(
            "0 9 30 12 *", "2011-12-29T12:00", "2012-12-30 09:00", "Pacific/Apia", id="a day left"
        ),
    ],
)
def test_clocks_that_change(cron: str, at: str, then: str, zone: str) -> None:
    assert opens(cron, at=at, zone=zone) == then


@pytest.mark.parametrize("fold", [0, 1])
def test_an_hour_that_comes_twice_is_open_twice(fold: int) -> None:
    assert opens("* 2 * * *", at="2026-10-25T02:30", fold=fold) == ""


# -- against a matcher that is slow, and knows numbers only


@st.composite
def fields(draw: st.DrawFn, least: int, most: int) -> str:
    """A field of a crontab: a star, or parts; each with or without a step."""

    def part() -> str:
        first = draw(st.integers(least, most))
        last = draw(st.integers(first, most))
        step = draw(st.integers(1, 20))
        return draw(st.sampled_from([str(first), f"{first}-{last}", f"{first}-{last}/{step}"]))

    count = draw(st.integers(0, 3))
    star = draw(st.sampled_from(["*", "*", "*/2", "*/7"]))
    return ",".join(part() for _ in range(count)) or star


CRONTABS = st.tuples(fields(0, 59), fields(0, 23), fields(1, 31), st.just("*"), fields(0, 7)).map(
    " ".join
)
ZONES = st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Beirut"])
# Days around which clocks change in some of these zones, and others.
CHANGES = ["2026-03-08", "2026-03-28", "2026-04-04", "2026-10-04", "2026-10-24"]
TIMES = st.one_of(
    st.builds(
        lambda day, minutes: datetime.fromisoformat(day).replace(tzinfo=UTC) + minutes * MINUTE,
        st.sampled_from(CHANGES),
        st.integers(0, 2 * 24 * 60),
    ),
    st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: NOW.replace(second=0) + minutes * MINUTE),
)


def matches(crontab: str, here: datetime) -> bool:
    minute, hour, day, _, weekday = crontab.split()
    is_day = stands_for(day, here.day, 1, 31)
    is_weekday = any(
        stands_for(weekday, number, 0, 7) for number in {here.isoweekday(), here.isoweekday() % 7}
    )
    is_both = day[0] == "*" or weekday[0] == "*"
    return (
        stands_for(minute, here.minute, 0, 59)
        and stands_for(hour, here.hour, 0, 23)
        and (is_day and is_weekday if is_both else is_day or is_weekday)
    )


def stands_for(field: str, number: int, least: int, most: int) -> bool:
    for part in field.replace("*", f"{least}-{most}").split(","):
        numbers, _, step = part.partition("/")
        first, _, last = numbers.partition("-")
        if number in range(int(first), int(last or first) + 1, int(step or 1)):
            return True
    return False


@settings(max_examples=150, deadline=None)
@given(CRONTABS, ZONES, TIMES)
def test_it_is_open_when_a_slow_matcher_says_so(crontab: str, zone: str, now: datetime) -> None:
    here = ZoneInfo(zone)

    now_open, then = is_open([crontab], zone, now), next_minute([crontab], zone, now)

    moments = [now + number * MINUTE for number in range(3 * 24 * 60)]
    matching = [one for one in moments if matches(crontab, one.astimezone(here))]
    assert now_open is (now in matching)
    later = [one for one in matching if one > now]
    if later:
        assert then == later[0]
    else:
        assert then is None or then > moments[-1]
