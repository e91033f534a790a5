"""`digestbot` as a process whose time passes many times as fast as ours.

    python -m tests.service.rollouts.hurried BEGAN FACTOR WORD...

It is the time of the test GitHub, the same in each process that knows when it began: an hour of
soaking takes seconds, and whoever is started anew knows how late it is.
"""

from __future__ import annotations

import runpy
import sys
import time

from digestbot.clock import Clock
from tests.github.clock import VirtualClock

LONGEST_S = 1000.0
"""So many of our seconds it is behind our time, that nothing waits for ours to come."""


class Hurried(VirtualClock):
    """The test GitHub's time, so many times as fast as ours since ours was `began`."""

    def __init__(self, began: float, factor: float) -> None:
        super().__init__(began - LONGEST_S * factor)
        self.began, self.factor = began, factor

    def now(self) -> float:
        return self.began + (time.time() - self.began - LONGEST_S) * self.factor

    def advance(self, seconds: float) -> None:
        time.sleep(max(seconds, 0.0) / self.factor)

    def as_clock(self) -> Clock:
        return Clock(monotonic=self.now, wall=self.now, sleep=self.advance, jitter=lambda: 0.0)


def main() -> None:
    began, factor, *words = sys.argv[1:]
    clock = Hurried(float(began), float(factor)).as_clock()
    # Whoever makes a clock of its own from now on makes this one.
    vars(Clock)["__init__"].__defaults__ = (clock.monotonic, clock.wall, clock.sleep, clock.jitter)
    sys.argv = ["digestbot", *words]
    runpy.run_module("digestbot", run_name="__main__")


if __name__ == "__main__":
    main()
