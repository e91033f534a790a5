"""The state of the fleet in numbers, as metrics show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime

from digestbot.rollout.progress import TargetState
from digestbot.store import findings, images, proposals, repos, rollouts, runs
from digestbot.store.database import Database

MOST_ROLLOUTS = 20
"""So many have series of their own; each has one for each state that a repo can be in."""


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
        rollouts: The state of each rollout with something left to do, of the last so many.
        targets: How many of its repos are in each state, by rollout and state.
    """

    repos: Mapping[str, int] = field(default_factory=dict)
    findings: Mapping[str, int] = field(default_factory=dict)
    proposals: Mapping[str, int] = field(default_factory=dict)
    fresh_ratio: float | None = None
    oldest_stale: datetime | None = None
    images_failing: int = 0
    last_success: datetime | None = None
    rollouts: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[tuple[str, ...], int] = field(default_factory=dict)


def read_figures(database: Database) -> Figures:
    """The figures of now, all of the same moment.

    Raises:
        StoreError: The state cannot be read.
    """
    with database.reading() as connection:
        freshness = findings.freshness(connection)
        rolling = rollouts.under_way(connection, MOST_ROLLOUTS)
        return Figures(
            repos=asdict(repos.count(connection)),
            findings={one.value: count for one, count in findings.counts(connection).items()},
            proposals=proposals.counts(connection),
            fresh_ratio=freshness.ratio,
            oldest_stale=freshness.oldest_stale_since,
            images_failing=len(images.failing(connection)),
            last_success=runs.last_success(connection),
            rollouts={one.id: one.state.value for one in rolling},
            targets={
                (one.id, state.value): one.counts.get(state, 0)
                for one in rolling
                for state in TargetState
            },
        )


def read_last_success(database: Database) -> datetime | None:
    """When a cycle last came to its end; None before the first.

    Raises:
        StoreError: The state cannot be read.
    """
    with database.reading() as connection:
        return runs.last_success(connection)
