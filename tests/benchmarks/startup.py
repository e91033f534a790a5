"""What `digestbot --version` costs, in units of a bare interpreter.

Run by hand: python -m tests.benchmarks.startup
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROUNDS = 21
LIMIT = 4.0


def once(command: Sequence[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    ours = [str(Path(sys.executable).with_name("digestbot")), "--version"]
    bare = [sys.executable, "-c", "pass"]
    pairs = [(once(ours), once(bare)) for _ in range(ROUNDS)]
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"digestbot --version  {statistics.median(a for a, _ in pairs) * 1e3:.1f} ms")
    print(f"python -c pass       {statistics.median(b for _, b in pairs) * 1e3:.1f} ms")
    print(f"ratio {ratio:.2f}, limit {LIMIT} ({'ok' if ratio <= LIMIT else 'MISSED'})")


if __name__ == "__main__":
    main()
