"""What people have a rollout do: written down, and done by whoever drives it next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from digestbot.errors import UsageError
from digestbot.rollout.machine import BY_PEOPLE, Event, Verb
from digestbot.rollout.plan import Plan
from digestbot.rollout.progress import Target, TargetState
from digestbot.store import rollouts
from digestbot.store.database import Database
from digestbot.store.rollouts import Rollout


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody says.

    Attributes:
        by: Who.
        reason: Why, in words; kept with what happened.
        repo: Which one, where it is about one.
    """

    verb: Verb
    by: str
    reason: str = ""
    repo: str = ""


def tell(database: Database, name: str, told: Told, now: datetime) -> Rollout:
    """Have a rollout do what somebody says; the rollout after it.

    Raises:
        MachineError: It cannot be told that now.
        UsageError: There is no such rollout or repo, or it changed at the same time.
        StoreError: The state cannot be written.
    """
    if told.verb not in BY_PEOPLE:
        raise UsageError(f"nobody can tell a rollout to {told.verb}")
    with database.begin() as connection:
        rollout = rollouts.get(connection, rollouts.find(connection, name))
        if rollout is None:
            raise UsageError(f"no rollout is called {name}", hint="see: digestbot rollout status")
        wave = _wave_of(rollout.plan, told.repo) if told.repo else None
        event = Event(told.verb, now, told.by, told.reason, told.repo)
        if told.verb is Verb.RETRY and _is_merged(
            rollouts.targets(connection, rollout.id), told.repo
        ):
            raise UsageError(f"{told.repo} has the digest already", hint="there is nothing to try")
        rollout = rollouts.append(connection, rollout, event)
        if told.verb is Verb.RETRY and wave is not None:
            rollouts.note_targets(connection, rollout.id, [Target(told.repo, wave)])
        return rollout


def _is_merged(targets: Iterable[Target], repo: str) -> bool:
    return any(one.repo == repo and one.state is TargetState.MERGED for one in targets)


def _wave_of(plan: Plan, repo: str) -> int:
    for target in plan.targets:
        if target.repo == repo:
            return target.wave
    raise UsageError(f"the rollout does not reach {repo}", hint="name a repo of its plan")
