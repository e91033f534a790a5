"""Cycles of `digestbot run` over an org of 10,000 repos that pin 300 images: what each costs.

    python -m tests.benchmarks.service_cycle [REPOS [postgresql]]

digestbot is a process of its own; GitHub is a stub in this one (see `stub_github`), without
limits, and so is the registry. Each repo has one to three Dockerfiles and a CODEOWNERS; which
images they pin follows Zipf's law, so that the favourite is in a quarter of the repos and the last
in a few.

The limits, none of them in seconds: where nothing moved, a cycle costs a request for every
hundred repos and one HEAD for each image, and less than a tenth of the first one's time; a push
costs two requests more; ten times the repos take less than half as much memory again.
"""

from __future__ import annotations

import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.benchmarks.org_update import PROGRAM, ROOT
from tests.benchmarks.stub_github import StubGitHub, stub_github
from tests.registries.fake import FakeRegistry
from tests.registries.samples import make_index
from tests.store.postgres import PASSWORD, running

REPOS, FEWER, IMAGES = 10_000, 1_000, 300
PATHS = ("Dockerfile", "worker/Dockerfile", "ci/Dockerfile")
OWNERS = "* @acme/all\n*Dockerfile @acme/team-{team} @acme/all\n/docs/ @acme/docs\n"
TEAMS = 40
CONFIG = """\
targets: [github:acme]
github: {{url: '{url}', rate_limits: false}}
state: {state}
cache: {folder}/cache
hold: {{settle: {settle}}}
notify: []
"""


@dataclass(frozen=True)
class Figures:
    """What one cycle took; `rss_mb` is the most memory it had."""

    title: str
    wall_s: float
    cpu_s: float
    rss_mb: float
    state_mb: float
    requests: Counter[str]
    exit_code: int

    def __str__(self) -> str:
        asked = ", ".join(f"{count} {kind}" for kind, count in sorted(self.requests.items()))
        return (
            f"{self.title}: {self.wall_s:.1f} s, {self.cpu_s:.1f} s of CPU, {self.rss_mb:.0f} MB, "
            f"state {self.state_mb:.1f} MB, exit code {self.exit_code}\n    {asked}"
        )


@dataclass(frozen=True)
class State:
    """Where the state is, in the words of the configuration, and how large it is now."""

    words: str
    size_mb: Callable[[], float]


StateMaker = Callable[[Path], AbstractContextManager[State]]


@dataclass
class Org:
    """The org, its registry, and the folder in which digestbot works."""

    folder: Path
    github: StubGitHub
    registry: FakeRegistry
    state: State
    pins: dict[str, list[int]] = field(default_factory=dict)
    builds: Counter[int] = field(default_factory=Counter)

    def populate(self, repos: int, settle: str) -> None:
        chance = random.Random(1)
        digests = [self._push(image) for image in range(IMAGES)]
        weights = [1 / (rank + 1) for rank in range(IMAGES)]
        for number in range(repos):
            name = f"acme/app{number:05}"
            count = chance.choices((1, 2, 3), (6, 3, 1))[0]
            # Each is somewhere, even in an org of a few hundred.
            first = [number] if number < IMAGES else []
            more = chance.choices(range(IMAGES), weights, k=count - len(first))
            self.pins[name] = first + more
            pinned = zip(PATHS, self.pins[name], strict=False)
            files = {path: self._text(number, one, digests[one]) for path, one in pinned}
            owners = OWNERS.format(team=number % TEAMS).encode()
            self.github.add(name, files | {".github/CODEOWNERS": owners})
        text = CONFIG.format(
            url=self.github.url, folder=self.folder, state=self.state.words, settle=settle
        )
        (self.folder / "config.yaml").write_text(text)

    def cycle(self, title: str) -> Figures:
        self.github.requests.clear()
        self.registry.local.calls.clear()
        environment = {"GITHUB_TOKEN": "none", "PYTHONPATH": str(ROOT), "STATE_PASSWORD": PASSWORD}
        config = ["--config", str(self.folder / "config.yaml")]
        command = [sys.executable, "-c", PROGRAM, str(self.folder / "status"), "run", *config]
        before, started = _cpu_of_children(), time.perf_counter()
        with (self.folder / "out.txt").open("w") as output:
            done = subprocess.run(
                command, env=os.environ | environment, stdout=output, stderr=output, check=False
            )
        wall, cpu = time.perf_counter() - started, _cpu_of_children() - before
        peak = re.search(r"VmHWM:\s+(\d+) kB", (self.folder / "status").read_text())
        rss = int(peak[1]) / 1024 if peak else 0.0
        size, code = self.state.size_mb(), done.returncode
        figures = Figures(title, wall, cpu, rss, size, self._asked(), code)
        print(figures, flush=True)
        if done.returncode:
            print((self.folder / "out.txt").read_text()[-2000:])
        return figures

    def push_to(self, share: float) -> int:
        """Change the first Dockerfile of so many of the repos; how many these are."""
        names = sorted(self.pins)[:: round(1 / share)]
        for name in names:
            repo = self.github.repos[name]
            repo.push({PATHS[0]: repo.files[PATHS[0]] + b"# another line\n"})
        return len(names)

    def change_rules(self) -> None:
        """Configure something that may change what is proposed."""
        with (self.folder / "config.yaml").open("a") as config:
            config.write("exclude: ['vendor/**']\n")

    def move_all(self) -> None:
        """Push another build of every image."""
        for image in range(IMAGES):
            self._push(image)

    def move(self, users: int) -> int:
        """Push another build of the image whose users are nearest to so many; how many they are."""
        used = Counter(image for images in self.pins.values() for image in set(images))
        image = min(used, key=lambda one: abs(used[one] - users))
        self._push(image)
        return used[image]

    def _push(self, image: int) -> str:
        self.builds[image] += 1
        build = make_index((image, self.builds[image]))
        return str(self.registry.local.add(f"team/base{image}", "1", build))

    def _text(self, number: int, image: int, digest: str) -> bytes:
        pin = f"{self.registry.host}/team/base{image}:1@{digest}"
        return f"# {number}\nFROM {pin}\nRUN true\n".encode()

    def _asked(self) -> Counter[str]:
        return self.github.requests + Counter(call.method for call in self.registry.local.calls)


