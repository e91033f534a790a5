"""What speaks against starting a plan as it is, and how somebody says that it is right: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from digestbot.rollout.plan import Plan

OLD: Final = timedelta(days=1)
OLDER, LARGE, CHANGED = "older", "large", "changed"
_SHOWN = 3
_Pins: TypeAlias = Mapping[str, Counter[tuple[str, str, str]]]


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a plan may reach without a word: a share of all repos, and a number of them."""

    most_share: float = 0.3
    most_repos: int = 1000


@dataclass(frozen=True, slots=True)
class Objection:
    """Something that speaks against it: a stable slug, by which it is overridden; a sentence."""

    slug: str
    message: str


def objections(plan: Plan, again: Plan, limits: Limits, now: datetime) -> tuple[Objection, ...]:
    """What speaks against starting a plan; `again` is what the same choice comes to now."""
    found = [_older(plan, now), large(plan, limits), _changed(plan, again)]
    return tuple(one for one in found if one is not None)


def large(plan: Plan, limits: Limits) -> Objection | None:
    """That it reaches further than a plan may without a word."""
    reach = f"the plan reaches {len(plan.targets):,} of {plan.fleet:,} repos"
    if len(plan.targets) > limits.most_repos:
        return Objection(LARGE, f"{reach}; more than {limits.most_repos:,} is large")
    if plan.share > limits.most_share:
        return Objection(LARGE, f"{reach}; more than {limits.most_share:.0%} of all is large")
    return None


def _older(plan: Plan, now: datetime) -> Objection | None:
    age = now - plan.made_at
    if age <= OLD:
        return None
    hours = age // timedelta(hours=1)
    told = f"{age.days} days" if age.days > 1 else f"{hours} hours"
    return Objection(OLDER, f"the plan is {told} old; after a day it is better made again")


def _changed(plan: Plan, again: Plan) -> Objection | None:
    before, after = _pins(plan), _pins(again)
    parts = [
        *_said("not chosen any more", before.keys() - after.keys()),
        *_said("chosen now, too", after.keys() - before.keys()),
        *_said(
            "pinned to something else",
            (repo for repo in before.keys() & after.keys() if before[repo] != after[repo]),
        ),
    ]
    if not parts:
        return None
    return Objection(CHANGED, f"the repos changed since the plan was made: {'; '.join(parts)}")


def _pins(plan: Plan) -> _Pins:
    """What each repo pins; on which line does not matter."""
    return {
        target.repo: Counter(
            (str(edit.image), str(edit.platform or ""), str(edit.before)) for edit in target.edits
        )
        for target in plan.targets
    }


def _said(what: str, repos: Iterable[str]) -> Iterator[str]:
    names = sorted(repos)
    if names:
        more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
        yield f"{', '.join(names[:_SHOWN])}{more} {'is' if len(names) == 1 else 'are'} {what}"
