"""Rollouts: what brings one digest to many repos, and how far each of them is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from digestbot.report.plain import well_formed
from digestbot.rollout.machine import STATES
from digestbot.rollout.progress import OPEN, TargetState
from digestbot.service.times import stamp
from digestbot.store import rollouts
from digestbot.store.rollouts import RolloutRow
from digestbot.web.page import MOST_PAGES, ROWS, Look, Page, Question

_DOCUMENTED = {"use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True)
class RolloutsQuestion(Question):
    """Which page of them."""

    page: Annotated[int, Field(ge=1, le=MOST_PAGES)] = 1


@dataclass(frozen=True, slots=True)
class RolloutsRow:
    """A rollout, and how far it is."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    id: str
    state: str
    """`planned`, `running`, `paused`, `halted`, `watching`, `closed`, `aborted`, `rolling-back`
    or `rolled-back`."""
    meaning: str
    """The state in a sentence."""
    image: str
    """The images that it is about."""
    planned_at: str
    planned_by: str
    repos: int
    merged: int
    open: int
    failed: int
    """Repos in which a check fails that did not before, or nothing could be proposed."""


@dataclass(frozen=True, slots=True)
class RolloutsView:
    """Rollouts, the newest first."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    total: int
    """How many there are, on all pages."""
    rollouts: list[RolloutsRow]
    """Those of this page."""


def read(look: Look, question: RolloutsQuestion) -> RolloutsView:
    """A page of the rollouts.

    Raises:
        StoreError: The state cannot be read.
    """
    with look.database.reading() as connection:
        found = rollouts.latest(connection, ROWS, (question.page - 1) * ROWS)
        total = rollouts.count(connection)
    return RolloutsView(total, [row_of(one) for one in found])


def row_of(rollout: RolloutRow) -> RolloutsRow:
    """A rollout as the list has it."""
    counts = rollout.counts
    failed = (TargetState.RED, TargetState.FAILED)
    return RolloutsRow(
        id=rollout.id,
        state=rollout.state.value,
        meaning=STATES[rollout.state],
        image=well_formed(rollout.image),
        planned_at=stamp(rollout.made_at),
        planned_by=well_formed(rollout.by),
        repos=sum(counts.values()),
        merged=counts.get(TargetState.MERGED, 0),
        open=sum(counts.get(state, 0) for state in OPEN),
        failed=sum(counts.get(state, 0) for state in failed),
    )


PAGE = Page("rollouts", "/rollouts", "Rollouts", RolloutsQuestion, RolloutsView, read)
