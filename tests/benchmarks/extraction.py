"""How fast references are read, beside two packages from PyPI.

Run by hand: python -m tests.benchmarks.extraction
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence

import dockerfile
from dockerfile_parse import DockerfileParser

from digestbot.files.formats import FORMATS
from tests.benchmarks.corpus import dockerfile as make_dockerfile

FILES, ROUNDS = 10_000, 3
LEAST_MB_PER_S = 5.0


def seconds(read: Callable[[bytes], object], corpus: Sequence[bytes]) -> float:
    """The best of a few rounds over the whole corpus: the least disturbed one."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for data in corpus:
            read(data)
        best = min(best, time.perf_counter() - start)
    return best


def parse_with_dockerfile_parse(data: bytes) -> object:
    parser = DockerfileParser(fileobj=io.BytesIO(data))
    return parser.parent_images


def main() -> None:
    corpus = [make_dockerfile(number) for number in range(FILES)]
    megabytes = sum(map(len, corpus)) / 1e6
    print(f"{FILES} files, {megabytes:.1f} MB")
    readers: dict[str, Callable[[bytes], object]] = {
        "digestbot": lambda data: FORMATS["dockerfile"].read("Dockerfile", data),
        "dockerfile (PyPI)": lambda data: dockerfile.parse_string(data.decode()),
        "dockerfile-parse (PyPI)": parse_with_dockerfile_parse,
    }
    taken = {name: seconds(read, corpus) for name, read in readers.items()}
    for name, total in taken.items():
        print(
            f"{name:24} {megabytes / total:6.1f} MB/s  {total / FILES * 1e6:7.1f} µs per file  "
            f"{total / taken['digestbot']:5.2f} x digestbot's time"
        )
    speed = megabytes / taken["digestbot"]
    ahead = taken["dockerfile (PyPI)"] / taken["digestbot"]
    print(
        f"limits: at least {LEAST_MB_PER_S} MB/s ({'ok' if speed >= LEAST_MB_PER_S else 'MISSED'}),"
        f" faster than dockerfile ({'ok' if ahead > 1 else 'MISSED'})"
    )


if __name__ == "__main__":
    main()
