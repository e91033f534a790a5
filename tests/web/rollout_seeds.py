"""Rollouts to look at: planned, under way, halted, finished and rolled back; and a large one."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from digestbot.image import Digest, ImageTag
from digestbot.registry.resolution import Query
from digestbot.rollout.gates import Evidence, WaveCount
from digestbot.rollout.machine import Event, Verb
from digestbot.rollout.plan import Move, Plan, RolloutRules, make_plan
from digestbot.rollout.progress import Target, TargetState
from digestbot.rollout.selection import Place, Selection
from digestbot.rollout.waves import WaveRules
from digestbot.service.rollouts.moving import Moves
from digestbot.service.rollouts.planning import choose
from digestbot.store import rollouts
from digestbot.store.database import Database
from tests.service.state import DAY, HOUR, NOW
from tests.web.rows import hex_of

SCRIPT = "<script>alert(1)</script>"
HUB = "docker.io"
PYTHON = ImageTag(HUB, "library/python", "3.12-slim")
NGINX = ImageTag(HUB, "library/nginx", "1.27")
ALPINE = ImageTag(HUB, "library/alpine", "3.20")
BASE = ImageTag("ghcr.io", "acme/base", "latest")
NODE = ImageTag(HUB, "library/node", "22")
NAMED = ("acme/shop", "acme/api", "acme/worker", "acme/payments", "acme/ml", "acme/edge")
"""Repos that the small fleet has."""
CHECKS = ("unit-tests", f"e2e {SCRIPT}")
_MINUTE = timedelta(minutes=1)
_S = TargetState


def digest_of(image: ImageTag, number: int) -> Digest:
    """What the tag of an image of a fleet had, counted from the first."""
    return Digest("sha256", hex_of(Query(image), number))


@dataclass
class Seed:
    """A rollout that is put together: what happened, and what became of its repos."""

    plan: Plan
    events: list[Event] = field(default_factory=list)
    targets: dict[str, Target] = field(default_factory=dict)
    back: list[Target] = field(default_factory=list)

    @property
    def repos(self) -> list[str]:
        """By wave and name."""
        return [target.repo for target in self.plan.targets]

    def wave(self, number: int) -> list[str]:
        return [target.repo for target in self.plan.targets if target.wave == number]

    def said(self, verb: Verb, ago: timedelta, by: str = "ann", reason: str = "") -> None:
        """Somebody says something, so long before now."""
        self.events.append(Event(verb, NOW - ago, by, reason))

    def judged(self, verb: Verb, ago: timedelta, reason: str = "", **counted: int) -> None:
        """A gate decides something."""
        now = NOW - ago
        evidence = Evidence(WaveCount(**counted), now, now - DAY)
        self.events.append(Event(verb, now, reason=reason, evidence=evidence))

    def became(
        self, repo: str, state: TargetState, opened: timedelta | None = None, **more: object
    ) -> None:
        """What became of a repo; its pull request was opened so long before now."""
        wave = next(target.wave for target in self.plan.targets if target.repo == repo)
        number = 0 if opened is None else 400 + len(self.targets)
        target = Target(
            repo,
            wave,
            state,
            number=number,
            url=f"https://github.com/{repo}/pull/{number}" if number else "",
            opened_at=None if opened is None else NOW - opened,
        )
        self.targets[repo] = replace(target, **more)  # type: ignore[arg-type]  # a test's own

    def merged(self, repos: Sequence[str], opened: timedelta, took: timedelta) -> None:
        """Each of them was merged a little later than the one before."""
        for place, repo in enumerate(repos):
            ended = NOW - max(opened - took - place * 7 * _MINUTE, _MINUTE)
            self.became(repo, _S.MERGED, opened, ended_at=ended)

    def write(self, database: Database) -> str:
        """Put it into a state; its id."""
        with database.begin() as connection:
            name = rollouts.create(connection, self.plan)
            rollout = rollouts.get(connection, name)
            assert rollout is not None
            for event in self.events:
                rollout = rollouts.append(connection, rollout, event)
            rollouts.note_targets(connection, name, self.targets.values())
            rollouts.note_targets(connection, name, self.back, is_back=True)
            if rollout.standing.state in rollouts.OVER:
                rollouts.note_settled(connection, name)
        return name


def plan_for(
    image: ImageTag,
    repos: Sequence[str],
    made: timedelta,
    *,
    back: int = 1,
    number: int = 4,
    fleet: int = 400,
    left_out: Mapping[str, str] | None = None,
    rules: RolloutRules | None = None,
) -> Plan:
    """A plan that was made so long before now: from an earlier digest to the one of a number."""
    after, before = digest_of(image, number), digest_of(image, number - back)
    places = [
        Place(repo, path, line, image, before, owners=(f"@acme/team-{place % 4}",))
        for place, repo in enumerate(repos)
        for path, line in [("Dockerfile", 1), ("web/Dockerfile", 12)][: 1 + place % 2]
    ]
    move = Move(
        image,
        after,
        platforms=("linux/amd64", "linux/arm64"),
        created=NOW - made - 5 * HOUR,
    )
    usual = RolloutRules(waves=WaveRules(canary_count=2, shares=(0.3, 1.0)))
    return make_plan(
        places,
        [move],
        Selection(f"{image.image}*", orgs=("acme",)),
        rules or usual,
        fleet=fleet,
        now=NOW - made,
        by="ann",
        left_out=left_out,
    )


def services(count: int) -> list[str]:
    """Names of repos: those of the small fleet, and others."""
    return [*NAMED, *(f"acme/service-{number:02}" for number in range(count))][:count]


def old() -> Seed:
    """A plan of which nobody would say that it is still right: old, and of most of the fleet."""
    away = {"acme/service-03": "it opted out of rollouts"}
    return Seed(plan_for(ALPINE, services(12), 3 * DAY, number=1, fleet=20, left_out=away))


def planned(database: Database) -> Seed:
    """A plan of what a small fleet has, which somebody may start."""
    moves = tuple(
        Move(image, digest_of(image, number), created=NOW - 7 * HOUR)
        for image, number in ((BASE, 59), (NGINX, 3))
    )
    rules = RolloutRules(waves=WaveRules(canary_count=1, shares=(1.0,)))
    choice = choose(database, Selection("*", orgs=("acme",)), NOW - 20 * _MINUTE)
    return Seed(choice.plan(Moves(moves), rules, "ann"))


def running() -> Seed:
    """Its last wave is under way, and every state is there."""
    hostile = f'acme/{SCRIPT}"quoted"'
    seed = Seed(plan_for(PYTHON, [*services(26), hostile], 6 * HOUR))
    seed.said(Verb.START, 5 * HOUR, reason="CVE-2026-4711")
    canary, first, last = (seed.wave(number) for number in range(3))
    seed.merged(canary, 5 * HOUR, 20 * _MINUTE)
    seed.judged(Verb.ADVANCE, 3 * HOUR, merged=len(canary))
    seed.merged(first, 3 * HOUR, 10 * _MINUTE)
    seed.judged(Verb.ADVANCE, HOUR, merged=len(canary) + len(first))
    opened = 40 * _MINUTE
    seed.merged(last[:5], opened, 9 * _MINUTE)
    seed.became(last[5], _S.RED, opened, why=f"fails: {CHECKS[0]}", failing=(CHECKS[0],))
    seed.became(last[6], _S.BLOCKED, opened, why="it conflicts with its base")
    seed.became(last[7], _S.UNKNOWN, opened, why="nothing checks it")
    seed.became(last[8], _S.GREEN, 27 * HOUR, why="a review is required", is_adopted=True)
    seed.became(last[9], _S.APPROVED, opened)
    seed.became(last[10], _S.REJECTED, opened, ended_at=NOW - 5 * _MINUTE)
    seed.became(last[11], _S.SKIPPED, why="somebody left it out", ended_at=NOW - 9 * _MINUTE)
    seed.became(last[12], _S.FAILED, why=f"the push was refused {SCRIPT}")
    for repo in last[13:]:
        seed.became(repo, _S.PENDING, 8 * _MINUTE)
    return seed


def halted() -> Seed:
    """Two checks fail in many repos, and the tag moved since."""
    seed = Seed(plan_for(NGINX, services(30), 12 * DAY, number=2))
    seed.said(Verb.START, 11 * DAY)
    canary, first, _ = (seed.wave(number) for number in range(3))
    seed.merged(canary, 11 * DAY, HOUR)
    seed.judged(Verb.ADVANCE, 10 * DAY, merged=len(canary))
    for place, repo in enumerate(first):
        failing = CHECKS[: 1 + place % 2]
        told = f"fails: {', '.join(failing)}"
        seed.became(repo, _S.RED, 2 * HOUR, why=told, failing=failing)
    count = {"merged": len(canary), "failed": len(first)}
    told = f"{len(first)} of {len(canary) + len(first)} repos fail; 10% may at most"
    seed.judged(Verb.HALT, HOUR, told, **count)
    return seed


def finished() -> Seed:
    """It was over three weeks ago."""
    seed = Seed(plan_for(BASE, services(20), 40 * DAY, number=20))
    seed.said(Verb.START, 39 * DAY, by="bob")
    reached = 0
    for number in range(seed.plan.waves):
        begun = (39 - 2 * number) * DAY
        seed.merged(seed.wave(number), begun, 3 * HOUR)
        reached += len(seed.wave(number))
        is_last = number + 1 == seed.plan.waves
        verb = Verb.FINISH if is_last else Verb.ADVANCE
        seed.judged(verb, begun - 2 * DAY, merged=reached)
    seed.said(Verb.CLOSE, 28 * DAY, by="")
    return seed


def rolled_back() -> Seed:
    """Somebody had it go back after the canary."""
    seed = Seed(plan_for(NODE, services(9), 20 * DAY))
    seed.said(Verb.START, 19 * DAY)
    canary, rest = seed.wave(0), [repo for repo in seed.repos if repo not in seed.wave(0)]
    seed.merged(canary, 19 * DAY, 2 * HOUR)
    for repo in rest:
        ended = NOW - 18 * DAY
        seed.became(repo, _S.CLOSED, why="The rollout is rolled back.", ended_at=ended)
    seed.said(Verb.ROLLBACK, 18 * DAY, by="bob", reason="it does not start on arm64")
    seed.said(Verb.RETURNED, 18 * DAY - HOUR, by="")
    for place, repo in enumerate(canary):
        state = _S.MERGED if place else _S.PENDING
        url = f"https://github.com/{repo}/pull/{900 + place}"
        opened = NOW - 18 * DAY
        seed.back.append(Target(repo, 0, state, number=900 + place, url=url, opened_at=opened))
    return seed


SEEDS = {
    "running": running,
    "halted": halted,
    "closed": finished,
    "rolled-back": rolled_back,
}
"""One of each that was started, by the state that it is in."""


def small(database: Database) -> dict[str, str]:
    """One of each; their ids, by state."""
    found = {state: seed().write(database) for state, seed in SEEDS.items()}
    return {**found, "planned": planned(database).write(database)}


def large(database: Database, repos: int = 800) -> str:
    """One that reaches many repos of a large fleet, and is under way."""
    chance = random.Random(4)
    image = ImageTag(HUB, "team0/image000", "stable")
    names = [f"acme/team{number % 40:02}-app{number:05}" for number in range(repos)]
    seed = Seed(plan_for(image, names, 3 * DAY, number=195, fleet=10_000))
    seed.said(Verb.START, 3 * DAY)
    done = 0
    for number in range(seed.plan.waves - 1):
        wave = seed.wave(number)
        done += len(wave)
        for repo in wave:
            opened = timedelta(hours=chance.uniform(40, 70))
            ended = NOW - opened + timedelta(hours=chance.expovariate(0.2))
            seed.became(repo, _S.MERGED, opened, ended_at=min(ended, NOW))
        seed.judged(Verb.ADVANCE, (50 - number * 10) * HOUR, merged=done)
    states = (_S.MERGED, _S.MERGED, _S.PENDING, _S.GREEN, _S.BLOCKED, _S.UNKNOWN)
    last = seed.wave(seed.plan.waves - 1)
    for place, repo in enumerate(last[: len(last) * 3 // 4]):
        opened = timedelta(hours=chance.uniform(1, 30))
        state = _S.RED if place % 60 == 7 else chance.choice(states)
        failing = (f"check-{place % 3}",) if state is _S.RED else ()
        merged = NOW - opened * chance.random() if state is _S.MERGED else None
        seed.became(repo, state, opened, failing=failing, ended_at=merged)
    return seed.write(database)
