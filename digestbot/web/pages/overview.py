"""Overview: what needs somebody, how the fleet stands, how that changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from digestbot.service.conditions import NEEDS_SOMEBODY
from digestbot.service.times import stamp
from digestbot.service.timetable import next_fire
from digestbot.store.overview import Asked, Glance, glance
from digestbot.store.runs import RunState
from digestbot.web.page import Look, Page, Question
from digestbot.web.pages.overview_needs import needs_of
from digestbot.web.pages.overview_plots import buckets_of, moves_of, span, tallies_of
from digestbot.web.pages.overview_view import OverviewCycle, OverviewTotals, OverviewView


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
    settings, days = look.loaded.settings, int(question.days)
    target = settings.dashboard.target
    asked = Asked(look.now, days, target, settings.deny, NEEDS_SOMEBODY)
    with look.database.reading() as connection:
        found = glance(connection, asked)
    needs = needs_of(look, found)
    return OverviewView(
        phase=_phase(found),
        needs=list(needs.told),
        more_causes=needs.more,
        settling=found.held_total - len(found.held),
        totals=_totals(found),
        cycle=_cycle(look, found),
        days=days,
        tallies=tallies_of(found.tallies),
        target=span(target),
        target_s=round(target.total_seconds()),
        behind=buckets_of(found.behind.buckets, target),
        behind_unknown=found.behind.unknown,
        moved=found.moved,
        moves=moves_of(found.moves),
    )


def _phase(found: Glance) -> Literal["new", "first", "on"]:
    if found.last_success is not None:
        return "on"
    return "new" if found.cycle is None else "first"


def _cycle(look: Look, found: Glance) -> OverviewCycle:
    """The next one is by the timetable, or when what is held back may be looked at again."""
    service = look.loaded.settings.service
    fire = next_fire(service.cron, service.timezone, look.now)
    times = [time for time in (fire, found.next_due) if time is not None]
    last = found.cycle
    running = last if last is not None and last.state is RunState.RUNNING else None
    return OverviewCycle(
        last_success=_stamp(found.last_success),
        next=_stamp(min(times, default=None)),
        running_id=running.id if running else None,
        running_since=stamp(running.started_at) if running else None,
    )


def _totals(found: Glance) -> OverviewTotals:
    stands = found.standing
    followed = stands.current + stands.stale + stands.held
    return OverviewTotals(
        repos=stands.repos,
        settled=stands.settled,
        images=found.images,
        current=stands.current,
        stale=stands.stale,
        held=stands.held,
        failed=stands.failed,
        fresh_percent=100 * stands.current // followed if followed else None,
        open_proposals=found.open_total,
    )


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else stamp(moment)


PAGE = Page("overview", "/", "Overview", OverviewQuestion, OverviewView, read)
