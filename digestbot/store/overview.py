"""What the fleet comes to at a glance: one short answer, however large it is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, func, select

from digestbot.scan.result import Problem
from digestbot.store import ages, attention, images, moves, repos, runs, standing, tallies
from digestbot.store.ages import Histogram
from digestbot.store.attention import DeniedDigest, HeldImage
from digestbot.store.conditions import Condition
from digestbot.store.images import Failing
from digestbot.store.moves import Move
from digestbot.store.proposals import State
from digestbot.store.repo_state import HAS_PROBLEMS, IS_LIVE, LEFT_OUT
from digestbot.store.runs import WHOLE, RunState
from digestbot.store.standing import Standing
from digestbot.store.tables import FINDINGS, PROPOSALS, REPOS, RUNS
from digestbot.store.tallies import Tally

MOST = 1000
"""How many repos with problems, and images that need somebody, are read."""
MOST_PULLS = 5
MOST_MOVES = 20
MOST_TALLIES = 100
LATELY = timedelta(days=7)
"""For so long tags are said to have moved."""
_P = PROPOSALS.c
# One by one: an index has each. They are far fewer than those that are.
_NOT_LIVE = (REPOS.c.gone_at.is_not(None), LEFT_OUT)
_IS_OPEN = (_P.state == State.OPEN.value) & (_P.number > 0)


@dataclass(frozen=True, slots=True)
class WaitingPull:
    """A pull request that is open, of a repo that is worked on."""

    repo_id: int
    repo: str
    repo_url: str
    number: int
    url: str
    title: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class TroubledRepo:
    """A repo in which not everything could be found out or done."""

    id: int
    name: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class LastCycle:
    """The whole cycle that began last."""

    id: str
    state: RunState
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be known.

    Attributes:
        days: How far the tallies go back.
        target: For how long a pin may be behind, and a pull request wait.
        deny: Digests that must not be in use.
        needing: Reasons for which updates are held until somebody decides.
    """

    now: datetime
    days: int
    target: timedelta
    deny: Collection[str]
    needing: Collection[str]


@dataclass(frozen=True, slots=True)
class Glance:
    """How all stands at one moment.

    Attributes:
        cycle: The one that began last; None before the first.
        last_success: When a cycle last came to its end.
        next_due: When a repo is due although nothing moved.
        conditions: What operators were told that holds.
        held: What is held until somebody decides.
        held_total: How many images and reasons there are for which anything is held.
        waiting: The pull requests that wait for longest, all of them for too long.
        waiting_total: How many there are of them.
        open_total: How many pull requests are open.
        images: How many are followed.
        behind: The stale and held pins, by how long they are.
        moves: What moved lately; `moved` is how many images did.
    """

    cycle: LastCycle | None
    last_success: datetime | None
    next_due: datetime | None
    conditions: list[Condition]
    failing: list[Failing]
    troubled: list[TroubledRepo]
    denied: list[DeniedDigest]
    held: list[HeldImage]
    held_total: int
    waiting: list[WaitingPull]
    waiting_total: int
    open_total: int
    standing: Standing
    images: int
    behind: Histogram
    tallies: list[Tally]
    moves: list[Move]
    moved: int


def glance(connection: Connection, asked: Asked) -> Glance:
    """How all stands."""
    before, lately = asked.now - asked.target, asked.now - LATELY
    open_total, waiting_total = _count_pulls(connection, before)
    since = asked.now - timedelta(days=asked.days)
    return Glance(
        cycle=_last_cycle(connection),
        last_success=runs.last_success(connection),
        next_due=repos.next_due(connection, asked.now),
        conditions=attention.holding(connection),
        failing=images.failing(connection),
        troubled=_troubled(connection),
        denied=attention.denied_digests(connection, asked.deny),
        held=attention.held_images(connection, reasons=asked.needing, limit=MOST),
        held_total=attention.count_held(connection),
        waiting=_waiting(connection, before) if waiting_total else [],
        waiting_total=waiting_total,
        open_total=open_total,
        standing=standing.standing(connection),
        images=_count_followed(connection),
        behind=ages.histogram(connection, asked.now, asked.target),
        tallies=tallies.between(connection, since, asked.now, MOST_TALLIES),
        moves=moves.moved(connection, lately, MOST_MOVES),
        moved=moves.count(connection, lately),
    )


def _count_followed(connection: Connection) -> int:
    query = select(func.count(FINDINGS.c.image_id.distinct())).where(ages.is_live_of_all())
    return connection.scalar(query) or 0


def _count_pulls(connection: Connection, before: datetime) -> tuple[int, int]:
    """How many are open, and how many of them were before that time."""
    old = func.count().filter(_P.opened_at < before)
    is_live = and_(*(_P.repo_id.not_in(select(REPOS.c.id).where(one)) for one in _NOT_LIVE))
    row = connection.execute(select(func.count(), old).where(_IS_OPEN, is_live)).one()
    return row[0], row[1]


def _waiting(connection: Connection, before: datetime) -> list[WaitingPull]:
    told = (_P.repo_id, REPOS.c.name, REPOS.c.url, _P.number, _P.url, _P.title, _P.opened_at)
    rows = connection.execute(
        select(*told)
        .join(REPOS, _P.repo_id == REPOS.c.id)
        .where(_IS_OPEN, _P.opened_at < before, IS_LIVE)
        .order_by(_P.opened_at, _P.id)
        .limit(MOST_PULLS)
    )
    return [WaitingPull(*row) for row in rows]


def _troubled(connection: Connection) -> list[TroubledRepo]:
    c = REPOS.c
    rows = connection.execute(
        select(c.id, c.name, c.problems)
        .where(IS_LIVE, HAS_PROBLEMS)
        .order_by(c.name, c.id)
        .limit(MOST)
    )
    return [
        TroubledRepo(row.id, row.name, tuple(Problem(**one) for one in row.problems))
        for row in rows
    ]


def _last_cycle(connection: Connection) -> LastCycle | None:
    c = RUNS.c
    query = select(c.id, c.state, c.started_at).where(c.kind == WHOLE)
    row = connection.execute(query.order_by(c.started_at.desc(), c.id).limit(1)).first()
    return None if row is None else LastCycle(row.id, RunState(row.state), row.started_at)
