"""The contracts `digestbot/rollout/v1` and `digestbot/rollouts/v1`: how rollouts stand.

They are what `digestbot rollout status --format json` prints, with and without an id. Only
additions are made to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from digestbot.rollout.machine import State, Verb
from digestbot.rollout.progress import TargetState

SCHEMA: Literal["digestbot/rollout/v1"] = "digestbot/rollout/v1"
LIST_SCHEMA: Literal["digestbot/rollouts/v1"] = "digestbot/rollouts/v1"
# Pydantic reads the sentence below each field into the schema.
_DOCUMENTED = {"use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True)
class RolloutWait:
    """What it waits for, or does next."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    reason: str
    """A stable slug: that of the gate, as `soaking`, or the state, as `paused`."""
    message: str
    until: str | None
    """When it is worth another look, in UTC; null where that is not known."""


@dataclass(frozen=True, slots=True)
class RolloutMove:
    """An image, and the digest that it gets."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    image: str
    platform: str | None
    digest: str
    to: str | None
    """The tag that pins follow afterwards; null for the same."""
    moved_to: str | None
    """What the tag has now, where it moved after the plan was made; that changes nothing here."""
    moved_at: str | None
    """Since when, in UTC."""


@dataclass(frozen=True, slots=True)
class RolloutWave:
    """A wave, and how many of its repos are where; each is counted once."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    wave: int
    """From 0; the canary is the first."""
    is_begun: bool
    repos: int
    waiting: int
    pending: int
    green: int
    unknown: int
    """Open, and nothing checks it."""
    red: int
    """A check fails that did not before, or nothing could be proposed."""
    blocked: int
    merged: int
    left: int
    """Not asked any more."""


@dataclass(frozen=True, slots=True)
class RolloutBurn:
    """How many repos were where at one moment."""

    at: str
    waiting: int
    open: int
    merged: int
    left: int


@dataclass(frozen=True, slots=True)
class RolloutCheck:
    """A check that fails and did not before."""

    name: str
    repos: list[str]


@dataclass(frozen=True, slots=True)
class RolloutStraggler:
    """A repo that somebody has to see to."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    repo: str
    wave: int
    state: TargetState
    why: str
    who: str
    """Whose turn it is."""
    act: str
    """What they can do."""
    number: int | None
    url: str | None
    opened_at: str | None


@dataclass(frozen=True, slots=True)
class RolloutLeft:
    """Repos that have one reason in common."""

    why: str
    repos: list[str]


@dataclass(frozen=True, slots=True)
class RolloutTarget:
    """A repo, as it is now."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    repo: str
    wave: int
    state: TargetState
    why: str
    number: int | None
    url: str | None
    failing: list[str]
    """The checks that fail, and did not on the base commit."""
    is_adopted: bool
    """The pull request is somebody else's."""
    opened_at: str | None
    ended_at: str | None


@dataclass(frozen=True, slots=True)
class RolloutEvent:
    """Something that happened."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    at: str
    verb: Verb
    by: str
    """Who did it; empty where it came by itself."""
    reason: str
    repo: str


@dataclass(frozen=True, slots=True)
class RolloutVerb:
    """What a person may have it do now."""

    verb: Verb
    meaning: str
    command: str


@dataclass(frozen=True, slots=True)
class RolloutReport:
    """How one rollout stands: from the state alone, nobody is asked."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    schema: Literal["digestbot/rollout/v1"]
    version: str
    """The version of digestbot."""
    at: str
    """When the state was read, in UTC."""
    id: str
    state: State
    meaning: str
    """The state in a sentence."""
    since: str
    """When it got into its state; when it was planned, before it was started."""
    waits: RolloutWait
    wave: int
    """The one under way, from 0; what came before it is through."""
    planned_at: str
    planned_by: str
    started_at: str | None
    fleet: int
    """How many repos there are in all."""
    repos: int
    """How many of them it is about."""
    counts: dict[TargetState, int]
    """How many repos are where."""
    p50_s: int | None
    """Within so many seconds half of what is merged was merged; null where nothing is."""
    p90_s: int | None
    pace: float
    """How fast it goes, from 0 to 1 of what it may; less after the forge said it was too much."""
    issue: int | None
    """The number of its tracking issue."""
    moves: list[RolloutMove]
    waves: list[RolloutWave]
    failing: list[RolloutCheck]
    """What fails in most repos first."""
    stragglers: list[RolloutStraggler]
    """What fails or is blocked, and what is open for a day or longer; the longest first."""
    left: list[RolloutLeft]
    held_up: list[RolloutLeft]
    """Whose turn has come, and what keeps them from having a pull request."""
    went_back: list[RolloutLeft]
    """Who was merged and pins an older digest again."""
    verbs: list[RolloutVerb]
    events: list[RolloutEvent]
    burndown: list[RolloutBurn]
    """From its start until it was over, or now; empty before."""
    targets: list[RolloutTarget]
    back: list[RolloutTarget]
    """What became of the way back, where it is rolled back."""


@dataclass(frozen=True, slots=True)
class RolloutsItem:
    """A rollout in the list."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    id: str
    state: State
    image: str
    wave: int
    """The one under way, from 0."""
    waves: int
    repos: int
    merged: int
    since: str
    """When it got into its state, in UTC."""
    planned_at: str
    planned_by: str


@dataclass(frozen=True, slots=True)
class RolloutsReport:
    """The last rollouts, the newest first."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    schema: Literal["digestbot/rollouts/v1"]
    version: str
    at: str
    """When the state was read, in UTC."""
    total: int
    """How many there are; the list has up to 50 of them."""
    rollouts: list[RolloutsItem]


def rollout_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one rollout; unknown keys are allowed, for additions."""
    return _schema(RolloutReport, SCHEMA, "how a rollout stands, as digestbot rollout status ID")


def rollouts_schema() -> dict[str, Any]:
    """The JSON Schema of the list; see `rollout_schema`."""
    return _schema(RolloutsReport, LIST_SCHEMA, "the rollouts, as digestbot rollout status")


def _schema(record: type[object], name: str, meaning: str) -> dict[str, Any]:
    from pydantic import TypeAdapter  # noqa: PLC0415 - only who wants the schema pays for it

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": name,
        **TypeAdapter(record).json_schema(mode="serialization"),
        "title": f"{name}: {meaning} --format json tells it",
    }
