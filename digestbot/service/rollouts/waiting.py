"""What a rollout waits for, in words: what its gate says, or what its state asks for. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias

from digestbot.report.summary import plural
from digestbot.rollout.gates import PROBE_SAYS_NO, Evidence, Halt, Wait, judge
from digestbot.rollout.machine import State, Verb
from digestbot.rollout.progress import OPEN, Target, TargetState, count, last_opened
from digestbot.rollout.waves import wave_name
from digestbot.store.rollouts import Rollout

OPENS: Final = "opens"
"""The slug where nothing is waited for: the gate holds."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A rollout with what became of its repos, and of their way back, at one time."""

    rollout: Rollout
    targets: Collection[Target]
    back: Collection[Target]
    now: datetime


def waits(scene: Scene) -> Wait:
    """What it waits for; a slug of `gates`, `opens`, or that of its state."""
    return _WAITS[scene.rollout.standing.state](scene)


def _gate(scene: Scene) -> Wait:
    """What the gate will say at the next step; the webhook is not asked for that."""
    standing, plan = scene.rollout.standing, scene.rollout.plan
    evidence = Evidence(
        count=count(scene.targets, standing.wave),
        now=scene.now,
        last_opened=last_opened(scene.targets, standing.wave),
        is_hurried=standing.is_promoted or plan.rules.is_critical,
        is_approved=standing.is_approved,
        accepted=standing.accepted,
    )
    gate = plan.course.gate_after(standing.wave)
    verdict = judge(replace(gate, probe=False), evidence)
    if isinstance(verdict, Wait):
        return verdict
    if isinstance(verdict, Halt):
        return Wait(verdict.reason, f"{verdict.message}; it halts at the next step")
    if gate.probe:
        return Wait(PROBE_SAYS_NO, "the webhook that is asked has to say yes")
    is_last = standing.wave + 1 >= plan.waves
    what = "all waves are through" if is_last else f"{wave_name(standing.wave + 1)} begins"
    return Wait(OPENS, f"{what} at the next step")


def _paused(scene: Scene) -> Wait:
    return Wait("paused", f"somebody has to resume it{_reason_of(scene, Verb.PAUSE)}")


def _halted(scene: Scene) -> Wait:
    return Wait("halted", f"somebody has to decide{_reason_of(scene, Verb.HALT)}")


def _reason_of(scene: Scene, verb: Verb) -> str:
    """Why that happened last, and who did it."""
    for event in reversed(scene.rollout.events):
        if event.verb is verb:
            by = f" (by {event.by})" if event.by else ""
            return f": {event.reason}{by}" if event.reason else by
    return ""


def _watching(scene: Scene) -> Wait:
    since, span = scene.rollout.standing.since, scene.rollout.plan.rules.watch
    until = since + span if since else None
    left = sum(target.state in OPEN for target in scene.targets)
    more = f"; open still: {plural(left, 'pull request')}" if left else ""
    return Wait("watching", f"it watches whether a repo goes back{more}", until)


def _aborted(scene: Scene) -> Wait:
    left = sum(one.state in OPEN or one.state is TargetState.WAITING for one in scene.targets)
    if left and not scene.rollout.is_settled:
        return Wait("closing", f"what is open is closed: {plural(left, 'repo')} to go")
    return Wait("aborted", "nothing is left to do")


def _rolling_back(scene: Scene) -> Wait:
    wanted = {one.repo for one in scene.targets if is_to_go_back(one)}
    # Once it has begun, it is written down who goes back, and who has nothing to go back from.
    wanted |= {one.repo for one in scene.back}
    wanted -= {one.repo for one in scene.back if one.state is TargetState.SKIPPED}
    offered = {one.repo for one in scene.back if one.state is not TargetState.WAITING}
    done = len(wanted & offered)
    message = f"{done:,} of {plural(len(wanted), 'repo')} were offered what they had"
    left = sum(one.state in OPEN for one in scene.targets)
    more = f"; to be closed: {plural(left, 'pull request')}" if left else ""
    return Wait("rolling-back", f"{message}{more}")


def is_to_go_back(target: Target) -> bool:
    """Whether a rollback offers a repo what it had: it got the digest from this rollout."""
    return target.state is TargetState.MERGED and target.opened_at is not None


def _always(reason: str, message: str) -> Callable[[Scene], Wait]:
    return lambda _scene: Wait(reason, message)


_Waits: TypeAlias = Callable[[Scene], Wait]
_WAITS: Mapping[State, _Waits] = {
    State.PLANNED: _always("planned", "somebody has to start it"),
    State.RUNNING: _gate,
    State.PAUSED: _paused,
    State.HALTED: _halted,
    State.WATCHING: _watching,
    State.CLOSED: _always("closed", "nothing is left to do"),
    State.ABORTED: _aborted,
    State.ROLLING_BACK: _rolling_back,
    State.ROLLED_BACK: _always("rolled-back", "nothing is left to do"),
}
