"""A cold `digestbot scan` of 200 Dockerfiles with 400 pins of 100 images, beside a bare script.

The script imports requests and makes the same 100 HEADs from 16 threads; it reads no file.
Run by hand: python -m tests.benchmarks.cold_scan
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from digestbot.image import Digest
from digestbot.registry.manifests import ACCEPT
from tests.benchmarks.registry import filled_registry

FILES, IMAGES, ROUNDS = 200, 100, 15
WALL_LIMIT, RSS_LIMIT_MB = 1.8, 80
SCRIPT = """
import sys
from concurrent.futures import ThreadPoolExecutor
import requests
from requests.adapters import HTTPAdapter
accept, host, *names = sys.argv[1:]
session = requests.Session()
session.mount("http://", HTTPAdapter(pool_maxsize=16))
def ask(name):
    image, _, tag = name.partition(":")
    url = f"http://{host}/v2/{image}/manifests/{tag}"
    return session.head(url, headers={"Accept": accept}).headers["Docker-Content-Digest"]
with ThreadPoolExecutor(16) as pool:
    assert len(list(pool.map(ask, names))) == len(names)
"""


@dataclass(frozen=True)
class Cost:
    """What one process took."""

    wall_s: float
    rss_mb: float
    output: str


def run(command: Sequence[str], folder: Path) -> Cost:
    """Run a command to its end; its own peak memory, not that of others."""
    output = folder.parent / "output"
    start = time.perf_counter()
    with output.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=folder, stdout=stream, env=os.environ | {"HOME": "/"}
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in {0, 1}, process.returncode
    return Cost(time.perf_counter() - start, usage.ru_maxrss / 1024, output.read_text())


def write_files(folder: Path, host: str, names: Sequence[str]) -> None:
    old = Digest.of(b"old")
    for number in range(FILES):
        first, second = (names[(2 * number + step) % len(names)] for step in (0, 1))
        text = (
            f"FROM {host}/{first}@{old} AS build\nRUN make \\\n    all\n\n"
            f"FROM {host}/{second}@{old}\nCOPY --from=build /app /app\n"
        )
        place = folder / f"service{number}"
        place.mkdir()
        (place / "Dockerfile").write_text(text)


def main() -> None:
    program = str(Path(sys.executable).with_name("digestbot"))
    with filled_registry(IMAGES, 1) as (host, names), tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "repo"
        folder.mkdir()
        write_files(folder, host, names)
        subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
        scan = [program, "scan", "--format", "json"]
        bare = [sys.executable, "-c", SCRIPT, ACCEPT, host, *names]
        run(scan, folder), run(bare, folder)
        pairs = [(run(scan, folder), run(bare, folder)) for _ in range(ROUNDS)]
    report(pairs)


def report(pairs: Sequence[tuple[Cost, Cost]]) -> None:
    summary = json.loads(pairs[0][0].output)["summary"]
    assert (summary["files"], summary["stale"]) == (FILES, 2 * FILES), summary
    ratio = statistics.median(ours.wall_s / theirs.wall_s for ours, theirs in pairs)
    memory = max(ours.rss_mb for ours, _ in pairs)
    print(f"{FILES} files, {2 * FILES} pins, {summary['lookups']} lookups")
    for name, costs in zip(
        ("digestbot scan", "bare requests"), zip(*pairs, strict=True), strict=True
    ):
        wall = statistics.median(cost.wall_s for cost in costs) * 1e3
        print(f"{name:15} {wall:6.0f} ms  {max(cost.rss_mb for cost in costs):5.1f} MB")
    speed, size = (_verdict(ratio <= WALL_LIMIT), _verdict(memory < RSS_LIMIT_MB))
    print(f"wall ratio {ratio:.2f}, limit {WALL_LIMIT} ({speed})")
    print(f"memory {memory:.1f} MB, limit {RSS_LIMIT_MB} MB ({size})")


def _verdict(is_kept: bool) -> str:
    return "ok" if is_kept else "MISSED"


if __name__ == "__main__":
    main()
