"""Overview: what needs somebody, how the fleet stands, how that changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from sqlalchemy import Connection

from digestbot.service.conditions import NEEDS_SOMEBODY
from digestbot.service.times import stamp
from digestbot.service.timetable import next_fire
from digestbot.store import ages, attention, moves, overview, repos, runs, standing
from digestbot.store.ages import PinGroup
from digestbot.store.overview import LastCycle
from digestbot.store.runs import RunState
from digestbot.web.page import Look, Page, Question
from digestbot.web.pages.overview_needs import needs_of
from digestbot.web.pages.overview_plots import buckets_of, moves_of, span, tallies_of
from digestbot.web.pages.overview_view import OverviewCycle, OverviewTotals, OverviewView

MOST_MOVES = 20
LATELY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class OverviewQuestion(Question):
    """How far back the plots go."""

    __pydantic_config__: ClassVar = {"use_attribute_docstrings": True}

    days: Literal["7", "30", "90", "365"] = "30"
    """So many days of tallies."""


def read(look: Look, question: OverviewQuestion) -> OverviewView:
    """What needs somebody, and how the fleet stands.

    Raises:
        StoreError: The state cannot be read.
    """
    target, days = look.loaded.settings.dashboard.target, int(question.days)
    with look.database.reading() as connection:
        last = overview.last_cycle(connection)
        cycle = _cycle(look, connection, last)
        needs = needs_of(look, connection, last)
        behind = ages.groups(connection)
        return OverviewView(
            phase=_phase(cycle, last),
            needs=list(needs.told),
            more_causes=needs.more,
            settling=_settling(connection),
            totals=_totals(connection),
            cycle=cycle,
            days=days,
            tallies=tallies_of(connection, look.now, days),
            target=span(target),
            target_s=round(target.total_seconds()),
            behind=buckets_of(behind, look.now, target),
            behind_unknown=_unknown(behind),
            moved=moves.count(connection, look.now - LATELY),
            moves=moves_of(connection, look.now - LATELY, MOST_MOVES),
        )


def _phase(cycle: OverviewCycle, last: LastCycle | None) -> Literal["new", "first", "on"]:
    if cycle.last_success is not None:
        return "on"
    return "new" if last is None else "first"


def _cycle(look: Look, connection: Connection, last: LastCycle | None) -> OverviewCycle:
    """The next one is by the timetable, or when what is held back may be looked at again."""
    service = look.loaded.settings.service
    times = (
        next_fire(service.cron, service.timezone, look.now),
        repos.next_due(connection, look.now),
    )
    running = last if last is not None and last.state is RunState.RUNNING else None
    return OverviewCycle(
        last_success=_stamp(runs.last_success(connection)),
        next=_stamp(min((time for time in times if time is not None), default=None)),
        running_id=running.id if running else None,
        running_since=stamp(running.started_at) if running else None,
    )


def _totals(connection: Connection) -> OverviewTotals:
    found = standing.standing(connection)
    followed = found.current + found.stale + found.held
    return OverviewTotals(
        repos=found.repos,
        settled=found.settled,
        images=overview.count_followed(connection),
        current=found.current,
        stale=found.stale,
        held=found.held,
        failed=found.failed,
        fresh_percent=100 * found.current // followed if followed else None,
        open_proposals=attention.count_open(connection),
    )


def _settling(connection: Connection) -> int:
    """What is held for any other reason than those that need somebody."""
    number = attention.count_held(connection)
    return number - attention.count_held(connection, NEEDS_SOMEBODY) if number else 0


def _unknown(behind: Iterable[PinGroup]) -> int:
    return sum(one.places for one in behind if one.behind_since is None)


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else stamp(moment)


PAGE = Page("overview", "/", "Overview", OverviewQuestion, OverviewView, read)
