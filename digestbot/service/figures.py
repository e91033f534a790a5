"""The state of the fleet in numbers, as metrics show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """What the state says at one moment.

    Attributes:
        repos: How many there are, by state.
        findings: How many there are, by status.
        proposals: How many there are, by state.
        current: Followed pins that are what their tag is now.
        followed: All pins whose tag is followed.
        oldest_stale: Since when the pin that is stale for the longest time is; None without any.
        images_failing: Images that registries give no answer about.
        last_success: When a cycle last did all it should.
    """

    repos: Mapping[str, int] = field(default_factory=dict)
    findings: Mapping[str, int] = field(default_factory=dict)
    proposals: Mapping[str, int] = field(default_factory=dict)
    current: int = 0
    followed: int = 0
    oldest_stale: datetime | None = None
    images_failing: int = 0
    last_success: datetime | None = None
