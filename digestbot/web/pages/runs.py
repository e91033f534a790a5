"""Runs: what each of them did, and how the one goes that is under way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from digestbot.report.plain import well_formed
from digestbot.service.times import stamp
from digestbot.store import run_rows
from digestbot.store.run_rows import RunFilter, RunRow
from digestbot.store.runs import RunState
from digestbot.web.page import MOST_PAGES, ROWS, Look, Page, Question

MOST_RUNNING = 5
_DOCUMENTED = {"use_attribute_docstrings": True}

Kind = Literal["", "cycle", "hint"]
State = Literal["", "running", "done", "incomplete", "stopped", "failed", "lost"]


@dataclass(frozen=True, slots=True)
class RunsQuestion(Question):
    """Which runs are shown."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    kind: Kind = ""
    """A cycle over everything, or a hint that something moved."""
    state: State = ""
    live: bool = True
    """Whether the page refreshes itself while something runs."""
    page: Annotated[int, Field(ge=1, le=MOST_PAGES)] = 1


@dataclass(frozen=True, slots=True)
class RunsRow:
    """What a run did."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    id: str
    kind: str
    """`cycle`, over everything, or `hint`, over what somebody said has moved."""
    state: str
    """`running`, `done`, `incomplete`, `stopped`, `failed` or `lost`."""
    started_at: str
    finished_at: str | None
    """Null while it is under way."""
    took_s: float
    """How many seconds it took, or takes so far."""
    listed: int
    """Repos that the forges have."""
    updated: int
    """Repos that were worked on, as something had moved."""
    lookups: int
    """Distinct images that registries were asked about."""
    opened: int
    """Pull requests that were opened."""
    problems: int
    """What could not be asked or done; the page of the run says what."""
    asked_by: str
    """Who asked for it, in words: `ann (scan now), webhook harbor`; empty where it began by the
    timetable, or because something had been held for long enough."""


@dataclass(frozen=True, slots=True)
class RunsView:
    """Runs, the newest first."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    running: list[RunsRow]
    """Those under way, whatever is asked for; a handful at most."""
    latest: RunsRow | None
    """The last one that came to its end."""
    total: int
    """How many there are, on all pages."""
    runs: list[RunsRow]
    """Those of this page."""


def read(look: Look, question: RunsQuestion) -> RunsView:
    """The runs that are asked for.

    Raises:
        StoreError: The state cannot be read.
    """
    asked = filter_of(question)
    first = (question.page - 1) * ROWS
    with look.database.reading() as connection:
        under_way = RunFilter(state=RunState.RUNNING)
        running = run_rows.page(connection, under_way, limit=MOST_RUNNING)
        latest = run_rows.last_ended(connection)
        total = run_rows.count(connection, asked)
        found = run_rows.page(connection, asked, offset=first, limit=ROWS)
    return RunsView(
        running=[row_of(one, look.now) for one in running],
        latest=row_of(latest, look.now) if latest else None,
        total=total,
        runs=[row_of(one, look.now) for one in found],
    )


def filter_of(question: RunsQuestion) -> RunFilter:
    """What is asked for, as the state knows it."""
    return RunFilter(question.kind, RunState(question.state) if question.state else None)


def row_of(run: RunRow, now: datetime) -> RunsRow:
    """A run as it is told."""
    return RunsRow(
        id=run.id,
        kind=run.kind,
        state=run.state.value,
        started_at=stamp(run.started_at),
        finished_at=stamp(run.finished_at) if run.finished_at else None,
        took_s=max((run.finished_at or now).timestamp() - run.started_at.timestamp(), 0.0),
        listed=run.counts.get("listed", 0),
        updated=run.counts.get("updated", 0),
        lookups=run.counts.get("lookups", 0),
        opened=run.counts.get("proposals_opened", 0),
        problems=run.problems,
        asked_by=well_formed(", ".join(run.asked_by)),
    )


PAGE = Page("runs", "/runs", "Runs", RunsQuestion, RunsView, read, export="runs")