@contextmanager
def sqlite_state(folder: Path) -> Iterator[State]:
    """The state in this folder."""
    yield State(
        f"{{folder: {folder}}}", lambda: sum(one.stat().st_size for one in folder.glob("*")) / 1e6
    )


@contextmanager
def postgresql_state(_folder: Path) -> Iterator[State]:
    """The state in a PostgreSQL of its own, which waits for no disk."""
    with running() as server:
        location = server.make()
        name = urlsplit(location.url).path.strip("/")

        def size_mb() -> float:
            with closing(server.connect(name)) as connection:
                row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
            return int(str(row[0])) / 1e6 if row else 0.0

        yield State(f"{{url: '{location.url}', password_env: STATE_PASSWORD}}", size_mb)


STATES: dict[str, StateMaker] = {"sqlite": sqlite_state, "postgresql": postgresql_state}


@contextmanager
def org_of(repos: int, kind: str = "sqlite", settle: str = "0s") -> Iterator[Org]:
    """An org of so many repos, which digestbot has not seen yet."""
    with (
        stub_github() as github,
        FakeRegistry() as registry,
        tempfile.TemporaryDirectory() as name,
        STATES[kind](Path(name) / "state") as state,
    ):
        org = Org(Path(name), github, registry, state)
        org.populate(repos, settle)
        yield org


def measure(repos: int, kind: str) -> dict[str, Figures]:
    """All cycles over an org of so many repos, by a short name; some only fill in."""
    print(f"\n{repos:,} repos, {IMAGES} images, {kind}")
    with org_of(repos, kind) as org:
        found = {
            "first": org.cycle("first"),
            "quiet": org.cycle("nothing moved"),
            "pushed": org.cycle(f"{org.push_to(0.01)} repos moved"),
            "few": org.cycle(f"an image of {org.move(33)} repos moved"),
            "few seen": org.cycle("the pull requests are seen"),
            "many": org.cycle(f"an image of {org.move(300)} repos moved"),
            "many seen": org.cycle("the pull requests are seen"),
            "still": org.cycle("nothing moved"),
        }
        org.change_rules()
        found["rules"] = org.cycle("other rules hold, as on another day")
    with org_of(repos, kind, settle="3h") as org:
        org.move_all()
        found["held"] = org.cycle("first, and every pin is stale, and held back")
    return found


def faults(found: Mapping[str, Figures], smaller: Mapping[str, Figures], repos: int) -> list[str]:
    """Which of the limits are not kept."""
    first, quiet, pushed, still = (found[key] for key in ("first", "quiet", "pushed", "still"))
    least = Counter(list=repos // 100, HEAD=IMAGES)
    growth = max(found[key].rss_mb / smaller[key].rss_mb for key in found)
    is_least = quiet.requests == least == still.requests
    checks = {
        "where nothing moved, more is asked than must be": is_least,
        "where nothing moved, it takes too long": quiet.wall_s < first.wall_s / 10,
        "a push costs more than two requests": (pushed.requests - least).total() <= repos // 50,
        f"memory grows with the repos, {growth:.2f} times": growth < 1.5,
        "a cycle failed": not any(one.exit_code for one in found.values()),
    }
    return [fault for fault, is_kept in checks.items() if not is_kept]


def main() -> int:
    repos = int(sys.argv[1]) if len(sys.argv) > 1 else REPOS
    kind = sys.argv[2] if len(sys.argv) > 2 else "sqlite"
    smaller, found = measure(FEWER, kind), measure(repos, kind)
    broken = faults(found, smaller, repos)
    print("\n".join(broken) or "all limits are kept")
    return 1 if broken else 0


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(main())
