"""Whether new proposals may be opened now, and when next: by the schedule and the freezes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from digestbot.config.proposing import FreezeConfig, ScheduleConfig
from digestbot.proposals.schedule import YEARS, is_open, next_minute, zone_of

# Schedule and freezes may push one another on for long. What is then found is a time before
# which nothing opens, if not the one at which it does: whoever waits for it asks again.
_ROUNDS = 6
_DAY = timedelta(days=1)
_NEVER = f"not within the next {YEARS} years"


@dataclass(frozen=True, slots=True)
class Closed:
    """New proposals may not be opened.

    Attributes:
        message: Why not, and when they may.
        until: When they may next, in UTC; None where they never may.
    """

    message: str
    until: datetime | None = None


def closed_at(
    schedule: ScheduleConfig | None, freezes: Sequence[FreezeConfig], now: datetime
) -> Closed | None:
    """What keeps new proposals from being opened at this time; None where they may be.

    Args:
        schedule: Without one they may be at any time that is not frozen.
        freezes: Days in the time zone of the schedule; in UTC without one.
        now: Any time that knows its zone.

    Raises:
        ValueError: The schedule names no minutes, or no time zone.
    """
    return _Hours(schedule, sorted(freezes, key=lambda one: one.start)).closed(now)


@dataclass(frozen=True, slots=True)
class _Hours:
    """When new proposals may be opened; `freezes` in the order in which they start."""

    schedule: ScheduleConfig | None
    freezes: Sequence[FreezeConfig]

    @property
    def timezone(self) -> str:
        return self.schedule.timezone if self.schedule else "UTC"

    def closed(self, now: datetime) -> Closed | None:
        day = self._here(now).date()
        frozen = next((one for one in self.freezes if _covers(one, day)), None)
        if frozen is not None:
            return Closed(self._frozen(frozen, self._first_free(day)), self._next(now))
        if self._is_scheduled(now):
            return None
        then = self._next(now)
        when = f"not before {self._here(then):%Y-%m-%d %H:%M} ({self.timezone})" if then else _NEVER
        return Closed(f"{when}, as the schedule says", then)

    def _frozen(self, freeze: FreezeConfig, free: date | None) -> str:
        when = f"not before {free} ({self.timezone})" if free else _NEVER
        reason = f": {freeze.reason}" if freeze.reason else ""
        return f"{when}, as there is a freeze{reason}"

    def _next(self, now: datetime) -> datetime | None:
        moment: datetime | None = now
        for _ in range(_ROUNDS):
            moment = self._thawed(moment) if moment else None
            if moment is None or self._is_scheduled(moment):
                return moment
            moment = self._next_scheduled(moment)
        return moment

    def _is_scheduled(self, moment: datetime) -> bool:
        schedule = self.schedule
        return schedule is None or is_open(schedule.cron, schedule.timezone, moment)

    def _next_scheduled(self, after: datetime) -> datetime | None:
        schedule = self.schedule
        return next_minute(schedule.cron, schedule.timezone, after) if schedule else after

    def _thawed(self, moment: datetime) -> datetime | None:
        """This moment, or when the first day begins that is not frozen."""
        day = self._here(moment).date()
        free = self._first_free(day)
        if free is None:
            return None
        begin = datetime.combine(free, time(), zone_of(self.timezone))
        return moment if free == day else begin.astimezone(UTC)

    def _first_free(self, day: date) -> date | None:
        """The first day from this one on that is not frozen; None after all too many."""
        last = day.year + YEARS
        for freeze in self.freezes:
            if _covers(freeze, day):
                if freeze.end.year > last:
                    return None
                day = freeze.end + _DAY
        return day

    def _here(self, moment: datetime) -> datetime:
        return moment.astimezone(zone_of(self.timezone))


def _covers(freeze: FreezeConfig, day: date) -> bool:
    return freeze.start <= day <= freeze.end
