"""Schedules: the minutes that cron expressions stand for.

APScheduler finds the days. It knows them a little differently from a crontab: it counts
weekdays from Monday, and asks for the day of the month and the weekday where cron takes
either. It is asked about days in UTC, where all are of one length; what the clocks of the time
zone do on such a day is looked up here, minute by minute.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from digestbot.config.crontab import Crontab

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

YEARS = 40
"""How far ahead is looked: within it, 29 February mostly falls on each of the weekdays."""
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)
# Of the longest day: where clocks are put back, some of it comes twice.
_MOST_MINUTES = 27 * 60


def is_open(cron: Sequence[str], timezone: str, now: datetime) -> bool:
    """Whether one of the expressions matches this minute.

    Args:
        cron: Expressions of five fields.
        timezone: Name of the time zone they are meant in.
        now: Any time that knows its zone.

    Raises:
        ValueError: An expression is none, or there is no such time zone.
    """
    here = _minute_at(now, timezone)
    return any(one.has(here) for one in _times(tuple(cron), here.year))


def next_minute(cron: Sequence[str], timezone: str, after: datetime) -> datetime | None:
    """The first minute after this one that an expression matches, in UTC.

    A time that the clocks leave out is left out; one that they show twice comes twice. None
    where there is none within `YEARS`.

    Raises:
        ValueError: An expression is none, or there is no such time zone.
    """
    here = _minute_at(after, timezone)
    found = (one.next(here) for one in _times(tuple(cron), here.year))
    return min((then.astimezone(UTC) for then in found if then is not None), default=None)


@dataclass(frozen=True, slots=True)
class _Times:
    """The minutes of one expression; a day is one of its days where any of the triggers fires."""

    crontab: Crontab
    triggers: tuple[CronTrigger, ...]

    @classmethod
    def of(cls, crontab: Crontab, years: str) -> Self:
        from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415 - few have a schedule

        months, days = _listed(crontab.months), _listed(crontab.days)
        weekdays = _listed({(one - 1) % 7 for one in crontab.weekdays})
        pairs = [(days, "*"), ("*", weekdays)] if crontab.is_either else [(days, weekdays)]
        return cls(
            crontab,
            tuple(
                CronTrigger(years, months, day, day_of_week=weekday, hour=0, timezone=UTC)
                for day, weekday in pairs
            ),
        )

    def has(self, here: datetime) -> bool:
        """Whether this minute is one of them."""
        return self._has_time(here) and self._day(here.date()) == here.date()

    def next(self, here: datetime) -> datetime | None:
        """The first of them after this one."""
        day = self._day(here.date())
        while day is not None:
            for minute in _minutes_of(day, here):
                if self._has_time(minute):
                    return minute
            day = self._day(day + _DAY)
        return None

    def _has_time(self, here: datetime) -> bool:
        return here.minute in self.crontab.minutes and here.hour in self.crontab.hours

    def _day(self, start: date) -> date | None:
        """The first of its days, from this one on."""
        midnight = datetime.combine(start, time(), UTC)
        fires = (trigger.get_next_fire_time(None, midnight) for trigger in self.triggers)
        return min((fire.date() for fire in fires if fire is not None), default=None)


def zone_of(name: str) -> tzinfo:
    """The time zone of this name.

    Raises:
        ValueError: There is none.
    """
    if name == "UTC":
        return UTC  # A system without a list of time zones knows it, too.
    try:
        return ZoneInfo(name)
    except (OSError, LookupError, ValueError) as error:
        raise ValueError(f"there is no time zone {name!r}") from error


def _minute_at(moment: datetime, timezone: str) -> datetime:
    return moment.astimezone(zone_of(timezone)).replace(second=0, microsecond=0)


# Most repos of a run have the same schedule; one may be large, so that few are kept.
@lru_cache(maxsize=8)
def _times(cron: tuple[str, ...], year: int) -> tuple[_Times, ...]:
    years = f"{year}-{year + YEARS}"
    return tuple(_Times.of(Crontab.parse(one), years) for one in cron)


def _listed(numbers: Collection[int]) -> str:
    return ",".join(map(str, sorted(numbers)))


def _minutes_of(day: date, after: datetime) -> Iterator[datetime]:
    """All minutes that a day really has, in order, after that one."""
    start = datetime.combine(day, time(), after.tzinfo).astimezone(UTC)
    for number in range(_MOST_MINUTES):
        minute = start + number * _MINUTE
        here = minute.astimezone(after.tzinfo)
        if here.date() == day and minute > after:
            yield here
