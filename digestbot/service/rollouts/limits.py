"""What a plan may be started with, without anybody saying why: pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from digestbot.rollout.plan import Plan

FRESH: Final = timedelta(days=1)
"""A plan that is older may no longer be what is so."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a rollout may reach: the share of the fleet, and how many repos."""

    share: float = 0.3
    repos: int = 1000


def objections(plan: Plan, now: datetime, limits: Limits) -> list[str]:
    """Why a plan is not started just so, each in a sentence; none where it may be."""
    found = []
    if now - plan.made_at > FRESH:
        found.append("The plan is older than a day.")
    if plan.share > limits.share:
        told = f"{plan.share:.0%} of the fleet, and {limits.share:.0%} are the most"
        found.append(f"It reaches {told}.")
    if len(plan.targets) > limits.repos:
        found.append(f"It reaches {len(plan.targets):,} repos, and {limits.repos:,} are the most.")
    return found
