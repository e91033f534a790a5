"""What people have a rollout do: written down, and done by whoever drives it next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches

from digestbot.errors import UsageError
from digestbot.rollout.gates import Evidence
from digestbot.rollout.machine import BY_PEOPLE, Event, Verb
from digestbot.rollout.progress import OPEN, Target, TargetState, count
from digestbot.rollout.waves import wave_name
from digestbot.service.rollouts.meanings import ABOUT_WAVE
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
        wave: Which one they mean, where it is about a wave; None for whichever is under way.
    """

    verb: Verb
    by: str
    reason: str = ""
    repo: str = ""
    wave: int | None = None


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
        targets = {one.repo: one for one in rollouts.targets(connection, rollout.id)}
        if told.repo and told.repo not in targets:
            message = f"the rollout does not reach {told.repo}"
            raise UsageError(message, hint=_meant(told.repo, targets))
        if told.verb in ABOUT_WAVE and told.wave not in (None, rollout.standing.wave):
            # A yes that comes twice is no yes to the wave after the next.
            raise UsageError(
                f"not {wave_name(told.wave)}, but {wave_name(rollout.standing.wave)} is under way",
                hint=f"see how it stands: digestbot rollout status {rollout.id}",
            )
        event = Event(told.verb, now, told.by, told.reason, told.repo)
        if told.verb is Verb.RESUME:
            known = count(targets.values(), rollout.standing.wave)
            event = replace(event, evidence=Evidence(known, now))
        if told.verb is not Verb.RETRY or not told.repo:
            return rollouts.append(connection, rollout, event)
        again = _again(targets[told.repo])
        rollout = rollouts.append(connection, rollout, event)
        rollouts.note_targets(connection, rollout.id, [again])
        return rollout


def _meant(repo: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = [one for one in names if one.endswith(f"/{repo}")]
    near = near or get_close_matches(repo, names, n=1, cutoff=0.8)
    return f"did you mean {near[0]}?" if near else "name a repo of its plan"


def _again(target: Target) -> Target:
    """A repo that is tried again; what we have open there is still known.

    Raises:
        UsageError: There is nothing to try.
    """
    if target.state is TargetState.MERGED:
        raise UsageError(f"{target.repo} has the digest already", hint="there is nothing to try")
    if target.state in {*OPEN, TargetState.SKIPPED} and not target.is_adopted:
        return replace(target, state=TargetState.WAITING, why="", failing=(), ended_at=None)
    return Target(target.repo, target.wave)
