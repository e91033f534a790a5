"""What somebody has to see to first in a repo, in one word: by what its findings come to."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, case, literal_column

from digestbot.store.tables import REPOS

_C = REPOS.c


class RepoState(StrEnum):
    """What somebody has to see to first in a repo; what is worse comes first."""

    DENIED = "denied"
    PROBLEMS = "problems"
    FAILED = "failed"
    STALE = "stale"
    HELD = "held"
    FRESH = "fresh"
    UNPINNED = "none-pinned"
    NEW = "new"
    LEFT_OUT = "left-out"
    GONE = "gone"


ATTENTION: Final = (RepoState.DENIED, RepoState.PROBLEMS, RepoState.FAILED)
"""The states that need somebody."""
# Written out, not as parameters: only so both databases know that an index has all of these.
LEFT_OUT = _C.left_out > literal_column("''")
HAS_PROBLEMS = _C.problem_count > literal_column("0")
IS_LIVE = _C.gone_at.is_(None) & (_C.left_out == "")
_STATES = tuple(RepoState)
_RANKS = {state: rank for rank, state in enumerate(_STATES)}
RANK: Final[ColumnElement[int]] = case(
    (_C.gone_at.is_not(None), _RANKS[RepoState.GONE]),
    (_C.left_out != "", _RANKS[RepoState.LEFT_OUT]),
    (_C.denied_count > 0, _RANKS[RepoState.DENIED]),
    (HAS_PROBLEMS, _RANKS[RepoState.PROBLEMS]),
    (_C.failed_count > 0, _RANKS[RepoState.FAILED]),
    (_C.stale_count > 0, _RANKS[RepoState.STALE]),
    (_C.held_count > 0, _RANKS[RepoState.HELD]),
    (_C.settled_at.is_(None), _RANKS[RepoState.NEW]),
    (_C.current_count > 0, _RANKS[RepoState.FRESH]),
    else_=_RANKS[RepoState.UNPINNED],
)
"""The place of a repo's state among the states."""


def state_by(rank: int) -> RepoState:
    """The state of a repo with this `RANK`."""
    return _STATES[rank]


def is_in(*states: RepoState) -> ColumnElement[bool]:
    """Whether a repo is in one of these states."""
    return RANK.in_([_RANKS[state] for state in states])
