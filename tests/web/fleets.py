"""Fleets to look at: nothing yet, a dozen repos with everything worth seeing, ten thousand repos.

Each fills an empty state, the same way each time, as it is at `NOW`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from digestbot.image import Digest
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolution
from digestbot.service.asking import Asks
from digestbot.service.endpoint import make_app
from digestbot.service.jobs import Job
from digestbot.service.rollouts.asking import RolloutAsks
from digestbot.service.rollouts.checking import WayBack
from digestbot.store.database import Database
from digestbot.web.access import access_of
from digestbot.web.actions import SAID, action_routes
from digestbot.web.routes import Dashboard, dashboard_routes
from tests.service.state import NOW
from tests.web import large_fleet, rollout_seeds, small_fleet
from tests.web.asking import ENVIRON, STILL, loaded_with
from tests.web.rows import Rows

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
    rollout_seeds.small(database)


def large(database: Database) -> None:
    """10,000 repos with 40,000 findings, 300 images, 500 runs, 90 days of tallies."""
    rows = Rows(NOW)
    large_fleet.fill(rows)
    rows.write(database)
    rollout_seeds.large(database)


@dataclass
class Jobs:
    """An engine that does nothing: it knows what it was asked to do."""

    submitted: list[Job] = field(default_factory=list)

    def submit(self, job: Job, at: datetime | None = None) -> None:
        self.submitted.append(job)

    def stop(self, timeout_s: float) -> bool:
        return True


@dataclass
class Registry:
    """Hands out every digest that it is asked for, but for those that are lost."""

    lost: set[Digest] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def resolve(self, query: Query) -> Resolution:
        self.asked.append(str(query))
        digest = Digest.parse(query.image.tag)
        if digest in self.lost:
            host = query.image.registry
            raise RegistryError(f"{query}: {host} knows no such tag", code="not-found", host=host)
        return Resolution(query, digest)

    def back(self, database: Database) -> WayBack:
        """What asks it whether there is a way back."""
        return WayBack(database, lambda _timeout_s: nullcontext(self), STILL)


def service_on(
    database: Database, jobs: Jobs | None = None, registry: Registry | None = None
) -> Any:
    """The application on one of these fleets, with what may be asked for in it."""
    loaded = loaded_with(targets=TARGETS, deny=DENIED)
    access = access_of(loaded.settings.dashboard, ENVIRON, "127.0.0.1", STILL)
    back = (registry or Registry()).back(database)
    asks = RolloutAsks(Asks(database, jobs or Jobs(), STILL), database, back, clock=STILL)
    dashboard = Dashboard(database, loaded, access, lambda: (), NOW, SAID, STILL, back.last)
    routes = dashboard_routes(dashboard, action_routes(access, asks))
    return make_app(lambda: (), lambda _accept: (b"", "text/plain"), routes)


FLEETS: dict[str, Callable[[Database], None]] = {"empty": empty, "small": small, "large": large}
