"""What each run came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from sqlalchemy import Connection, delete, func, insert, null, select, update

from digestbot.scan.result import Problem
from digestbot.store.tables import RUNS

_C = RUNS.c


class RunState(StrEnum):
    """How a run ended, or that it has not."""

    RUNNING = "running"
    DONE = "done"
    INCOMPLETE = "incomplete"
    STOPPED = "stopped"
    FAILED = "failed"
    LOST = "lost"


STATES = {
    RunState.RUNNING: "It is under way.",
    RunState.DONE: "All of it was done.",
    RunState.INCOMPLETE: "Something could not be asked or done; the problems say what.",
    RunState.STOPPED: "It was asked to end; what it had not begun is left for the next one.",
    RunState.FAILED: "An error ended it, or no target could be listed.",
    RunState.LOST: "Its process ended without a word.",
}
WHOLE = "cycle"
"""The kind of a run over everything."""
KEPT_PARTIAL = 1000
"""How many runs over a part are kept beyond a day."""
HostCounts: TypeAlias = Mapping[str, Mapping[str, int]]
"""How many answers there were, by host and code."""
_GOOD = (RunState.DONE.value, RunState.INCOMPLETE.value)


@dataclass(frozen=True, slots=True)
class Requests:
    """What a run asked of others.

    Attributes:
        registries: Answers of registries, by host and HTTP status or slug of an error.
        forges: Those of forges.
        left: How much a host may still be asked, by host and what it counts.
    """

    registries: HostCounts = field(default_factory=dict)
    forges: HostCounts = field(default_factory=dict)
    left: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run."""

    id: str
    kind: str
    state: RunState
    started_at: datetime
    finished_at: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def begin(
    connection: Connection, run_id: str, kind: str, now: datetime, asked_by: Sequence[str] = ()
) -> None:
    """Write down that a run begins, and who asked for it, in words."""
    state = RunState.RUNNING.value
    row = {"id": run_id, "kind": kind, "state": state, "counts": {}, "problems": []}
    connection.execute(insert(RUNS).values(started_at=now, asked_by=list(asked_by), **row))


def note_progress(
    connection: Connection, run_id: str, counts: Mapping[str, int], problem_count: int
) -> None:
    """Write down how far a run that is under way has come."""
    values = {"counts": dict(counts), "problem_count": problem_count}
    connection.execute(update(RUNS).where(_C.id == run_id).values(values))


def finish(
    connection: Connection,
    run_id: str,
    state: RunState,
    counts: Mapping[str, int],
    problems: Sequence[Problem],
    now: datetime,
    requests: Requests | None = None,
) -> None:
    """Write down what a run came to, and what it asked of others where somebody counted."""
    connection.execute(
        update(RUNS)
        .where(_C.id == run_id)
        .values(
            state=state.value,
            finished_at=now,
            counts=dict(counts),
            problems=[asdict(problem) for problem in problems],
            problem_count=len(problems),
            requests=null() if requests is None else asdict(requests),
        )
    )


def note_lost(connection: Connection, now: datetime) -> int:
    """Of a process that is the only one: what seems to be under way is not; how many that are."""
    done = connection.execute(
        update(RUNS)
        .where(_C.state == RunState.RUNNING.value)
        .values(state=RunState.LOST.value, finished_at=now)
    )
    return done.rowcount


def latest(connection: Connection, limit: int = 10) -> list[RunRecord]:
    """The last runs, the newest first."""
    rows = connection.execute(select(RUNS).order_by(_C.started_at.desc(), _C.id).limit(limit))
    return [
        RunRecord(
            row.id,
            row.kind,
            RunState(row.state),
            row.started_at,
            row.finished_at,
            row.counts,
            tuple(Problem(**one) for one in row.problems),
        )
        for row in rows
    ]


def last_success(connection: Connection) -> datetime | None:
    """When a whole cycle last came to its end, complete or not."""
    is_good = (_C.kind == WHOLE) & _C.state.in_(_GOOD)
    return connection.execute(select(func.max(_C.finished_at)).where(is_good)).scalar()


def opened_since(connection: Connection, moment: datetime) -> int:
    """How many pull requests were opened in the runs that ended after this time, at least."""
    counts = connection.execute(select(_C.counts).where(_C.finished_at > moment)).scalars()
    return sum(one.get("proposals_opened", 0) for one in counts)


def prune_partial(connection: Connection, before: datetime, keep: int = KEPT_PARTIAL) -> int:
    """Of the runs over a part, forget those from before this time that are not the newest ones.

    Others say when these begin: there may be as many as there is time for. How many were forgotten.
    """
    is_partial = _C.kind != WHOLE
    newest = select(_C.id).where(is_partial).order_by(_C.started_at.desc()).limit(keep)
    surplus = is_partial & (_C.started_at < before) & _C.id.not_in(newest)
    return connection.execute(delete(RUNS).where(surplus)).rowcount


def prune(connection: Connection, before: datetime) -> int:
    """Forget the runs that began before this time; how many these were."""
    return connection.execute(delete(RUNS).where(_C.started_at < before)).rowcount
