"""How rollouts stand, read from the state and told by their contracts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from digestbot import __version__
from digestbot.errors import NoInputError, UsageError
from digestbot.policy.holding import Sighting
from digestbot.registry.resolution import Query
from digestbot.report.plain import well_formed
from digestbot.rollout.gates import Wait
from digestbot.rollout.machine import STATES, Event, Verb
from digestbot.rollout.plan import Move, Plan
from digestbot.rollout.progress import (
    Burn,
    Target,
    TargetState,
    burndown,
    count,
    failing_checks,
    grouped,
    time_to_merge,
)
from digestbot.service.rollouts.backsliding import went_back
from digestbot.service.rollouts.meanings import MEANINGS, command, helpful
from digestbot.service.rollouts.standing_contract import (
    LIST_SCHEMA,
    SCHEMA,
    RolloutBurn,
    RolloutCheck,
    RolloutEvent,
    RolloutLeft,
    RolloutMove,
    RolloutReport,
    RolloutsItem,
    RolloutsReport,
    RolloutStraggler,
    RolloutTarget,
    RolloutVerb,
    RolloutWait,
    RolloutWave,
)
from digestbot.service.rollouts.stragglers import Straggler, late
from digestbot.service.rollouts.waiting import Scene, waits
from digestbot.service.times import stamp
from digestbot.store import images, rollouts
from digestbot.store.database import Database
from digestbot.store.rollout_marks import Mark, marks
from digestbot.store.rollouts import OVER, RolloutRow

_LISTED = 50
_MOMENTS = 120
_LEFT = (TargetState.REJECTED, TargetState.SKIPPED, TargetState.CLOSED)


def read_rollouts(database: Database, now: datetime) -> RolloutsReport:
    """The last rollouts, the newest first.

    Raises:
        NoInputError: There is none yet.
        StoreError: The state cannot be read.
    """
    with database.reading() as connection:
        rows = rollouts.latest(connection, _LISTED)
        far = marks(connection, [row.id for row in rows])
        total = rollouts.count(connection)
    if not rows:
        raise NoInputError(
            "the state has no rollout yet", hint="plan one: digestbot rollout plan IMAGE"
        )
    items = [_item(row, far[row.id]) for row in rows]
    return RolloutsReport(LIST_SCHEMA, __version__, stamp(now), total, items)


def read_rollout(database: Database, name: str, now: datetime) -> RolloutReport:
    """How one rollout stands, by its name or the beginning of it.

    Raises:
        UsageError: There is no such rollout, or more than one.
        StoreError: The state cannot be read.
    """
    with database.reading() as connection:
        rollout = rollouts.get(connection, rollouts.find(connection, name))
        if rollout is None:
            raise UsageError(f"no rollout is called {name}", hint="see: digestbot rollout status")
        targets = rollouts.targets(connection, rollout.id)
        back = rollouts.targets(connection, rollout.id, is_back=True)
        seen = [
            images.history(connection, Query(move.to or move.image, move.platform), limit=1)
            for move in rollout.plan.moves
        ]
    return report_of(Scene(rollout, targets, back, now), [one[-1] if one else None for one in seen])


def report_of(scene: Scene, seen: Sequence[Sighting | None]) -> RolloutReport:
    """A rollout in the terms of the contract.

    Args:
        scene: The rollout.
        seen: What the tag of each of its moves has, as the service last saw it.
    """
    rollout, targets, now = scene.rollout, scene.targets, scene.now
    standing, plan = rollout.standing, rollout.plan
    started = next((one.at for one in rollout.events if one.verb is Verb.START), None)
    owners = {one.repo: one.owner for one in plan.targets}
    return RolloutReport(
        schema=SCHEMA,
        version=__version__,
        at=stamp(now),
        id=rollout.id,
        state=standing.state,
        meaning=STATES[standing.state],
        since=stamp(standing.since or plan.made_at),
        waits=_wait(waits(scene)),
        wave=standing.wave,
        planned_at=stamp(plan.made_at),
        planned_by=well_formed(plan.by),
        started_at=_stamp(started),
        fleet=plan.fleet,
        repos=len(plan.targets),
        counts=dict(grouped(list(targets))),
        p50_s=_seconds(time_to_merge(targets, 0.5)),
        p90_s=_seconds(time_to_merge(targets, 0.9)),
        pace=rollout.pace.at(plan.rules.pace, now).share,
        issue=rollout.issue or None,
        moves=[_move(one, last, plan) for one, last in zip(plan.moves, seen, strict=True)],
        waves=[_wave(scene, number) for number in range(plan.waves)],
        failing=[
            RolloutCheck(well_formed(name), list(repos))
            for name, repos in failing_checks(one for one in targets if one.ended_at is None)
        ],
        stragglers=[] if standing.state in OVER else _late(scene, owners),
        left=_left(targets, plan.left_out),
        held_up=_grouped((one.why, one.repo) for one in targets if _is_held_up(scene, one)),
        went_back=_grouped((one.why, one.repo) for one in went_back(targets)),
        verbs=[
            RolloutVerb(verb, MEANINGS[verb], command(verb, rollout.id, standing.wave))
            for verb in helpful(standing)
        ],
        events=[_event(event) for event in rollout.events],
        burndown=_burndown(scene, started),
        targets=[_target(one) for one in targets],
        back=[_target(one) for one in scene.back],
    )


def _item(row: RolloutRow, mark: Mark) -> RolloutsItem:
    return RolloutsItem(
        id=row.id,
        state=row.state,
        image=row.image,
        wave=mark.wave,
        waves=mark.waves,
        repos=sum(row.counts.values()),
        merged=row.counts.get(TargetState.MERGED, 0),
        since=stamp(mark.since or row.made_at),
        planned_at=stamp(row.made_at),
        planned_by=well_formed(row.by),
    )


def _move(move: Move, last: Sighting | None, plan: Plan) -> RolloutMove:
    # A digest of one's own choice differs from the tag's from the beginning.
    is_moved = last and last.digest != move.digest and last.first_seen > plan.made_at
    return RolloutMove(
        image=str(move.image),
        platform=str(move.platform) if move.platform else None,
        digest=str(move.digest),
        to=str(move.to) if move.to else None,
        moved_to=str(last.digest) if last and is_moved else None,
        moved_at=stamp(last.first_seen) if last and is_moved else None,
    )


def _wait(wait: Wait) -> RolloutWait:
    return RolloutWait(wait.reason, well_formed(wait.message), _stamp(wait.until))


def _wave(scene: Scene, number: int) -> RolloutWave:
    members = [one for one in scene.targets if one.wave == number]
    told, standing = count(members, number), scene.rollout.standing
    return RolloutWave(
        wave=number,
        is_begun=standing.wave_since is not None and number <= standing.wave,
        repos=len(members),
        waiting=told.waiting,
        pending=told.pending,
        green=told.green,
        unknown=told.unknown,
        red=told.failed,
        blocked=told.blocked,
        merged=told.merged,
        left=told.left,
    )


def _late(scene: Scene, owners: Mapping[str, str]) -> list[RolloutStraggler]:
    return [_straggler(one) for one in late(scene.targets, owners, scene.now)]


def _straggler(straggler: Straggler) -> RolloutStraggler:
    one = straggler.target
    return RolloutStraggler(
        repo=one.repo,
        wave=one.wave,
        state=one.state,
        why=well_formed(one.why),
        who=well_formed(straggler.who),
        act=straggler.act,
        number=one.number or None,
        url=one.url or None,
        opened_at=_stamp(one.opened_at),
    )


def _left(targets: Iterable[Target], planned: Mapping[str, str]) -> list[RolloutLeft]:
    """The repos that are not asked, by reason; the one of most repos first."""
    away = [
        (one.why or "somebody closed the pull request", one.repo)
        for one in targets
        if one.state in _LEFT
    ]
    return _grouped([*away, *((why, repo) for repo, why in sorted(planned.items()))])


def _is_held_up(scene: Scene, one: Target) -> bool:
    is_on = scene.rollout.standing.wave_since is not None
    has_turn = is_on and one.wave <= scene.rollout.standing.wave
    return has_turn and one.state is TargetState.WAITING and bool(one.why)


def _grouped(reasons: Iterable[tuple[str, str]]) -> list[RolloutLeft]:
    """The repos by reason; the one of most repos first."""
    found: dict[str, list[str]] = {}
    for why, repo in reasons:
        found.setdefault(why, []).append(repo)
    ordered = sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return [RolloutLeft(well_formed(why), repos) for why, repos in ordered]


def _event(event: Event) -> RolloutEvent:
    by, reason = well_formed(event.by), well_formed(event.reason)
    return RolloutEvent(stamp(event.at), event.verb, by, reason, event.repo)


def _burndown(scene: Scene, started: datetime | None) -> list[RolloutBurn]:
    if started is None:
        return []
    ended = [one.ended_at for one in scene.targets if one.ended_at is not None]
    # Where nothing is left to become of any repo, the rest of the time says nothing.
    end = max(ended) if ended and len(ended) == len(scene.targets) else scene.now
    return [_burn(one) for one in burndown(scene.targets, started, end, _MOMENTS)]


def _burn(burn: Burn) -> RolloutBurn:
    return RolloutBurn(stamp(burn.at), burn.waiting, burn.open, burn.merged, burn.left)


def _target(one: Target) -> RolloutTarget:
    return RolloutTarget(
        repo=one.repo,
        wave=one.wave,
        state=one.state,
        why=well_formed(one.why),
        number=one.number or None,
        url=one.url or None,
        failing=[well_formed(name) for name in one.failing],
        is_adopted=one.is_adopted,
        opened_at=_stamp(one.opened_at),
        ended_at=_stamp(one.ended_at),
    )


def _stamp(moment: datetime | None) -> str | None:
    return stamp(moment) if moment else None


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds())
