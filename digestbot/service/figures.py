"""The state of the fleet in numbers, as metrics show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime

from digestbot.store import findings, images, proposals, repos, runs
from digestbot.store.database import Database


@dataclass(frozen=True, slots=True)
class Figures:
    """What the state says at one moment.

    Attributes:
        repos: How many there are, by state.
        findings: How many there are, by status.
        proposals: How many there are, by state.
        fresh_ratio: The share of followed pins that are what their tag is now; None without any.
        oldest_stale: Since when the pin that is stale for the longest time is; None without any.
        images_failing: Images that registries give no answer about.
        last_success: When a cycle last came to its end; None before the first.
    """

    repos: Mapping[str, int] = field(default_factory=dict)
    findings: Mapping[str, int] = field(default_factory=dict)
    proposals: Mapping[str, int] = field(default_factory=dict)
    fresh_ratio: float | None = None
    oldest_stale: datetime | None = None
    images_failing: int = 0
    last_success: datetime | None = None


def read_figures(database: Database) -> Figures:
    """The figures of now, all of the same moment.

    Raises:
        StoreError: The state cannot be read.
    """
    with database.reading() as connection:
        freshness = findings.freshness(connection)
        return Figures(
            repos=asdict(repos.count(connection)),
            findings={one.value: count for one, count in findings.counts(connection).items()},
            proposals=proposals.counts(connection),
            fresh_ratio=freshness.ratio,
            oldest_stale=freshness.oldest_stale_since,
            images_failing=len(images.failing(connection)),
            last_success=runs.last_success(connection),
        )


def read_last_success(database: Database) -> datetime | None:
    """When a cycle last came to its end; None before the first.

    Raises:
        StoreError: The state cannot be read.
    """
    with database.reading() as connection:
        return runs.last_success(connection)
