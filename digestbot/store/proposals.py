"""What became of each proposal, as it was seen last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, bindparam, func, insert, select, update

from digestbot.proposals.outcome import Outcome, Verdict
from digestbot.store.tables import PROPOSALS, REPOS

_C = PROPOSALS.c
# Asked for each repo that is worked on: what is put together once is compiled once.
_OF_REPO = select(PROPOSALS).where(_C.repo_id == bindparam("repo"))


class State(StrEnum):
    """What a proposal is like; `ENDED` is merged or closed while nobody looked."""

    OPEN = "open"
    WAITING = "waiting"
    MERGED = "merged"
    CLOSED = "closed"
    REJECTED = "rejected"
    ADOPTED = "adopted"
    ENDED = "ended"


STATES = {
    Outcome.OPENED: State.OPEN,
    Outcome.COMMITTED: State.OPEN,
    Outcome.REFRESHED: State.OPEN,
    Outcome.REBUILT: State.OPEN,
    Outcome.UNCHANGED: State.OPEN,
    Outcome.KEPT: State.OPEN,
    Outcome.HANDS_OFF: State.OPEN,
    Outcome.LIMITED: State.WAITING,
    Outcome.MERGED: State.MERGED,
    Outcome.CLOSED: State.CLOSED,
    Outcome.REJECTED: State.REJECTED,
    Outcome.ADOPTED: State.ADOPTED,
}
_ENDS = {State.MERGED, State.CLOSED, State.REJECTED, State.ENDED}
_LIVES = {State.OPEN, State.WAITING}


@dataclass(frozen=True, slots=True)
class StoredProposal:
    """A proposal as the state has it; `number` is 0 and `url` empty without pull request."""

    repo: str
    branch: str
    number: int
    url: str
    title: str
    outcome: Outcome
    message: str
    opened_at: datetime | None


def note(
    connection: Connection,
    repo_id: int,
    verdicts: Iterable[Verdict],
    now: datetime,
    *,
    is_complete: bool = True,
) -> None:
    """Keep what became of the proposals of a repo.

    Those of which nothing is said have ended, if this is all there is to say.
    """
    rows = connection.execute(_OF_REPO, {"repo": repo_id}).all()
    known = {row.branch: row for row in rows}
    for verdict in verdicts:
        state, row = STATES[verdict.outcome], known.pop(verdict.branch, None)
        # One that was just opened may not know its number yet.
        is_new = row is None or (row.number and verdict.number not in (0, row.number))
        values = {
            "url": verdict.url,
            "title": verdict.title or (row.title if row else ""),
            "number": verdict.number or (row.number if row else 0),
            "outcome": verdict.outcome.value,
            "message": verdict.message,
            "state": state.value,
            "seen_at": now,
            "ended_at": now if state in _ENDS else None,
        }
        if verdict.outcome is Outcome.OPENED or (is_new and state is State.OPEN):
            values["opened_at"] = now
        if row is None:
            key = {"repo_id": repo_id, "branch": verdict.branch}
            connection.execute(insert(PROPOSALS).values(**key, **values))
        else:
            connection.execute(update(PROPOSALS).where(_C.id == row.id).values(**values))
    over = [row.id for row in known.values() if is_complete and row.state in _LIVES]
    if over:
        ended = {"state": State.ENDED.value, "ended_at": now}
        connection.execute(update(PROPOSALS).where(_C.id.in_(over)).values(ended))


def opened_since(connection: Connection, moment: datetime) -> int:
    """How many were opened after this time, whatever became of them since."""
    return connection.execute(
        select(func.count()).select_from(PROPOSALS).where(_C.opened_at > moment)
    ).scalar_one()


def counts(connection: Connection) -> dict[str, int]:
    """How many there are in each state."""
    # Of a repo that is gone, nobody knows what became of those that were open.
    is_known = REPOS.c.gone_at.is_(None) | _C.state.not_in([state.value for state in _LIVES])
    query = (
        select(_C.state, func.count().label("number"))
        .join(REPOS, _C.repo_id == REPOS.c.id)
        .where(is_known)
        .group_by(_C.state)
    )
    found = {row.state: row.number for row in connection.execute(query)}
    return {state.value: found.get(state.value, 0) for state in State}


def open_ones(connection: Connection, limit: int = 100) -> list[StoredProposal]:
    """Those that are open, the oldest first."""
    rows = connection.execute(
        select(PROPOSALS, REPOS.c.name.label("repo"))
        .join(REPOS, _C.repo_id == REPOS.c.id)
        .where(_C.state == State.OPEN.value, REPOS.c.gone_at.is_(None))
        .order_by(_C.opened_at, _C.id)
        .limit(limit)
    )
    return [
        StoredProposal(
            row.repo,
            row.branch,
            row.number,
            row.url,
            row.title,
            Outcome(row.outcome),
            row.message,
            row.opened_at,
        )
        for row in rows
    ]
