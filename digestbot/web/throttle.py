"""How often strangers may try."""

from __future__ import annotations

from collections import Counter

from digestbot.clock import Clock

WINDOW_S = 60.0
MOST_EACH = 10
MOST_OVERALL = 1000


class Throttle:
    """Counts what failed in a minute, by who tried and over all.

    Nobody is remembered who tries in vain after there was too much of it over all, so no more
    than `MOST_OVERALL` ever are.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.monotonic()
        self._failed: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._failed)

    def wait(self, who: str) -> float:
        """In how many seconds they may try; 0 is now."""
        passed = self._clock.monotonic() - self._began
        if passed >= WINDOW_S:
            self._began += passed
            self._failed.clear()
            return 0.0
        if self._failed[who] < MOST_EACH and self._failed.total() < MOST_OVERALL:
            return 0.0
        return WINDOW_S - passed

    def note(self, who: str) -> None:
        """They tried, and failed."""
        self._failed[who] += 1
