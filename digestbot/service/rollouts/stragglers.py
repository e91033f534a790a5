"""Who has to see to which repo of a rollout, and what they can do: pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from digestbot.rollout.progress import Target, TargetState, stragglers

PATIENCE: Final = timedelta(days=1)
"""What is open for so long needs somebody, whatever its checks say."""
_AT_ONCE = (TargetState.FAILED, TargetState.RED, TargetState.BLOCKED)
_ACTS: Mapping[TargetState, str] = {
    TargetState.PENDING: "see why its checks do not end",
    TargetState.GREEN: "review and merge it",
    TargetState.APPROVED: "merge it",
    TargetState.UNKNOWN: "review and merge it; nothing checks it",
    TargetState.RED: "see to the checks",
    TargetState.BLOCKED: "see to what is in the way",
    TargetState.FAILED: "see to the cause, then retry the repo, or skip it",
}
OPERATOR: Final = "whoever runs the rollout"


@dataclass(frozen=True, slots=True)
class Straggler:
    """A repo that somebody has to see to: who, and what they can do."""

    target: Target
    who: str
    act: str


def late(targets: Collection[Target], owners: Mapping[str, str], now: datetime) -> list[Straggler]:
    """What fails or is blocked, then what is open for too long; the longest open first.

    Args:
        targets: All repos.
        owners: Who looks after each, by its name.
        now: When this is.
    """
    at_once = [one for one in targets if one.state in _AT_ONCE]
    at_once.sort(key=lambda one: (_AT_ONCE.index(one.state), one.opened_at or now, one.repo))
    seen = {one.repo for one in at_once}
    open_long = [one for one in stragglers(targets, now, PATIENCE) if one.repo not in seen]
    return [_straggler(one, owners) for one in [*at_once, *open_long]]


def _straggler(target: Target, owners: Mapping[str, str]) -> Straggler:
    is_ours = target.state is TargetState.FAILED
    who = OPERATOR if is_ours else owners.get(target.repo, target.repo.partition("/")[0])
    return Straggler(target, who, _ACTS[target.state])
