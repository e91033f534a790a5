"""Lookups of 500 distinct tags against a loopback registry, beside `curl -Z`.

Run by hand: python -m tests.benchmarks.lookups
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from digestbot.image import ImageReference
from digestbot.registry.manifests import ACCEPT
from digestbot.registry.resolution import Query, Resolution
from digestbot.registry.resolver import RegistryResolver
from digestbot.scan.lookups import look_up
from tests.benchmarks.registry import filled_registry

IMAGES, TAGS, ROUNDS, JOBS = 100, 5, 7, 16
LIMIT = 2.5


def ask_with_digestbot(host: str, names: Sequence[str]) -> float:
    queries = []
    for name in names:
        tag = ImageReference.parse(f"{host}/{name}").followed
        assert tag is not None
        queries.append(Query(tag))
    start = time.perf_counter()
    with RegistryResolver() as resolver:
        answers = look_up(queries, resolver, jobs=JOBS)
        taken = time.perf_counter() - start
        counts = resolver.counts()[host]
    assert all(isinstance(answer, Resolution) for answer in answers.values())
    assert (counts.heads, counts.total) == (len(names), len(names))
    return taken


def ask_with_curl(host: str, names: Sequence[str], config: Path) -> float:
    lines = []
    for name in names:
        image, _, tag = name.partition(":")
        lines.append(f'url = "http://{host}/v2/{image}/manifests/{tag}"\noutput = "/dev/null"\n')
    config.write_text("".join(lines))
    command = ["curl", "-sf", "-Z", "-I", "-H", f"Accept: {ACCEPT}", "-K", str(config)]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    with filled_registry(IMAGES, TAGS) as (host, names), tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "curl.config"
        ask_with_digestbot(host, names)
        ask_with_curl(host, names, config)
        pairs = [
            (ask_with_digestbot(host, names), ask_with_curl(host, names, config))
            for _ in range(ROUNDS)
        ]
    ratio = statistics.median(ours / curls for ours, curls in pairs)
    print(f"{len(names)} HEADs of distinct tags, median of {ROUNDS} pairs")
    print(f"digestbot  {statistics.median(ours for ours, _ in pairs) * 1e3:6.0f} ms")
    print(f"curl -Z    {statistics.median(curls for _, curls in pairs) * 1e3:6.0f} ms")
    print(f"ratio {ratio:.2f}, limit {LIMIT} ({'ok' if ratio <= LIMIT else 'MISSED'})")


if __name__ == "__main__":
    main()
