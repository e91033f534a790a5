"""Schedules: at which minutes new proposals may be opened.

APScheduler finds the days. It knows them a little differently from a crontab: it counts
weekdays from Monday, and asks for the day of the month and the weekday where cron takes
either. It is asked about days in UTC, where all are of one length; what the clocks of the time
zone do on such a day is looked up here, minute by minute.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
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


def why_closed(cron: Sequence[str], timezone: str, now: datetime) -> str:
    """Why nothing may be opened now; empty in a minute that one of the expressions matches.

    Args:
        cron: Expressions of five fields.
        timezone: Name of the time zone they are meant in.
        now: Any time that knows its zone.

    Raises:
        ValueError: An expression is none, or there is no such time zone.
    """
    here = now.astimezone(_zone(timezone)).replace(second=0, microsecond=0)
    times = _times(cron, here.year)
    if any(one.has(here) for one in times):
        return ""
    found = [then for one in times if (then := one.next(here)) is not None]
    if not found:
        return f"not within the next {YEARS} years, as the schedule says"
    first = min(found, key=datetime.timestamp)
    return f"not before {first:%Y-%m-%d %H:%M} ({timezone}), as the schedule says"


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


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC  # A system without a list of time zones knows it, too.
    try:
        return ZoneInfo(name)
    except (OSError, LookupError, ValueError) as error:
        raise ValueError(f"there is no time zone {name!r}") from error


def _times(cron: Sequence[str], year: int) -> tuple[_Times, ...]:
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
