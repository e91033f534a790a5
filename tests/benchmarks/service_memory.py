"""200 cycles of the service over 500 repos: memory, files, threads and children of one process.

    python -m tests.benchmarks.service_memory [CYCLES [REPOS]]

The test GitHub and the registry run in this process, the service in one of its own, as
`digestbot serve` puts it together: with its metrics, its log, git for the commits. Between the
cycles tags move, people push, merge and close. GitHub's limits are off: they would only have
everybody wait. The limit: after cycle 50 the service grows by less than a tenth.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from digestbot.image import Digest
from tests.github.server import GitHubServer
from tests.registries.fake import FakeRegistry
from tests.registries.samples import make_index

ROOT = Path(__file__).parents[2]
IMAGES = 100
LIMIT = 1.1
CONFIG = """\
targets: [github:acme]
github: {{url: '{url}', rate_limits: false, write_by: git}}
state: {{folder: state}}
hold: {{settle: 0s}}
"""
# Each line it reads is the word for one more cycle; after it, it tells of itself.
SERVICE = """
import gc, json, os, sys, threading, time
from functools import partial
from pathlib import Path
import click
from digestbot.cli.options import common
from digestbot.cli.serving import serving
from digestbot.cli.settings import config_option
from digestbot.service.figures import read_figures
from digestbot.service.logs import start_logging
from digestbot.service.metrics import Metrics

def children():
    paths = Path("/proc/self/task").glob("*/children")
    return sum(len(path.read_text().split()) for path in paths)

def figures(result):
    gc.collect()
    time.sleep(0.2)  # Threads that were told to end take a moment for it.
    lines = Path("/proc/self/status").read_text().splitlines()
    (rss,) = [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")]
    told = {"rss_mb": rss, "files": len(os.listdir("/proc/self/fd")) - 1,
            "threads": threading.active_count(), "children": children()}
    return told | {"state": result.state.value, "counts": dict(result.counts)}

@click.command()
@config_option
@common
@click.pass_context
def command(context, /, config):
    start_logging(json=True, verbosity=0, stream=open(os.devnull, "w"))
    make_metrics = lambda database, _settings: Metrics(partial(read_figures, database))
    with serving(context, config=config, make_metrics=make_metrics) as served:
        for _ in sys.stdin:
            with served.metrics.job("cycle"):
                result = served.cycle(threading.Event())
            served.metrics.exposition("")
            print(json.dumps(figures(result)), flush=True)

command()
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """The process after a cycle, and what the cycle came to."""

    rss_mb: float
    files: int
    threads: int
    children: int
    state: str
    counts: dict[str, int]


@dataclass
class Org:
    """An owner whose repos pin images of a registry; `disturb` is what happens between cycles."""

    github: GitHubServer
    registry: FakeRegistry
    repos: int
    chance: random.Random
    builds: int = 0

    def populate(self) -> None:
        digests = [self.push(number) for number in range(IMAGES)]
        for number in range(self.repos):
            self.github.add_repo(self.name(number), self.files(number, digests[number % IMAGES]))

    def name(self, number: int) -> str:
        return f"acme/app{number:03}"

    def files(self, number: int, digest: Digest) -> dict[str, bytes]:
        image = f"{self.registry.host}/team/base{number % IMAGES}:1"
        text = f"# {number}.{self.builds}\nFROM {image}@{digest}\n"
        return {"Dockerfile": text.encode()}

    def push(self, image: int) -> Digest:
        self.builds += 1
        return self.registry.local.add(f"team/base{image}", "1", make_index(self.builds))

    def disturb(self) -> None:
        """A tag moves; somebody merges, somebody closes, somebody pushes."""
        self.push(self.chance.randrange(IMAGES))
        names = [self.name(number) for number in range(self.repos)]
        opened = [name for name in names if self.github.pulls(name, "open")]
        self.chance.shuffle(opened)
        for name in opened[:5]:
            self.github.merge_pull(name, self.github.pulls(name, "open")[0].number)
        for name in opened[5:6]:
            self.github.close_pull(name, self.github.pulls(name, "open")[0].number)
        pushed = self.chance.choice(names)
        files = self.github.files(pushed)
        self.github.commit(pushed, "main", {"Dockerfile": files["Dockerfile"] + b"USER app\n"})


@contextmanager
def service(github: GitHubServer, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The process, until the end of the `with`."""
    (folder / "config.yaml").write_text(CONFIG.format(url=github.url))
    environment = os.environ | {
        "GITHUB_TOKEN": github.token().value,
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", SERVICE, "--config", str(folder / "config.yaml")]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process


def cycle(process: subprocess.Popen[str]) -> Figures:
    """One cycle of the service, and what it is like after it."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("the service has ended")
    return Figures(**json.loads(line))


def run(org: Org, process: subprocess.Popen[str], cycles: int) -> dict[int, Figures]:
    """Cycles with something in between; the figures after some of them."""
    shown, taken, opened = {10, *range(50, cycles + 1, 50)}, {}, 0
    started = time.perf_counter()
    print("cycle  seconds   RSS MB  files  threads  children  proposals so far")
    for number in range(1, cycles + 1):
        figures = cycle(process)
        if figures.state != "done":
            raise RuntimeError(f"the cycle did not come to its end: {figures}")
        opened += figures.counts.get("proposals_opened", 0)
        if number in shown or number == cycles:
            taken[number] = figures
            seconds = time.perf_counter() - started
            print(
                f"{number:5}  {seconds:7.0f}  {figures.rss_mb:7.1f}  {figures.files:5}"
                f"  {figures.threads:7}  {figures.children:8}  {opened:8}",
                flush=True,
            )
        org.disturb()
        org.github.restart_log()
        org.registry.local.calls.clear()
    return taken


def main() -> int:
    words = [int(word) for word in sys.argv[1:]]
    cycles, repos = (words + [200, 500][len(words) :])[:2]
    with (
        GitHubServer() as github,
        FakeRegistry() as registry,
        tempfile.TemporaryDirectory() as name,
    ):
        github.limits.is_enforced = False
        org = Org(github, registry, repos, random.Random(4))
        org.populate()
        print(f"{repos} repos, {IMAGES} images")
        with service(github, Path(name)) as process:
            taken = run(org, process, cycles)
    return verdict(taken)


def verdict(taken: dict[int, Figures]) -> int:
    """Whether what was measured is within the limit."""
    last, middle = taken[max(taken)], taken.get(50, taken[max(taken)])
    growth = last.rss_mb / middle.rss_mb
    is_flat = last.files <= middle.files * LIMIT and last.threads <= middle.threads * LIMIT
    print(f"growth of RSS after cycle 50: {growth - 1:+.1%} (limit {LIMIT - 1:+.0%})")
    is_good = growth < LIMIT and is_flat and not last.children
    print("within the limits" if is_good else "NOT within the limits")
    return not is_good


if __name__ == "__main__":
    sys.exit(main())
