"""What operators are told of rollouts: how each stands, where that is another way than before."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from digestbot.report.plain import one_line
from digestbot.rollout.machine import State, Verb
from digestbot.rollout.progress import Target, TargetState
from digestbot.rollout.waves import wave_name
from digestbot.service.rollouts.backsliding import went_back
from digestbot.service.rollouts.report import closing_words, failing_words, images_of
from digestbot.store import conditions
from digestbot.store.conditions import Condition
from digestbot.store.database import Database
from digestbot.store.rollouts import OVER, Rollout

ROLLOUT: Final = "rollout"
"""The event, as `notify.events` names it."""
_HINTS = {
    State.HALTED: "see what fails, then: digestbot rollout resume, abort or rollback",
    State.PAUSED: "digestbot rollout resume",
}
_LONGEST = 600


def condition_of(rollout: Rollout, targets: Collection[Target]) -> Condition:
    """How it stands; that somebody went back is a state of its own."""
    state = rollout.standing.state
    is_back = state is State.WATCHING and bool(went_back(targets))
    message = f"rollout {rollout.id} of {images_of(rollout)}: {_words(rollout, targets)}"
    return Condition(
        f"rollout:{rollout.id}",
        ROLLOUT,
        "went-back" if is_back else state.value,
        one_line(message, _LONGEST),
        _HINTS.get(state, ""),
    )


def note_news(
    database: Database, rollout: Rollout, targets: Collection[Target], now: datetime
) -> None:
    """Keep how it stands, for whoever is told what changed.

    Raises:
        StoreError: The state cannot be written.
    """
    is_over = rollout.standing.state in OVER
    with database.begin() as connection:
        conditions.note_one(connection, condition_of(rollout, targets), now, is_over=is_over)


def _words(rollout: Rollout, targets: Collection[Target]) -> str:
    standing = rollout.standing
    if standing.state is State.HALTED:
        checks = failing_words(targets)
        return f"halted; {_reason(rollout, Verb.HALT)}{f': {checks}' if checks else ''}"
    if standing.state is State.PAUSED:
        return f"paused; {_reason(rollout, Verb.PAUSE)}"
    if standing.state in OVER:
        return f"{standing.state.value}; {closing_words(targets)}"
    merged = sum(one.state is TargetState.MERGED for one in targets)
    told = f"{merged:,} of {len(targets):,} repos have the digest"
    if standing.state is State.RUNNING:
        return f"running, {wave_name(standing.wave)}; {told}"
    back = went_back(targets)
    if back:
        told += f"; {len(back):,} went back: {', '.join(one.repo for one in back[:3])}"
    return f"{standing.state.value}; {told}"


def _reason(rollout: Rollout, verb: Verb) -> str:
    for event in reversed(rollout.events):
        if event.verb is verb:
            by = f" by {event.by}" if event.by else ""
            return f"{event.reason or 'without a reason'}{by}"
    return ""
