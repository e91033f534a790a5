"""What the page of one rollout shows: the records of its contract.

What `digestbot rollout status` tells, too, has the same names and the same records.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from digestbot.service.rollouts.standing_contract import (
    RolloutBurn,
    RolloutCheck,
    RolloutEvent,
    RolloutLeft,
    RolloutStraggler,
    RolloutVerb,
    RolloutWait,
    RolloutWave,
)

_DOCUMENTED = {"use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True)
class RolloutBefore:
    """A digest that is replaced, and in how many places."""

    digest: str
    pins: int


@dataclass(frozen=True, slots=True)
class RolloutImage:
    """An image, and the digest that it gets, whatever becomes of its tag."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    image: str
    image_id: int | None
    """Null where the dashboard has no page of it."""
    platform: str | None
    digest: str
    to: str | None
    """The tag that pins follow afterwards; null for the same."""
    platforms: list[str]
    created: str | None
    """When the image was built, where it tells."""
    remarks: list[str]
    before: list[RolloutBefore]
    """What is replaced, the most first; a handful at most."""
    others: int
    """How many more digests are replaced."""
    moved_to: str | None
    """What the tag has now, where it moved after the plan was made; that changes nothing here."""
    moved_at: str | None


@dataclass(frozen=True, slots=True)
class RolloutRules:
    """How it is gone about; shares are from 0 to 1."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    chosen: list[str]
    """What was chosen, one condition each."""
    pins: int
    share: float
    """The part of the fleet that it reaches."""
    at_least_s: int
    """So many seconds it takes at least: writing within the limits, and soaking."""
    soak_s: int
    passed: float
    """The share that must be merged or green before the next wave."""
    failed: float
    """The share that may fail; beyond it the rollout halts."""
    needs_approval: bool
    probe: bool
    """Whether a webhook is asked, too."""
    is_critical: bool
    """Nothing soaks."""


@dataclass(frozen=True, slots=True)
class RolloutEdit:
    """One pin, and what it becomes."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    path: str
    line: int
    image: str
    before: str
    after: str
    to: str | None
    """The tag that it follows afterwards; null for the same."""


@dataclass(frozen=True, slots=True)
class RolloutBack:
    """What became of a repo on the way back."""

    state: str
    why: str
    number: int | None
    url: str | None


@dataclass(frozen=True, slots=True)
class RolloutRepo:
    """A repo of a rollout, as it is now."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    repo: str
    repo_id: int | None
    """Null where no target of the configuration has it."""
    wave: int
    state: str
    """`waiting`, `pending`, `green`, `red`, `unknown`, `approved`, `blocked`, `merged`,
    `rejected`, `skipped`, `failed` or `closed`."""
    why: str
    """What blocks or fails it."""
    failing: list[str]
    """The checks that fail, and did not on the base commit."""
    number: int | None
    """Of its pull request."""
    url: str | None
    is_adopted: bool
    """The pull request is somebody else's, and brings the same digest."""
    opened_at: str | None
    ended_at: str | None
    """When it was merged, rejected or left."""
    owner: str
    """Who looks after it, as CODEOWNERS or its organisation has it."""
    edits: list[RolloutEdit]
    back: RolloutBack | None
    """Null where it is not on its way back."""
    verbs: list[str]
    """What the rollout may be told about it, where that helps: `retry`, `skip`."""


@dataclass(frozen=True, slots=True)
class RolloutView:
    """One rollout."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    id: str
    state: str
    """`planned`, `running`, `paused`, `halted`, `watching`, `closed`, `aborted`, `rolling-back`
    or `rolled-back`."""
    meaning: str
    """The state in a sentence."""
    since: str
    """When it got into its state; when it was planned, before it was started."""
    is_live: bool
    """Whether something still happens by itself."""
    waits: RolloutWait
    todo: str
    """What somebody may do about that; empty for nothing."""
    verbs: list[RolloutVerb]
    """What it may be told now, by operators."""
    objections: list[str]
    """Why a plan is not started here, but on the command line, by whoever says why."""
    wave: int
    """The one under way, from 0; what came before it is through."""
    planned_at: str
    planned_by: str
    started_at: str | None
    fleet: int
    """How many repos there are in all."""
    repos: int
    """How many of them it is about."""
    counts: dict[str, int]
    """How many repos are where."""
    back: dict[str, int]
    """On the way back: how many repos are where; empty where it goes forward."""
    p50_s: int | None
    """Within so many seconds half of what is merged was merged; null where nothing is."""
    p90_s: int | None
    pace: float
    """How fast it goes, from 0 to 1 of what it may; less after the forge said it was too much."""
    issue: int | None
    """The number of its tracking issue."""
    rules: RolloutRules
    images: list[RolloutImage]
    waves: list[RolloutWave]
    failing: list[RolloutCheck]
    """What fails in most repos first."""
    stragglers: list[RolloutStraggler]
    """Whom somebody has to see to: what fails or is blocked, and what is open for a day or longer;
    the first of them."""
    stragglers_total: int
    left: list[RolloutLeft]
    """Repos that are not asked, by reason."""
    burndown: list[RolloutBurn]
    """From its start until it was over, or now; empty before."""
    total: int
    """How many repos are asked for, on all pages."""
    targets: list[RolloutRepo]
    """Those of this page, by wave and name."""
    events: list[RolloutEvent]
    """What happened, the newest first; the last of it."""
    events_total: int
