"""Fleets to look at: nothing yet, a dozen repos with everything worth seeing, ten thousand repos.

Each fills an empty state, the same way each time, as it is at `NOW`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from digestbot.store.database import Database
from tests.web import large_fleet, small_fleet
from tests.web.asking import app_on, loaded_with
from tests.web.rows import Rows

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
TARGETS = ["github:acme"]
DENIED = [small_fleet.DENIED, large_fleet.DENIED]
"""What must not be used, in the configuration; some repos do."""


def empty(database: Database) -> None:
    """A service that was started a moment ago."""


def small(database: Database) -> None:
    """About a dozen repos, eight images and sixty runs."""
    rows = Rows(NOW)
    small_fleet.fill(rows)
    rows.write(database)


def large(database: Database) -> None:
    """10,000 repos with 40,000 findings, 300 images, 500 runs, 90 days of tallies."""
    rows = Rows(NOW)
    large_fleet.fill(rows)
    rows.write(database)


def service_on(database: Database) -> Any:
    """The application on one of these fleets."""
    return app_on(database, loaded_with(targets=TARGETS, deny=DENIED))


FLEETS: dict[str, Callable[[Database], None]] = {"empty": empty, "small": small, "large": large}
