"""A process that drives one rollout until it is settled, and dies when it is told to.

    python -m tests.service.rollouts.hurried URL FOLDER NAME BEGAN FACTOR

Its time passes FACTOR times as fast as ours since BEGAN, as that of the test GitHub does: an
hour of soaking takes seconds, and whoever is started anew knows how late it is.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from digestbot.clock import Clock
from digestbot.forge.errors import ForgeError
from digestbot.forge.github.settings import GitHubSettings
from digestbot.rollout.machine import State
from digestbot.secret import Secret
from digestbot.service.rollouts.driver import LOOK_S
from digestbot.store.database import Database
from digestbot.store.location import Location
from tests.github.clock import VirtualClock
from tests.service.rollouts.wheel import step, ways_over

OVER = (State.ABORTED, State.ROLLED_BACK)


class Hurried(VirtualClock):
    """The test GitHub's time, the same in each process that knows when it began."""

    def __init__(self, began: float, factor: float) -> None:
        super().__init__(began)
        self.began, self.factor = began, factor

    def now(self) -> float:
        return self.began + (time.time() - self.began) * self.factor

    def advance(self, seconds: float) -> None:
        time.sleep(max(seconds, 0.0) / self.factor)

    def as_clock(self) -> Clock:
        return Clock(monotonic=self.now, wall=self.now, sleep=self.advance, jitter=lambda: 0.0)


def drive(database: Database, url: str, name: str, clock: Clock, cache: Path) -> None:
    """Step by step, as the service does it, until nothing is left to do."""
    settings = GitHubSettings(
        api_url=url, token=Secret(os.environ["GITHUB_TOKEN"]), windows=(), max_wait_s=60.0
    )
    with ways_over(database, settings, clock, cache) as ways:
        while True:
            try:
                rollout = step(ways, name)
            except ForgeError as error:
                print(error, file=sys.stderr)
            else:
                if rollout.is_settled and rollout.standing.state in OVER:
                    return
            clock.sleep(LOOK_S)


def main() -> None:
    url, folder, name, began, factor = sys.argv[1:]
    clock = Hurried(float(began), float(factor)).as_clock()
    database = Database.open(Location(folder=Path(folder) / "state"))
    try:
        with database.alone():
            drive(database, url, name, clock, Path(folder) / "cache")
    finally:
        database.close()


if __name__ == "__main__":
    main()
