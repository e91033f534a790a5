"""`digestbot update github:acme` over 300 repos, 60 of them stale: requests, seconds, memory.

    python -m tests.benchmarks.org_update

The test GitHub runs in this process, digestbot in one of its own, so that its memory is its
own. GitHub's limits are off: with them, 300 writes take four minutes, whoever makes them.
The limit: the second run, in which nothing moved, takes less than half as long as the first.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.github.server import GitHubServer
from tests.proposals.builders import digest, full
from tests.proposals.test_org import REPOS, STALE, populate

ROOT = Path(__file__).parents[2]
# What a system tells of a child's memory counts its parent's too; a process knows its own.
PROGRAM = """
import sys
from pathlib import Path
from digestbot.cli.main import run
code = run(sys.argv[2:])
Path(sys.argv[1]).write_text(Path("/proc/self/status").read_text())
sys.exit(code)
"""


@dataclass(frozen=True)
class Figures:
    """What one run took; `rss_mb` is the most memory it had."""

    seconds: float
    rss_mb: float
    requests: Counter[str]
    exit_code: int


def run(github: GitHubServer, folder: Path) -> Figures:
    github.restart_log()
    environment = os.environ | {
        "GITHUB_TOKEN": github.token().value,
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PYTHONPATH": str(ROOT),
    }
    options = ["--config", str(folder / "config.yaml"), "--digests", str(folder / "digests.json")]
    command = [sys.executable, "-c", PROGRAM, str(folder / "status"), "update", "github:acme"]
    started = time.perf_counter()
    with (folder / "out.txt").open("w") as output:
        done = subprocess.run([*command, *options], env=environment, stdout=output, check=False)
    seconds = time.perf_counter() - started
    asked = Counter(one.operation for one in github.requests)
    peak = re.search(r"VmHWM:\s+(\d+) kB", (folder / "status").read_text())
    return Figures(seconds, int(peak[1]) / 1024 if peak else 0, asked, done.returncode)


def main() -> int:
    with GitHubServer() as github, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        github.limits.is_enforced = False
        populate(github)
        config = f"github: {{url: '{github.url}', rate_limits: false}}\n"
        (folder / "config.yaml").write_text(config)
        answers = {full("python:3"): str(digest(1)), full("debian:12"): str(digest(1))}
        (folder / "digests.json").write_text(json.dumps(answers))
        first, second = run(github, folder), run(github, folder)
        pulls = sum(len(repo.pulls) for repo in github.world.repos.values())
        print((folder / "out.txt").read_text())
    for title, figures in (("first", first), ("second", second)):
        print(
            f"{title} run: {figures.seconds:.1f} s, {figures.rss_mb:.0f} MB, "
            f"{figures.requests.total()} requests, exit code {figures.exit_code}"
        )
        for operation, count in figures.requests.most_common():
            print(f"  {count:4} {operation}")
    print(f"{REPOS} repos, {STALE} stale: {pulls} pull requests")
    return 0 if pulls == STALE and second.seconds < first.seconds / 2 else 1


if __name__ == "__main__":
    sys.exit(main())
