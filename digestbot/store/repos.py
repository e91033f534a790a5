"""The repos of all targets: as they were listed last, and as they were worked on last."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Text,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    update,
)

from digestbot.forge.repo import LeftOut, Repo
from digestbot.forge.sha import CommitSha, ObjectSha
from digestbot.image import ImageTag
from digestbot.scan.result import Problem
from digestbot.store import images
from digestbot.store.proposals import State
from digestbot.store.tables import FINDINGS, IMAGES, PROPOSALS, REPOS
from digestbot.store.upsert import upsert

Failed: TypeAlias = tuple[str, tuple[Problem, ...]]
"""The name of a repo, and what went wrong with it."""

BATCH = 500
"""How many repos are written at a time."""

_C = REPOS.c
# Done for each repo that is worked on: what is put together once is compiled once.
_SETTLE = update(REPOS).where(_C.id == bindparam("repo"))
_ANSWER = (
    update(REPOS)
    .where(_C.id == bindparam("repo"), _C.asked_at == bindparam("asked"))
    .values(asked_at=None, asked_for="")
)
_IS_LIVE = _C.gone_at.is_(None) & (_C.left_out == "")
_EMPTY: dict[str, Any] = {
    **dict.fromkeys((column.name for column in _C if column.name.endswith("_count")), 0),
    "behind_since": None,
    "problems": [],
    "asked_at": None,
    "asked_for": "",
    "waived_at": None,
}


@dataclass(frozen=True, slots=True)
class Due:
    """A repo that is to be worked on, and why.

    `reason` is `first-seen`; `moved`, its default branch; `pulse`, our branches or pull requests;
    `rules`; `asked`, by somebody; `offers`, one of its images; `room`, its time has come, and
    proposals wait; `time`. `asked_at` is when somebody asked for it to be worked on.
    """

    id: int
    target: str
    repo: Repo
    reason: str
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RepoCounts:
    """How many repos there are; `with_problems` of the live ones failed when last worked on."""

    live: int = 0
    left_out: int = 0
    gone: int = 0
    with_problems: int = 0


def note_listed(
    connection: Connection,
    target: str,
    run: str,
    repos: Iterable[Repo | LeftOut],
    now: datetime,
) -> None:
    """Keep what a run lists of a target, a few hundred at a time."""
    shared = {"target": target, "listed_run": run, "listed_at": now, "gone_at": None}
    everything = iter(repos)
    while batch := list(islice(everything, BATCH)):
        rows = {one.name: {"problems": [], **shared, **_columns(one)} for one in batch}
        upsert(connection, REPOS, list(rows.values()), key=("target", "name"), keeps=("problems",))


def note_gone(connection: Connection, target: str, run: str, now: datetime) -> int:
    """Note that what this run did not list of its target is gone; how many that are."""
    return _go(connection, (_C.target == target) & (_C.listed_run != run), now)


def forget_targets(connection: Connection, targets: Collection[str], now: datetime) -> int:
    """Note that repos of all other targets are gone; how many that are."""
    return _go(connection, _C.target.not_in(targets), now)


def due(
    connection: Connection,
    *,
    target: str,
    rules: str,
    now: datetime,
    after: int = 0,
    limit: int = 100,
    only: ColumnElement[bool] | None = None,
) -> list[Due]:
    """The repos of a target that are to be worked on, in order of their ids above `after`.

    `rules` is what holds now: a repo that was worked on by other rules is due. So is one whose
    time has come, and one with an image of which something else may be proposed than then.
    `only` leaves others for later; see `is_touched`.
    """
    reason = _reason(rules, now)
    query = (
        select(REPOS, reason.label("reason"))
        .where(_IS_LIVE, _C.target == target, _C.id > after, reason != "")
        .where(true() if only is None else only)
        .order_by(_C.id)
        .limit(limit)
    )
    return [_due(row) for row in connection.execute(query)]


def why_due(connection: Connection, repo_id: int, now: datetime) -> str:
    """Why a repo is to be worked on, as `Due` says it; empty where it is not.

    Whether other rules hold by now is left out: only whoever works knows them.
    """
    query = select(_reason(_C.settled_rules, now)).where(_IS_LIVE, _C.id == repo_id)
    return connection.execute(query).scalar() or ""


def is_touched(names: Collection[str], tags: Collection[ImageTag]) -> ColumnElement[bool]:
    """Whether a repo is of one of these names, or one of these tags has another offer for it.

    So is each that somebody asked for.
    """
    is_asked = _C.asked_at.is_not(None)
    return or_(is_asked, _is_named(names), _is_offered_another(images.is_one_of(tags)))


def settle(
    connection: Connection,
    repo_id: int,
    *,
    repo: Repo,
    rules: str,
    due_at: datetime | None,
    now: datetime,
    problems: Sequence[Problem] = (),
    asked_at: datetime | None = None,
) -> None:
    """Note that a repo was worked on, as it was then.

    `due_at` is when to do so again although nothing moved; None without such a time. What was
    asked for `asked_at` is done; what somebody asked for later is not.
    """
    values = {
        "settled_head": repo.head and repo.head.value,
        "settled_pulse": repo.pulse,
        "settled_rules": rules,
        "settled_at": now,
        "due_at": due_at,
        "problems": [asdict(problem) for problem in problems],
        "problem_count": len(problems),
    }
    connection.execute(_SETTLE, {"repo": repo_id, **values})
    if asked_at is not None:
        connection.execute(_ANSWER, {"repo": repo_id, "asked": asked_at})


def known_of(connection: Connection, target: str, names: Collection[str]) -> list[str]:
    """Those of these names that are repos of a target, in order; forges disregard their case."""
    query = select(_C.name).where(_C.target == target, _C.gone_at.is_(None), _is_named(names))
    return sorted(connection.execute(query).scalars())


def is_known(connection: Connection, names: Collection[str]) -> bool:
    """Whether one of these names is a repo of any target."""
    query = select(exists().where(_C.gone_at.is_(None), _is_named(names)))
    return bool(connection.execute(query).scalar())


def next_due(connection: Connection, after: datetime) -> datetime | None:
    """The first time after this one at which a repo is due although nothing moved."""
    # For the least of them all, SQLite would look at each repo that is live.
    query = select(_C.due_at).where(_IS_LIVE, _C.due_at > after).order_by(_C.due_at).limit(1)
    return connection.execute(query).scalar()


def open_pulls(connection: Connection) -> int:
    """How many pull requests from our branches are open."""
    return connection.execute(select(func.sum(_C.open_pulls)).where(_IS_LIVE)).scalar() or 0


def count(connection: Connection) -> RepoCounts:
    """How many repos there are, by state."""
    is_gone = _C.gone_at.is_not(None)

    def number(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count().filter(condition)

    row = connection.execute(
        select(
            number(_IS_LIVE),
            number(~is_gone & (_C.left_out != "")),
            number(is_gone),
            number(_IS_LIVE & _has_problems()),
        ).select_from(REPOS)
    ).one()
    return RepoCounts(*row)


def with_problems(connection: Connection, limit: int = 100) -> list[Failed]:
    """Live repos that failed when they were last worked on, by name."""
    query = (
        select(_C.name, _C.problems).where(_IS_LIVE, _has_problems()).order_by(_C.name).limit(limit)
    )
    rows = connection.execute(query).all()
    return [(name, tuple(Problem(**one) for one in problems)) for name, problems in rows]


def _has_problems() -> ColumnElement[bool]:
    # Both databases keep JSON as text, which can be compared once it is called that.
    return cast(_C.problems, Text) != "[]"


def _go(connection: Connection, condition: ColumnElement[bool], now: datetime) -> int:
    there = condition & _C.gone_at.is_(None)
    gone = select(_C.id).where(there)
    connection.execute(delete(FINDINGS).where(FINDINGS.c.repo_id.in_(gone)))
    # One that comes back is new.
    fresh = {"settled_at": None, "due_at": None, **_EMPTY}
    done = connection.execute(update(REPOS).where(there).values(gone_at=now, **fresh))
    return done.rowcount


def _reason(rules: str | ColumnElement[str | None], now: datetime) -> ColumnElement[str]:
    """Why a repo is due, as a slug; empty where it is not."""
    is_waiting = exists().where(
        PROPOSALS.c.repo_id == _C.id, PROPOSALS.c.state == State.WAITING.value
    )
    return case(
        (_C.settled_at.is_(None), "first-seen"),
        (_C.settled_head.is_distinct_from(_C.head), "moved"),
        (or_(_C.pulse == "", _C.settled_pulse.is_distinct_from(_C.pulse)), "pulse"),
        (_C.settled_rules.is_distinct_from(rules), "rules"),
        (_C.asked_at.is_not(None), "asked"),
        ((_C.due_at <= now) & is_waiting, "room"),
        (_C.due_at <= now, "time"),
        (_is_offered_another(), "offers"),
        else_=literal(""),
    )


def _is_named(names: Collection[str]) -> ColumnElement[bool]:
    return func.lower(_C.name).in_({name.lower() for name in names})


def _is_offered_another(*of: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        FINDINGS.c.repo_id == _C.id,
        FINDINGS.c.image_id == IMAGES.c.id,
        FINDINGS.c.offer != IMAGES.c.offer,
        *of,
    )


def _columns(listed: Repo | LeftOut) -> dict[str, Any]:
    if isinstance(listed, LeftOut):
        repo = Repo(listed.name, "", None, None)
        return {**_columns(repo), "left_out": listed.reason, "left_out_message": listed.message}
    return {
        "name": listed.name,
        "url": listed.url,
        "default_branch": listed.default_branch,
        "head": listed.head and listed.head.value,
        "tree": listed.tree and listed.tree.value,
        "ours": list(listed.ours),
        "open_pulls": listed.open_pulls,
        "opened": [moment.isoformat() for moment in listed.opened],
        "pulse": listed.pulse,
        "allows_auto_merge": listed.allows_auto_merge,
        "deletes_branches": listed.deletes_branches,
        "topics": list(listed.topics),
        "left_out": "",
        "left_out_message": "",
    }


def _due(row: Row[Any]) -> Due:
    repo = Repo(
        name=row.name,
        default_branch=row.default_branch,
        head=CommitSha.parse(row.head) if row.head else None,
        tree=ObjectSha.parse(row.tree) if row.tree else None,
        ours=tuple(row.ours),
        open_pulls=row.open_pulls,
        opened=tuple(map(datetime.fromisoformat, row.opened)),
        pulse=row.pulse,
        allows_auto_merge=row.allows_auto_merge,
        deletes_branches=row.deletes_branches,
        url=row.url,
        topics=tuple(row.topics or ()),
    )
    return Due(row.id, row.target, repo, row.reason, row.asked_at)
