"""Rollouts: their plans, what happened to them, and what became of each repo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from digestbot.errors import UsageError
from digestbot.image import Digest
from digestbot.registry.resolution import Query
from digestbot.rollout.contract import plan_id, read, written
from digestbot.rollout.journal import event_of, event_row
from digestbot.rollout.machine import Event, Standing, State, Verb, apply, replay
from digestbot.rollout.pacing import Pace
from digestbot.rollout.plan import Plan
from digestbot.rollout.progress import Target, TargetState
from digestbot.store.errors import NewerError
from digestbot.store.tables import ROLLOUT_EVENTS, ROLLOUT_TARGETS, ROLLOUTS
from digestbot.store.upsert import upsert

_R, _E, _T = ROLLOUTS.c, ROLLOUT_EVENTS.c, ROLLOUT_TARGETS.c
OVER = (State.CLOSED, State.ROLLED_BACK, State.ABORTED)
"""Nothing is left to do, once what is open was seen to."""
_UNDER_WAY = tuple(
    state.value for state in (State.RUNNING, State.PAUSED, State.HALTED, State.ROLLING_BACK)
)
_MOST_BACK = 8
_IS_LEFT = (_R.state != State.PLANNED.value) & _R.is_settled.is_(False)


@dataclass(frozen=True, slots=True)
class Rollout:
    """A rollout as the state has it.

    Attributes:
        issue: The number of its tracking issue; 0 without.
        is_settled: All that its state asks for is done.
    """

    id: str
    plan: Plan
    events: tuple[Event, ...]
    standing: Standing
    pace: Pace
    issue: int = 0
    is_settled: bool = False


@dataclass(frozen=True, slots=True)
class RolloutRow:
    """A rollout in a list; `counts` has its repos by what became of them."""

    id: str
    state: State
    image: str
    made_at: datetime
    by: str
    counts: Mapping[TargetState, int]


def create(connection: Connection, plan: Plan) -> str:
    """Keep a plan, with its repos waiting; what it is called. The same plan is kept once."""
    name = plan_id(plan)
    if connection.execute(select(_R.id).where(_R.id == name)).first() is not None:
        return name
    images = ", ".join(move.name for move in plan.moves) or plan.selection.image
    row = {"id": name, "plan": written(plan), "image": images, "made_at": plan.made_at}
    state = {"state": State.PLANNED.value, "by": plan.by}
    connection.execute(insert(ROLLOUTS).values(**row, **state, pace_share=1.0))
    note_targets(connection, name, (Target(one.repo, one.wave) for one in plan.targets))
    return name


def find(connection: Connection, name: str) -> str:
    """The whole name of the rollout whose name begins so.

    Raises:
        UsageError: There is none, or more than one.
    """
    found = connection.execute(
        select(_R.id).where(_R.id.startswith(name, autoescape=True)).limit(2)
    ).scalars()
    if not name:
        raise UsageError("the id of the rollout is empty", hint="see: digestbot rollout status")
    names = list(found)
    if len(names) != 1:
        problem = "more than one rollout is" if names else "no rollout is"
        raise UsageError(f"{problem} called {name}", hint="see: digestbot rollout status")
    return str(names[0])


def get(connection: Connection, name: str) -> Rollout | None:
    """One rollout by its whole name, standing where its events lead.

    Raises:
        NewerError: There are words in it that this program does not know.
    """
    row = connection.execute(select(ROLLOUTS).where(_R.id == name)).first()
    return None if row is None else _rollout(connection, row)


def append(connection: Connection, rollout: Rollout, event: Event) -> Rollout:
    """Have something happen, if it can, and nothing else has happened since; the rollout after it.

    Raises:
        MachineError: It cannot happen.
        UsageError: Something else happened meanwhile.
    """
    standing = apply(rollout.plan.course, rollout.standing, event)
    row = {"rollout_id": rollout.id, "number": len(rollout.events), **event_row(event)}
    try:
        connection.execute(insert(ROLLOUT_EVENTS).values(**row))
    except IntegrityError:
        raise UsageError(
            f"rollout {rollout.id} changed meanwhile", hint="look at it, and say it again"
        ) from None
    connection.execute(
        update(ROLLOUTS)
        .where(_R.id == rollout.id)
        .values(state=standing.state.value, is_settled=False)
    )
    events = (*rollout.events, event)
    return replace(rollout, events=events, standing=standing, is_settled=False)


def note_targets(
    connection: Connection, name: str, targets: Iterable[Target], *, is_back: bool = False
) -> None:
    """Keep what became of these repos; of their way back, where it `is_back`."""
    rows = [{**_target_row(name, target), "is_back": is_back} for target in targets]
    for start in range(0, len(rows), 500):
        upsert(
            connection,
            ROLLOUT_TARGETS,
            rows[start : start + 500],
            key=("rollout_id", "repo", "is_back"),
        )


def note_pace(connection: Connection, name: str, pace: Pace) -> None:
    """Keep how fast it goes."""
    values = {"pace_share": pace.share, "pace_since": pace.since}
    connection.execute(update(ROLLOUTS).where(_R.id == name).values(**values))


def note_issue(connection: Connection, name: str, number: int) -> None:
    """Keep the number of the tracking issue."""
    connection.execute(update(ROLLOUTS).where(_R.id == name).values(issue=number))


def note_settled(connection: Connection, name: str) -> None:
    """All that its state asks for is done; until something happens to it, nobody looks again."""
    connection.execute(update(ROLLOUTS).where(_R.id == name).values(is_settled=True))


def targets(connection: Connection, name: str, *, is_back: bool = False) -> list[Target]:
    """What became of its repos, by wave and name."""
    query = (
        select(ROLLOUT_TARGETS)
        .where(_T.rollout_id == name, _T.is_back.is_(is_back))
        .order_by(_T.wave, _T.repo)
    )
    with _understood(f"what became of the repos of rollout {name}"):
        return [_target(row) for row in connection.execute(query)]


def unfinished(connection: Connection) -> list[str]:
    """The names of those with something left to do, the oldest first."""
    return list(connection.execute(select(_R.id).where(_IS_LEFT).order_by(_R.made_at)).scalars())


def engaged(connection: Connection) -> dict[str, str]:
    """The repos in which a rollout has something to say, and its name: none of them twice."""
    rows = connection.execute(
        select(_T.repo, _R.id)
        .join(ROLLOUTS, _R.id == _T.rollout_id)
        .where(_R.state.in_(_UNDER_WAY))
        .order_by(_R.made_at.desc())
    )
    return {row.repo: row.id for row in rows}


def brought_to(connection: Connection, repo: str) -> dict[Query, str]:
    """What the rollouts under way bring to a repo, each with the name of the rollout."""
    rows = connection.execute(
        select(_R.id, _R.plan)
        .join(ROLLOUT_TARGETS, _R.id == _T.rollout_id)
        .where(_R.state.in_(_UNDER_WAY), _T.repo == repo)
        .order_by(_R.made_at.desc())
    )
    # Neither the tag that it had nor the one that it gets is anybody else's meanwhile.
    return {
        Query(image, move.platform): row.id
        for row in rows
        for move in _plan_in(row.plan).moves
        for image in (move.image, move.to)
        if image is not None
    }


def taken_back_from(connection: Connection, repo: str) -> dict[tuple[Query, Digest], str]:
    """What rollouts were to bring to a repo and were rolled back from, with their names.

    Whatever became of them then: one that is ended on its way back brings nothing again.
    """
    sent_back = select(_E.rollout_id).where(_E.verb == Verb.ROLLBACK.value)
    rows = connection.execute(
        select(_R.id, _R.plan)
        .join(ROLLOUT_TARGETS, _R.id == _T.rollout_id)
        .where(_R.id.in_(sent_back), _T.repo == repo, _T.is_back.is_(False))
        .order_by(_R.made_at.desc())
        .limit(_MOST_BACK)
    )
    return {
        (Query(move.to or move.image, move.platform), move.digest): row.id
        for row in rows
        for move in _plan_in(row.plan).moves
    }


def stirring(connection: Connection) -> dict[str, int]:
    """Those with something left to do, the oldest first: how much happened to each so far."""
    rows = connection.execute(
        select(_R.id, func.count(_E.number).label("number"))
        .join(ROLLOUT_EVENTS, _R.id == _E.rollout_id)
        .where(_IS_LEFT)
        .group_by(_R.id, _R.made_at)
        .order_by(_R.made_at)
    )
    return {row.id: row.number for row in rows}


def happened(connection: Connection, name: str) -> int:
    """How much happened to one so far."""
    query = select(func.count()).select_from(ROLLOUT_EVENTS).where(_E.rollout_id == name)
    return connection.scalar(query) or 0


def latest(connection: Connection, limit: int = 50, offset: int = 0) -> list[RolloutRow]:
    """The last ones, the newest first."""
    return _listed(connection, select(ROLLOUTS).limit(limit).offset(offset))


def under_way(connection: Connection, limit: int) -> list[RolloutRow]:
    """The last ones with something left to do, the newest first."""
    return _listed(connection, select(ROLLOUTS).where(_IS_LEFT).limit(limit))


def count(connection: Connection) -> int:
    """How many rollouts there are."""
    return connection.scalar(select(func.count()).select_from(ROLLOUTS)) or 0


def _listed(connection: Connection, query: Select[tuple[Any, ...]]) -> list[RolloutRow]:
    rows = connection.execute(query.order_by(_R.made_at.desc(), _R.id)).all()
    counts: dict[str, Counter[TargetState]] = {row.id: Counter() for row in rows}
    told = connection.execute(
        select(_T.rollout_id, _T.state, func.count().label("number"))
        .where(_T.rollout_id.in_(counts), _T.is_back.is_(False))
        .group_by(_T.rollout_id, _T.state)
    )
    with _understood("how a rollout stands"):
        for one in told:
            counts[one.rollout_id][TargetState(one.state)] = one.number
        return [
            RolloutRow(row.id, State(row.state), row.image, row.made_at, row.by, counts[row.id])
            for row in rows
        ]


@contextmanager
def _understood(what: str) -> Iterator[None]:
    """Raise `NewerError` where there are words in it that this program does not know."""
    try:
        yield
    except (ValueError, KeyError, TypeError) as error:
        message = f"{what} cannot be understood: a newer digestbot wrote it"
        raise NewerError(message, hint="have that one work with it") from error


@lru_cache(maxsize=8)
def _plan_in(text: str) -> Plan:
    """A plan never changes, and one of thousands of repos takes long to read."""
    with _understood("the plan of a rollout"):
        return read(text)


def _rollout(connection: Connection, row: Row[tuple[object, ...]]) -> Rollout:
    plan = _plan_in(row.plan)
    rows = connection.execute(
        select(ROLLOUT_EVENTS).where(_E.rollout_id == row.id).order_by(_E.number)
    ).mappings()
    with _understood(f"what happened to rollout {row.id}"):
        events = tuple(event_of(dict(one)) for one in rows)
    pace = Pace(row.pace_share, row.pace_since)
    standing = replay(plan.course, events)
    return Rollout(row.id, plan, events, standing, pace, row.issue, row.is_settled)


def _target_row(name: str, target: Target) -> dict[str, object]:
    return {
        "rollout_id": name,
        "repo": target.repo,
        "wave": target.wave,
        "state": target.state.value,
        "why": target.why,
        "number": target.number,
        "url": target.url,
        "failing": list(target.failing),
        "is_adopted": target.is_adopted,
        "opened_at": target.opened_at,
        "ended_at": target.ended_at,
    }


def _target(row: Row[tuple[object, ...]]) -> Target:
    return Target(
        repo=row.repo,
        wave=row.wave,
        state=TargetState(row.state),
        why=row.why,
        number=row.number,
        url=row.url,
        failing=tuple(row.failing),
        is_adopted=row.is_adopted,
        opened_at=row.opened_at,
        ended_at=row.ended_at,
    )
