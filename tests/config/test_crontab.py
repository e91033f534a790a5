from __future__ import annotations

import re

import pytest

from digestbot.config.crontab import Crontab


@pytest.mark.parametrize(
    "text, field, numbers",
    [
        pytest.param("*/15 * * * *", "minutes", {0, 15, 30, 45}, id="step"),
        pytest.param("5/20 * * * *", "minutes", {5, 25, 45}, id="step from a number"),
        pytest.param("1,2,7-9 * * * *", "minutes", {1, 2, 7, 8, 9}, id="list"),
        pytest.param("* 6-18/6 * * *", "hours", {6, 12, 18}, id="step in a range"),
        pytest.param("* * * jan,MAR *", "months", {1, 3}, id="months by name"),
        pytest.param("* * * * mon-fri", "weekdays", {1, 2, 3, 4, 5}, id="weekdays by name"),
        pytest.param("* * * * 0,7", "weekdays", {0}, id="both Sundays"),
        pytest.param("* * * * fri-sun", "weekdays", {5, 6, 0}, id="over the weekend"),
    ],
)
def test_a_field_stands_for_these_numbers(text: str, field: str, numbers: set[int]) -> None:
    assert getattr(Crontab.parse(text), field) == numbers


@pytest.mark.parametrize(
    "text, is_either",
    [("* * 1 * mon", True), ("* * 1 * *", False), ("* * * * mon", False), ("* * */2 * mon", False)],
)
def test_a_day_of_the_month_or_of_the_week_is_enough_where_both_are_said(
    text: str, is_either: bool
) -> None:
    assert Crontab.parse(text).is_either == is_either


@pytest.mark.parametrize(
    "cron, said",
    [
        pytest.param("* 25 * * *", "the hour '25' is not within 0-23", id="hour"),
        pytest.param("60 * * * *", "the minute '60' is not within 0-59", id="minute"),
        pytest.param("* * 0 * *", "the day of the month '0' is not within 1-31", id="day"),
        pytest.param("* * * 13 *", "the month '13' is not within 1-12", id="month"),
        pytest.param("* * * * 8", "the weekday '8' is not within 0-7", id="weekday"),
        pytest.param("* 18-6 * * *", "the hour '18-6' is not within 0-23", id="backwards"),
        pytest.param("*/0 * * * *", "the minute '*/0' has a step of nothing", id="step"),
        pytest.param("* * * * monday", "the weekday has no name 'monday'", id="long name"),
        pytest.param("* * last * *", "the day of the month has no name 'last'", id="last"),
        pytest.param("* mon * * *", "the hour has no name 'mon'", id="name of another field"),
        pytest.param("1,,2 * * * *", "the minute '' is not of the form", id="nothing"),
        pytest.param("1-2-3 * * * *", "the minute '1-2-3' is not of the form", id="form"),
        pytest.param("9999 * * * *", "the minute '9999' is not of the form", id="long number"),
        pytest.param("* * * *", "has not five fields", id="four"),
    ],
)
def test_what_is_no_schedule_is_refused_with_the_reason(cron: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        Crontab.parse(cron)

    assert repr(cron) in str(caught.value)
