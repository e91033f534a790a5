"""`digestbot serve` as operators have it: somebody starts a rollout, people merge, it goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from digestbot.rollout.gates import GateRules
from digestbot.rollout.machine import State, Verb
from tests.github.server import GitHubServer
from tests.registries.fake import FakeRegistry
from tests.registries.samples import make_index
from tests.service.rollouts.hurried import Hurried
from tests.service.rollouts.town import RULES, Pins, Town, town

CONFIG = """\
targets: [github:acme]
github: {{url: '{url}', rate_limits: false}}
state: {{folder: state}}
service: {{cron: ['0 0 1 1 *'], jitter: 0s, listen: '127.0.0.1:0', run_on_start: false}}
hold: {{settle: 0s}}
rollout: {{issue: acme/platform}}
"""
ROOT = Path(__file__).parents[3]
LEDGER = "acme/platform"
FACTOR, PATIENCE_S, STOP_S = 300.0, 60.0, 20.0
QUICK = replace(RULES, gate=GateRules(soak=timedelta(minutes=10), passed=0.8, failed=0.1))


@dataclass
class Service:
    """A town, and the process that drives its rollout."""

    world: Town
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def wait_for(self, is_so: Callable[[], bool]) -> None:
        """CI and people go on until it is so."""
        end = time.monotonic() + PATIENCE_S
        while not is_so():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < end, (self.world.rollout().standing, self.log)
            self.world.live()
            time.sleep(0.05)

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_S)

    def opened(self, wave: int) -> int:
        """In how many repos of a wave it proposed anything."""
        return sum(bool(self.world.pulls(name)) for name in self.world.wave(wave))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """One that runs, and has nothing to do yet."""
    with FakeRegistry() as registry:
        first, second = (
            registry.local.add("team/base", "1", make_index(text)) for text in ("old", "new")
        )
        pins = Pins(f"{registry.host}/team/base:1", (first,), second)
        github = GitHubServer(Hurried(time.time(), FACTOR))
        github.limits.is_enforced = False
        with town(tmp_path / "state", 10, QUICK, github=github, pins=pins) as world:
            github.add_repo(LEDGER)
            world.merge_after = (60.0, 300.0)
            process = _started(world, tmp_path)
            made = Service(world, tmp_path, process)
            try:
                made.wait_for(lambda: "service.started" in made.log)
                yield made
            finally:
                process.kill()
                process.wait()


def _started(world: Town, folder: Path) -> subprocess.Popen[bytes]:
    clock = world.github.clock
    assert isinstance(clock, Hurried)
    config = folder / "digestbot.yaml"
    config.write_text(CONFIG.format(url=world.github.url))
    program = ["-m", "tests.service.rollouts.hurried", str(clock.began), str(FACTOR)]
    environment = os.environ | {
        "GITHUB_TOKEN": world.github.token().value,
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PYTHONPATH": str(ROOT),
    }
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, *program, "serve", "--config", str(config)],
            env=environment,
            stderr=log,
        )


def test_what_is_started_elsewhere_goes_on_wave_by_wave_and_ends_in_time(service: Service) -> None:
    world = service.world
    world.merge_after, merge_after = None, world.merge_after

    world.tell(Verb.START)
    service.wait_for(lambda: service.opened(0) == len(world.wave(0)))
    assert service.opened(1) == 0

    world.merge_after = merge_after
    service.wait_for(lambda: service.opened(1) == len(world.wave(1)))
    service.wait_for(lambda: world.state is State.WATCHING)

    service.wait_for(lambda: len(world.github.issues(LEDGER)) == 1)
    assert service.end() == 0
    assert all(str(world.pins.new) in world.pinned(name) for name in world.wave(0))
    assert "Traceback" not in service.log


def test_asked_to_end_in_the_middle_it_ends_and_the_next_one_goes_on(service: Service) -> None:
    world = service.world
    world.tell(Verb.START)
    service.wait_for(lambda: service.opened(0) > 0)

    assert service.end() == 0

    service.process = _started(world, service.folder)
    try:
        service.wait_for(lambda: service.opened(1) == len(world.wave(1)))
        assert service.end() == 0
    finally:
        service.process.kill()
        service.process.wait()
    assert all(len(world.pulls(name)) == 1 for name in [*world.wave(0), *world.wave(1)])
