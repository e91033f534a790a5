"""What the overview shows: the contract of its JSON twin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

_DOCUMENTED = {"use_attribute_docstrings": True}

NeedKind = Literal[
    "not-ready", "target", "cycle", "rollout", "denied", "lookups", "repos", "held", "proposals"
]


@dataclass(frozen=True, slots=True)
class OverviewExample:
    """One of the things that a need is about."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    label: str
    """What it is called."""
    detail: str
    """What is to be said of it, or nothing."""
    since: str | None
    """Since when it is so, in UTC, where that is known."""
    path: str | None
    """Its page of the dashboard."""
    url: str | None
    """Its page on the forge; null where it is not on the host of its repo."""


@dataclass(frozen=True, slots=True)
class OverviewNeed:
    """Something that needs somebody, and the one thing to do about it."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    kind: NeedKind
    """`not-ready`: the service. `target`: its repos cannot be listed. `cycle`: the last one broke
    off. `rollout`: one halted, is paused, or somebody went back. `denied`: digests of the `deny`
    list are in use. `lookups`: images cannot be looked up, for one cause. `repos`: not all could be
    done in them, for one cause. `held`: updates that stay held until somebody decides.
    `proposals`: pull requests that wait for too long."""
    code: str
    """A stable slug of the cause; of `held` the reason. Empty where the kind says all."""
    message: str
    """What is so, in a sentence."""
    advice: str
    """What to do, in a sentence; empty where nobody knows."""
    count: int
    """How many things it is about."""
    since: str | None
    """Since when the first of them is so, in UTC, where that is known."""
    path: str
    """Where all of it can be seen, with its filters: a path of the dashboard."""
    examples: list[OverviewExample]
    """The first few of them."""


@dataclass(frozen=True, slots=True)
class OverviewTotals:
    """How large the fleet is, and how it stands."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    repos: int
    """Repos that are worked on."""
    settled: int
    """How many of them were worked on once, at least."""
    images: int
    """Distinct tags, per platform, that they follow."""
    current: int
    """Pins that are what their tag has."""
    stale: int
    """Pins that are behind."""
    held: int
    """Pins that are behind, and whose update policy holds back for now."""
    failed: int
    """Image references of which nobody could say what their tag has."""
    fresh_percent: int | None
    """The share of current pins among the current, stale and held ones, rounded down; null
    without any."""
    open_proposals: int


@dataclass(frozen=True, slots=True)
class OverviewCycle:
    """When everything was and will be looked at."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    last_success: str | None
    """When a cycle last came to its end, in UTC; null where none did."""
    next: str | None
    """When the next one begins, by the timetable or because something held is due; null for
    never."""
    running_id: str | None
    """The run that is under way; null where none is."""
    running_since: str | None


@dataclass(frozen=True, slots=True)
class OverviewTally:
    """How fresh the fleet was at a time."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    at: str
    """In UTC."""
    current: int
    stale: int
    held: int
    failed: int
    p50_s: int | None
    """For so many seconds half of the stale and held pins were behind, at most; null without."""
    p90_s: int | None
    """The same of nine tenths of them."""


@dataclass(frozen=True, slots=True)
class OverviewBucket:
    """How many pins are behind for about that long."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    label: str
    """As people read it: `2 to 4 days`."""
    above_s: int
    """For so many seconds or longer."""
    below_s: int | None
    """For less than so many; null for any number."""
    pins: int
    at_least: int
    """How many of them may be behind for longer: what they pin was never seen as the tag's."""
    is_late: bool
    """Whether that is beyond the target."""


@dataclass(frozen=True, slots=True)
class OverviewMove:
    """A tag that moved, as it did last."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    image_id: int
    image: str
    """With its tag: `docker.io/library/python:3.12`."""
    platform: str
    """Where one is followed; else empty."""
    old_digest: str
    new_digest: str
    at: str
    """When the new digest was first seen, in UTC."""
    times: int
    """How often it moved in these days."""
    repos_on_old: int
    """How many repos pin the old digest still."""


@dataclass(frozen=True, slots=True)
class OverviewView:
    """What needs somebody, and how the fleet stands."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    phase: Literal["new", "first", "on"]
    """`new`: no cycle began yet. `first`: none came to its end yet. `on`: one did."""
    needs: list[OverviewNeed]
    """What needs somebody, the worst first; empty where nothing does. There are up to 5 causes of
    a kind."""
    more_causes: int
    """How many causes of failing lookups and of problems in repos there are beyond these."""
    settling: int
    """How many images have updates that are held back and come by themselves."""
    totals: OverviewTotals
    cycle: OverviewCycle
    days: int
    """How many days the tallies go back."""
    tallies: list[OverviewTally]
    """How fresh the fleet was, the oldest first: one an hour, and fewer for more days."""
    target: str
    """How long a pin may be behind, as it is configured: `7 days`."""
    target_s: int
    """The same in seconds."""
    behind: list[OverviewBucket]
    """The stale and held pins by how long they are behind."""
    behind_unknown: int
    """How many of them nobody knows that of."""
    moved: int
    """How many images moved in the last 7 days."""
    moves: list[OverviewMove]
    """Those that moved last, the newest first."""
