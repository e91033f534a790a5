"""The service is killed again and again while it drives a rollout: it comes to the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from digestbot.forge.github.settings import GitHubSettings
from digestbot.rollout.gates import GateRules
from digestbot.rollout.machine import State, replay
from digestbot.rollout.pacing import PaceRules
from digestbot.rollout.progress import TargetState
from digestbot.secret import Secret
from tests.github.errors import ConnectionDropped
from tests.github.log import Write
from tests.github.server import GitHubServer
from tests.registries.fake import FakeRegistry
from tests.registries.samples import make_index
from tests.service.rollouts.hurried import Hurried
from tests.service.rollouts.people import People, came_to
from tests.service.rollouts.town import RULES, Pins, Town, town
from tests.service.rollouts.wheel import step, ways_over

CONFIG = """\
targets: [github:acme]
github: {{url: '{url}', rate_limits: false}}
state: {{folder: state}}
service: {{cron: ['0 0 1 1 *'], jitter: 0s, listen: '127.0.0.1:0'}}
hold: {{settle: 0s}}
rollout: {{issue: acme/platform}}
"""
ROOT = Path(__file__).parents[3]
WAVES = (2, 2, 8, 12)
REPOS = sum(WAVES)
LEDGER = "acme/platform"
KILLS = 30
SEED = 6
FACTOR = 300.0
MOST_WRITES = 5
LONGEST_S = 0.2
PATIENCE_S = 100.0
STOP_S = 20.0
QUIET_S = 2.0
"""Where nothing is written for so long it is killed all the same."""
HURRIED = replace(
    RULES,
    gate=GateRules(soak=timedelta(minutes=10), passed=0.8, failed=0.1),
    pace=PaceRules(per_minute=15, per_hour=10_000),
)


@dataclass
class Kills:
    """A rollout whose service does not live long, and begins with a cycle each time.

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
        command = [sys.executable, "-m", "tests.service.rollouts.hurried", *clock, "serve"]
        config = self.folder / "digestbot.yaml"
        config.write_text(CONFIG.format(url=github.url))
        environment = os.environ | {
            "GITHUB_TOKEN": github.token().value,
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "PYTHONPATH": str(ROOT),
        }
        github.restart_log()
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--config", str(config)], env=environment, stderr=log
            )
        return self.process

    def act_until(self, seconds: float, is_so: Callable[[], bool] = lambda: False) -> None:
        """CI and people go on while the process lives, until it is so, for so long at most."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not is_so():
            if self.process is None or self.process.poll() is not None:
                return
            self.people.act()
            time.sleep(0.02)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.times += 1

    def once(self) -> None:
        """It dies, in turn at a write and at any time; half of it on the way back."""
        if self.times == KILLS // 2 and not self._is_on_the_way_back:
            self.start()
            self.act_until(PATIENCE_S, lambda: self._is_on_the_way_back)
            self.kill()
        elif self.at_writes <= self.times // 2 and self._is_writing():
            self.at_write()
        else:
            self.at_any_time()

    @property
    def _is_on_the_way_back(self) -> bool:
        return self.world.state in (State.ROLLING_BACK, State.ROLLED_BACK)

    @property
    def has_more(self) -> bool:
        is_enough = self.times >= KILLS and self.at_writes >= KILLS / 2
        return not is_enough and not self.people.is_over

    def _is_writing(self) -> bool:
        standing, state = self.world.rollout().standing, TargetState.WAITING
        if standing.state is State.RUNNING:
            found = self.world.targets().values()
            return any(one.state is state and one.wave <= standing.wave for one in found)
        back = self.world.targets(is_back=True).values()
        is_left = not back or any(one.state is state for one in back)
        return standing.state is State.ROLLING_BACK and is_left

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
        self.act_until(PATIENCE_S, lambda: bool(self.world.github.requests))
        self.act_until(QUIET_S)
        self.world.github.on_write = lambda _write: None
        if process.poll() is None:
            self.kill()

    def at_any_time(self) -> None:
        process = self.start()
        self.act_until(PATIENCE_S, lambda: bool(self.world.github.requests))
        self.act_until(self.chance.random() * LONGEST_S)
        if process.poll() is None:
            self.kill()

    def in_peace(self) -> int:
        """It lives until nothing is left to do, and is asked to end."""
        process = self.start()
        self.act_until(PATIENCE_S, lambda: self.people.is_over)
        assert self.people.is_over, (self.world.rollout().standing, self.log)
        process.send_signal(signal.SIGTERM)
        return process.wait(STOP_S)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


@pytest.fixture
def pins() -> Iterator[Pins]:
    """An image in a registry, of which the last digest is brought to all."""
    with FakeRegistry() as registry:
        found = [
            registry.local.add("team/base", "1", make_index(f"build {number}"))
            for number in range(4)
        ]
        yield Pins(f"{registry.host}/team/base:1", tuple(found[:3]), found[3])


@pytest.fixture
def kills(tmp_path: Path, pins: Pins) -> Iterator[Kills]:
    github = GitHubServer(Hurried(time.time(), FACTOR))
    github.limits.is_enforced = False
    with town(tmp_path / "state", REPOS, HURRIED, github=github, pins=pins, waves=WAVES) as world:
        github.add_repo(LEDGER)
        _populate(world)
        people = People(world)
        made = Kills(world, tmp_path, people)
        people.may_resume = lambda: made.times >= KILLS // 4
        people.may_go_back = lambda: made.times >= KILLS // 2
        people.may_end = lambda: not made.has_more
        try:
            yield made
        finally:
            if made.process is not None:
                made.process.kill()
                made.process.wait()


def _populate(world: Town) -> None:
    world.set_odd()
    world.merge_after = (60.0, 900.0)


def undisturbed(folder: Path, pins: Pins) -> dict[str, object]:
    """What the same rollout comes to where nobody is killed."""
    with town(folder / "state", REPOS, HURRIED, pins=pins, waves=WAVES) as world:
        _populate(world)
        people, github = People(world), world.github
        settings = GitHubSettings(api_url=github.url, token=Secret(github.token().value))
        clock = github.clock.as_clock()
        with ways_over(world.database, settings, clock, folder / "cache") as ways:
            people.begin()
            for _ in range(2000):
                step(ways, world.name)
                people.act()
                github.clock.advance(60)
                if people.is_over:
                    return came_to(world)
    raise AssertionError("it came to no end")


def test_killed_thirty_times_it_comes_to_the_same(kills: Kills, pins: Pins, tmp_path: Path) -> None:
    expected = undisturbed(tmp_path / "undisturbed", pins)
    kills.people.begin()

    while kills.has_more:
        kills.once()
    code = kills.in_peace()

    rollout = kills.world.rollout()
    assert code == 0
    assert kills.times >= KILLS
    assert kills.at_writes >= KILLS / 2
    assert rollout.standing.state is State.ROLLED_BACK
    assert replay(rollout.plan.course, rollout.events) == rollout.standing
    assert kills.world.database.check() == ()
    assert came_to(kills.world) == expected
    assert len(kills.world.github.issues(LEDGER)) == 1
