"""What operators are to know, and what each of them was told: a change is told once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, exists, select, update

from digestbot.store.tables import CONDITIONS, TOLD
from digestbot.store.upsert import upsert

_MOST_SUBJECT = 400
_C, _T = CONDITIONS.c, TOLD.c


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is so: `subject` says of what, `state` tells it from how it was before."""

    subject: str
    event: str
    state: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody was told last of a subject, and what holds now; None where nothing does.

    Attributes:
        last: What held last, where it has ended.
    """

    before: Condition | None
    after: Condition | None
    since: datetime
    last: Condition | None = field(default=None, compare=False)


def note(
    connection: Connection, conditions: Iterable[Condition], now: datetime, but: str = ""
) -> None:
    """Keep all that holds now; what is not among it has ended, `but` what is of that event."""
    rows_known = connection.execute(select(CONDITIONS).where(_C.event != but))
    known = {row.subject: row for row in rows_known}
    holding = {one.subject: one for one in map(_indexable, conditions)}
    rows = [
        {**_values(one), "since": _since(known.get(one.subject), one, now), "ended_at": None}
        for one in holding.values()
    ]
    if rows:
        upsert(connection, CONDITIONS, rows, key=("subject",))
    over = [{"over": subject} for subject in known if subject not in holding]
    if over:
        is_over = (_C.subject == bindparam("over")) & _C.ended_at.is_(None)
        connection.execute(update(CONDITIONS).where(is_over).values(ended_at=now), over)


def note_one(
    connection: Connection, condition: Condition, now: datetime, *, is_over: bool = False
) -> None:
    """Keep that one holds now, or, with its last words, that it `is_over`."""
    told = _indexable(condition)
    row = connection.execute(select(CONDITIONS).where(_C.subject == told.subject)).first()
    if is_over and (row is None or row.ended_at is not None):
        return
    ended = now if is_over else None
    values = {**_values(told), "since": _since(row, told, now), "ended_at": ended}
    upsert(connection, CONDITIONS, [values], key=("subject",))


def pending(connection: Connection, notifier: str) -> list[Change]:
    """What a notifier is yet to be told, in the order in which it came about."""
    told = {
        row.subject: row for row in connection.execute(select(TOLD).where(_T.notifier == notifier))
    }
    rows = connection.execute(select(CONDITIONS)).all()
    changes = [_change(row, told.get(row.subject)) for row in rows]
    return sorted(
        (change for change in changes if _state(change.before) != _state(change.after)),
        key=lambda change: change.since,
    )


def told(connection: Connection, notifier: str, changes: Sequence[Change]) -> None:
    """Note that a notifier knows of these changes."""
    after = [change.after for change in changes if change.after is not None]
    over = [
        {"over": change.before.subject} for change in changes if change.before and not change.after
    ]
    if after:
        rows = [{"notifier": notifier, **_values(one)} for one in after]
        upsert(connection, TOLD, rows, key=("notifier", "subject"))
    if over:
        is_over = (_T.notifier == notifier) & (_T.subject == bindparam("over"))
        connection.execute(delete(TOLD).where(is_over), over)


def prune(connection: Connection, before: datetime, notifiers: Sequence[str]) -> None:
    """Forget what those were told who are told no more, and what ended before this time.

    What one of these notifiers was told of stays until it was told of the end, too.
    """
    connection.execute(delete(TOLD).where(_T.notifier.not_in(notifiers)))
    is_told = exists().where(_T.subject == _C.subject)
    connection.execute(delete(CONDITIONS).where(_C.ended_at < before, ~is_told))


def _change(row: Row[Any], told: Row[Any] | None) -> Change:
    before = _condition(told) if told is not None else None
    after = _condition(row) if row.ended_at is None else None
    return Change(before, after, row.ended_at or row.since, None if after else _condition(row))


def _indexable(condition: Condition) -> Condition:
    """With a subject that an index takes: a repo may name a host as long as it likes."""
    subject = condition.subject
    if len(subject) <= _MOST_SUBJECT:
        return condition
    end = hashlib.sha256(subject.encode("utf-8", "replace")).hexdigest()
    return replace(condition, subject=f"{subject[: _MOST_SUBJECT - len(end) - 1]}…{end}")


def _condition(row: Row[Any]) -> Condition:
    return Condition(row.subject, row.event, row.state, row.message, row.hint)


def _state(condition: Condition | None) -> str | None:
    return condition.state if condition else None


def _since(known: Row[Any] | None, condition: Condition, now: datetime) -> datetime:
    is_same = known is not None and known.ended_at is None and known.state == condition.state
    return known.since if known is not None and is_same else now


def _values(condition: Condition) -> dict[str, str]:
    return {
        "subject": condition.subject,
        "event": condition.event,
        "state": condition.state,
        "message": condition.message,
        "hint": condition.hint,
    }
