"""A rollout over many repos on a virtual clock: what is written when, and how long it takes.

python -m tests.service.rollouts.pace [REPOS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from digestbot.forge.interface import Forge
from digestbot.forge.repo import Repo
from digestbot.forge.steps import PushBranch, Step
from digestbot.forge.watching import ChecksOf, PullId
from digestbot.proposals.run import Rules
from digestbot.proposals.settings import ProposalSettings
from digestbot.rollout.machine import State, Verb
from digestbot.rollout.pacing import PaceRules
from digestbot.rollout.progress import TargetState
from digestbot.rollout.waves import WaveRules
from tests.service.rollouts.arena import GREEN, RULES, Arena, arena

PER_MINUTE, PER_HOUR = 80, 500
CI_TAKES = timedelta(minutes=15)
PENDING = ChecksOf(pending=1)
# By GitHub's API a commit is a tree, a commit and a ref.
_REQUESTS: dict[type[Step], int] = {PushBranch: 3}


@dataclass
class Clocked:
    """A forge that says when each write is made; all else is that of the arena."""

    forge: Forge
    world: Arena
    writes: list[float]
    asked: Counter[str]

    def perform(self, repo: Repo, step: Step) -> None:
        self.writes += [self.world.clock.now()] * _REQUESTS.get(type(step), 1)
        self.asked[type(step).__name__] += _REQUESTS.get(type(step), 1)
        self.forge.perform(repo, step)

    def __getattr__(self, name: str) -> object:
        if name in ("repos", "survey", "entries"):
            self.asked[name] += 1
        return getattr(self.forge, name)


@dataclass
class Measured:
    """What a rollout came to; times in seconds."""

    writes: list[float] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    took: float = 0.0
    most_pending: int = 0
    steps: int = 0

    def most_within(self, seconds: float) -> int:
        """The most writes in any span of so many seconds."""
        found, start = 0, 0
        for end, moment in enumerate(self.writes):
            while self.writes[start] <= moment - seconds:
                start += 1
            found = max(found, end - start + 1)
        return found


def roll_out(world: Arena) -> Measured:
    """All of it; CI takes a while, and people merge at once what is green."""
    told = Measured()
    opened: dict[str, float] = {}
    inner = world._open  # the arena's own, with a clock before it

    def open_repo(name: str) -> Forge:
        forge: Forge = Clocked(inner(name), world, told.writes, told.asked)  # type: ignore[assignment]  # all else is passed on
        return forge

    world._open = open_repo  # type: ignore[method-assign]
    looks = world.statuses

    def statuses(pulls: Sequence[PullId]) -> object:
        told.asked["statuses"] += 1
        return looks(pulls)

    world.statuses = statuses  # type: ignore[method-assign, assignment]
    began = world.clock.now()
    world.tell(Verb.START)
    while world.step().state is not State.WATCHING:
        told.steps += 1
        now = world.clock.now()
        states = world.states()
        told.most_pending = max(
            told.most_pending, sum(one is TargetState.PENDING for one in states.values())
        )
        for name, state in states.items():
            if state is TargetState.PENDING and name not in opened:
                opened[name] = now
                world.ci.says[name] = PENDING
            if name in opened and now - opened[name] >= CI_TAKES.total_seconds():
                world.ci.says[name] = GREEN
        world.merge(*(name for name, one in states.items() if one is TargetState.GREEN))
    told.took = world.clock.now() - began
    return told


def patient(repos: int, folder: Path) -> Measured:
    """A rollout with the usual caution over so many repos."""
    rules = replace(
        RULES,
        waves=WaveRules(canary_count=5, shares=(0.1, 0.5, 1.0)),
        pace=PaceRules(),
    )
    with arena(folder, repos, rules) as world:
        world.rules = Rules(proposals=ProposalSettings(labels=("digestbot",)))
        return roll_out(world)


def main() -> None:
    repos = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        told = patient(repos, Path(folder))
    print(f"{repos} repos: {timedelta(seconds=told.took)} on the virtual clock")
    print(f"at most {told.most_within(60)} writes a minute, {told.most_within(3600)} an hour")
    print(f"at most {told.most_pending} pull requests with checks under way")
    for name, times in told.asked.most_common():
        print(f"  {name}: {times} requests, {times / repos:.2f} a pull request")
    print(f"{told.steps} steps, {time.monotonic() - began:.0f} s here")


if __name__ == "__main__":
    main()
