"""Whoever drives a rollout is killed, again and again: it comes to the same."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from digestbot.forge.github.settings import GitHubSettings
from digestbot.rollout.gates import GateRules
from digestbot.rollout.machine import State, replay
from digestbot.rollout.pacing import PaceRules
from digestbot.secret import Secret
from tests.github.errors import ConnectionDropped
from tests.github.log import Write
from tests.github.server import GitHubServer
from tests.service.rollouts.hurried import Hurried
from tests.service.rollouts.people import People, came_to
from tests.service.rollouts.town import RULES, Town, town
from tests.service.rollouts.wheel import step, ways_over

ROOT = Path(__file__).parents[3]
REPOS = 24
KILLS = 30
SEED = 6
FACTOR = 300.0
MOST_WRITES = 8
LONGEST_S = 0.3
PATIENCE_S = 100.0
QUIET_S = 3.0
"""Where nothing is written for so long it is killed all the same."""
HURRIED = replace(
    RULES,
    gate=GateRules(soak=timedelta(minutes=10), passed=0.8, failed=0.1),
    pace=PaceRules(per_minute=15, per_hour=10_000),
)


@dataclass
class Kills:
    """A rollout whose driver does not live long.

    Attributes:
        times: How often it was killed; `at_writes` of them at a write.
    """

    world: Town
    folder: Path
    people: People
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    times: int = 0
    at_writes: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        github = self.world.github
        assert isinstance(github.clock, Hurried)
        clock = (str(github.clock.began), str(FACTOR))
        command = [sys.executable, "-m", "tests.service.rollouts.hurried", github.url]
        github.restart_log()
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, str(self.folder), self.world.name, *clock],
                env=os.environ | {"GITHUB_TOKEN": github.token().value, "PYTHONPATH": str(ROOT)},
                stderr=log,
            )
        return self.process

    def act_until(self, seconds: float) -> None:
        """CI and people go on while the process lives, for so long at most."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process and self.process.poll() is None:
            self.people.act()
            time.sleep(0.02)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.times += 1

    def at_write(self) -> None:
        """It dies right before or after a write; where none comes for long, anywhere."""
        nth, moment = self.chance.randint(1, MOST_WRITES), self.chance.choice(["before", "after"])
        met = count(1)

        def on_write(write: Write) -> None:
            if write.moment != moment or next(met) != nth:
                return
            self.kill()
            self.at_writes += 1
            if moment == "before":
                raise ConnectionDropped

        self.world.github.on_write = on_write
        process = self.start()
        self.act_until(QUIET_S)
        self.world.github.on_write = lambda _write: None
        if process.poll() is None:
            self.kill()

    def at_any_time(self) -> None:
        process = self.start()
        end = time.monotonic() + PATIENCE_S
        while not self.world.github.requests and process.poll() is None:
            assert time.monotonic() < end, self.log
            self.act_until(0.02)
        self.act_until(self.chance.random() * LONGEST_S)
        if process.poll() is None:
            self.kill()

    def in_peace(self) -> int:
        """It lives until nothing is left to do."""
        process = self.start()
        self.act_until(PATIENCE_S)
        assert process.poll() is not None, (self.world.rollout().standing, self.log)
        return process.returncode

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


@pytest.fixture
def kills(tmp_path: Path) -> Iterator[Kills]:
    github = GitHubServer(Hurried(time.time(), FACTOR))
    github.limits.is_enforced = False
    with town(tmp_path / "state", REPOS, HURRIED, github=github) as world:
        world.set_odd()
        people = People(world)
        made = Kills(world, tmp_path, people)
        people.may_resume = lambda: made.times >= KILLS // 3
        people.may_go_back = lambda: made.times >= KILLS * 2 // 3
        people.may_end = lambda: made.times >= KILLS
        try:
            yield made
        finally:
            if made.process is not None:
                made.process.kill()
                made.process.wait()


def undisturbed(folder: Path) -> dict[str, object]:
    """What the same rollout comes to where nobody is killed."""
    with town(folder / "state", REPOS, HURRIED) as world:
        world.set_odd()
        people = People(world)
        settings = GitHubSettings(
            api_url=world.github.url, token=Secret(world.github.token().value)
        )
        clock = world.github.clock.as_clock()
        with ways_over(world.database, settings, clock, folder / "cache") as ways:
            people.begin()
            for _ in range(2000):
                step(ways, world.name)
                people.act()
                world.github.clock.advance(60)
                if people.is_over:
                    return came_to(world)
    raise AssertionError("it came to no end")


def test_killed_thirty_times_it_comes_to_the_same(kills: Kills, tmp_path: Path) -> None:
    expected = undisturbed(tmp_path / "undisturbed")
    kills.people.begin()

    for number in range(KILLS):
        (kills.at_write, kills.at_any_time)[number % 2]()
    code = kills.in_peace()

    rollout = kills.world.rollout()
    assert code == 0
    assert kills.times == KILLS
    assert kills.at_writes >= KILLS / 3
    assert rollout.standing.state is State.ROLLED_BACK
    assert replay(rollout.plan.course, rollout.events) == rollout.standing
    assert kills.world.database.check() == ()
    assert came_to(kills.world) == expected
