"""The service as a process that is killed, or asked to end, in the middle of its cycles."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from digestbot.image import Digest
from digestbot.policy.finding import Status
from digestbot.store import findings, proposals, runs
from digestbot.store.database import Database
from digestbot.store.location import Location
from digestbot.store.runs import RunState
from tests.github.errors import ConnectionDropped
from tests.github.log import Write
from tests.github.server import GitHubServer
from tests.proposals.github_world import BRANCH
from tests.registries.fake import FakeRegistry
from tests.registries.samples import make_index

ROOT = Path(__file__).parents[2]
REPOS = [f"acme/app{number:02}" for number in range(24)]
IMAGES = ("team/base0", "team/base1")
KILLS = 20
MOST_WRITES = 30
LONGEST_CYCLE_S = 1.0
SEED = 3
PATIENCE_S = 60
STOP_S = 20
"""So long a service may take to end."""
CONFIG = """\
targets: [github:acme]
github: {{url: '{url}', rate_limits: false}}
state: {{folder: state}}
service: {{cron: ['0 0 1 1 *'], jitter: 0s, listen: '127.0.0.1:0', jobs: 2}}
hold: {{settle: 0s}}
"""


@dataclass
class Service:
    """`digestbot serve` over an owner on the test GitHub, whose repos pin images of a registry.

    It begins with a cycle whenever it is started, and has no other.
    """

    folder: Path
    github: GitHubServer
    registry: FakeRegistry
    digests: dict[str, Digest] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def populate(self) -> None:
        for image in IMAGES:
            self.move(image)
        for number, name in enumerate(REPOS):
            self.github.add_repo(name, {"Dockerfile": self.dockerfile(number)})
        for image in IMAGES:
            self.move(image)

    def move(self, image: str) -> None:
        """A tag has another digest from now on."""
        build = (image, str(self.digests.get(image)))
        self.digests[image] = self.registry.local.add(image, "1", make_index(build))

    def dockerfile(self, number: int) -> bytes:
        """What pins one of the images at the digest that it has now."""
        image = IMAGES[number % len(IMAGES)]
        text = f"# {number}\nFROM {self.registry.host}/{image}:1@{self.digests[image]}\n"
        return text.encode()

    def start(self) -> subprocess.Popen[bytes]:
        """Start it; its log goes to a file."""
        self.github.restart_log()
        environment = os.environ | {
            "GITHUB_TOKEN": self.github.token().value,
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "PYTHONPATH": str(ROOT),
        }
        (self.folder / "digestbot.yaml").write_text(CONFIG.format(url=self.github.url))
        command = [sys.executable, "-m", "digestbot", "serve", "--config"]
        with (self.folder / "log.jsonl").open("w") as log:
            self.process = subprocess.Popen(
                [*command, str(self.folder / "digestbot.yaml")], env=environment, stderr=log
            )
        return self.process

    def finish_cycle(self) -> None:
        """Let it do its cycle in peace, and end."""
        self.github.on_write = lambda _write: None
        process = self.start()
        self.wait_for(lambda: "cycle.finished" in self.log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_S) == 0

    def wait_for(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so, while the process lives."""
        begun = time.monotonic()
        while not is_so():
            assert self.process is not None
            assert self.process.poll() is None, self.log
            assert time.monotonic() - begun < PATIENCE_S, self.log
            time.sleep(0.01)

    @property
    def log(self) -> str:
        return (self.folder / "log.jsonl").read_text()

    @contextmanager
    def state(self) -> Iterator[Database]:
        """What it left behind; opened as the next one would."""
        with closing(Database.open(Location(folder=self.folder / "state"))) as database:
            yield database

    def last_run(self) -> RunState:
        """What the state says of the last run; the state itself is sound."""
        with self.state() as database, database.reading() as connection:
            assert database.check() == ()
            return runs.latest(connection)[0].state

    def check_everything_is_right(self) -> None:
        """Each repo has one pull request, ever, and it brings what the tag has now."""
        for number, name in enumerate(REPOS):
            (pull,) = self.github.pulls(name)
            assert pull.is_open
            assert self.github.files(name, BRANCH) == {"Dockerfile": self.dockerfile(number)}
        with self.state() as database, database.reading() as connection:
            stored = proposals.open_ones(connection)
            found = findings.counts(connection)
        assert sorted(one.repo for one in stored) == REPOS
        assert found == dict.fromkeys(Status, 0) | {Status.STALE: len(REPOS)}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with GitHubServer() as github, FakeRegistry() as registry:
        github.limits.is_enforced = False
        made = Service(tmp_path, github, registry)
        made.populate()
        try:
            yield made
        finally:
            if made.process is not None:
                made.process.kill()
                made.process.wait()


def at_write(service: Service, nth: int, moment: str, blow: Callable[[], object]) -> None:
    """Have something happen right before or after the nth write from now on.

    One that it comes before does not happen.
    """
    met = count(1)

    def on_write(write: Write) -> None:
        if write.moment == moment and next(met) == nth:
            blow()
            if moment == "before":
                raise ConnectionDropped

    service.github.on_write = on_write


def kill_at_write(service: Service, chance: random.Random) -> None:
    process = service.start()

    def blow() -> None:
        process.kill()
        process.wait()

    at_write(service, chance.randint(1, MOST_WRITES), chance.choice(["before", "after"]), blow)
    process.wait(PATIENCE_S)


def kill_at_any_time(service: Service, chance: random.Random) -> None:
    service.github.on_write = lambda _write: None
    process = service.start()
    service.wait_for(lambda: bool(service.github.requests))
    time.sleep(chance.random() * LONGEST_CYCLE_S)
    process.kill()
    process.wait()


def test_killed_twenty_times_nothing_is_doubled_and_nothing_is_lost(service: Service) -> None:
    chance, lost = random.Random(SEED), 0

    for number in range(KILLS):
        service.move(chance.choice(IMAGES))
        (kill_at_write, kill_at_any_time)[number % 2](service, chance)
        lost += service.last_run() is RunState.RUNNING
        assert all(len(service.github.pulls(name)) <= 1 for name in REPOS)
    service.finish_cycle()
    service.finish_cycle()

    assert lost > KILLS / 2
    with service.state() as database, database.reading() as connection:
        states = Counter(record.state for record in runs.latest(connection, 100))
    assert states[RunState.LOST] == lost
    assert states[RunState.RUNNING] == 0
    service.check_everything_is_right()
    service.finish_cycle()
    assert service.github.writes == []


def test_asked_to_end_in_the_middle_of_a_cycle_it_hands_back_what_it_has_not_begun(
    service: Service,
) -> None:
    process = service.start()
    at_write(service, 7, "after", lambda: process.send_signal(signal.SIGTERM))

    code = process.wait(STOP_S)
    begun = sum(len(service.github.pulls(name)) for name in REPOS)
    state = service.last_run()
    service.finish_cycle()

    assert (code, state) == (0, RunState.STOPPED)
    assert 0 < begun < len(REPOS)
    assert service.last_run() is RunState.DONE
    service.check_everything_is_right()
