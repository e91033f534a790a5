"""Rollouts as records, at whatever point a test wants them: nothing is driven, nobody is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from digestbot.rollout.gates import GateRules
from digestbot.rollout.machine import Event, Standing, State
from digestbot.rollout.pacing import Pace
from digestbot.rollout.plan import RolloutRules
from digestbot.rollout.progress import Target, TargetState
from digestbot.service.rollouts.waiting import Scene
from digestbot.store.rollouts import Rollout
from tests.service.rollouts.arena import RULES, plan_for

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
REPOS = tuple(f"acme/app{number}" for number in range(10))


def rollout(
    state: State = State.RUNNING,
    *events: Event,
    rules: RolloutRules = RULES,
    since: datetime = NOW - 3 * HOUR,
    **standing: object,
) -> Rollout:
    """One of ten repos that is in this state; its waves have two, three and five of them."""
    plan = plan_for(REPOS, NOW - 4 * HOUR, rules)
    begun = None if state is State.PLANNED else since
    stands = Standing(state, since=begun, wave_since=begun)
    stands = replace(stands, **standing)  # type: ignore[arg-type]  # what a test names
    return Rollout("0123456789", plan, events, stands, Pace())


def with_gate(**changes: object) -> RolloutRules:
    gate: GateRules = replace(RULES.gate, **changes)  # type: ignore[arg-type]  # a table's
    return replace(RULES, gate=gate)


def target(
    index: int, state: TargetState = TargetState.WAITING, wave: int = 0, **more: object
) -> Target:
    """A repo; what is open was opened two hours ago, what ended did so one hour ago."""
    opened = None if state is TargetState.WAITING else NOW - 2 * HOUR
    ended = NOW - HOUR if state in (TargetState.MERGED, TargetState.REJECTED) else None
    made = Target(REPOS[index], wave, state, opened_at=opened, ended_at=ended)
    return replace(made, **more)  # type: ignore[arg-type]  # what a test names


def scene(
    found: Rollout, *targets: Target, back: Iterable[Target] = (), now: datetime = NOW
) -> Scene:
    return Scene(found, targets, tuple(back), now)
