"""How far rollouts are, for lists: counted in the database, without reading plan or journal."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from digestbot.rollout.machine import Verb
from digestbot.store.tables import ROLLOUT_EVENTS, ROLLOUT_TARGETS

_E, _T = ROLLOUT_EVENTS.c, ROLLOUT_TARGETS.c
# They leave a rollout in the state it was in.
_STAYING = (Verb.ADVANCE, Verb.PROMOTE, Verb.APPROVE, Verb.RETRY, Verb.SKIP)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a rollout is.

    Attributes:
        wave: The one under way, from 0.
        waves: How many there are.
        since: When it got into its state; None before its start.
    """

    wave: int = 0
    waves: int = 1
    since: datetime | None = None


def marks(connection: Connection, names: Collection[str]) -> Mapping[str, Mark]:
    """How far each of these rollouts is, by their whole names."""
    is_staying = _E.verb.in_([verb.value for verb in _STAYING])
    told = connection.execute(
        select(
            _E.rollout_id,
            func.count(case((_E.verb == Verb.ADVANCE.value, 1))).label("wave"),
            func.max(case((~is_staying, _E.at))).label("since"),
        )
        .where(_E.rollout_id.in_(names))
        .group_by(_E.rollout_id)
    )
    moved = {row.rollout_id: (row.wave, row.since) for row in told}
    last = connection.execute(
        select(_T.rollout_id, func.max(_T.wave).label("last"))
        .where(_T.rollout_id.in_(names))
        .group_by(_T.rollout_id)
    )
    waves = {row.rollout_id: row.last + 1 for row in last}
    return {
        name: Mark(moved.get(name, (0, None))[0], waves.get(name, 1), moved.get(name, (0, None))[1])
        for name in names
    }
