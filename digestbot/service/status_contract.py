"""The contract `digestbot/status/v1`: what `digestbot status --format json` prints.

Only additions are made to it. The records are plain dataclasses; only the JSON Schema of the
contract needs pydantic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from digestbot.policy.finding import Status
from digestbot.report.contract import ScanError

SCHEMA: Literal["digestbot/status/v1"] = "digestbot/status/v1"
# Pydantic reads the sentence below each field into the schema.
_DOCUMENTED = {"use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True)
class StatusSummary:
    """How large the fleet is, and when it is looked at."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    repos: int
    """Repos that are worked on."""
    left_out: int
    """Repos that are listed and not touched."""
    gone: int
    """Repos that were there once."""
    images: int
    """Distinct tags, per platform, that pins follow."""
    last_success: str | None
    """When a run last came to its end, in UTC: `2026-11-21T03:04:05Z`; null where none did."""
    next_cycle: str | None
    """When the next cycle begins, as the configuration says; null where never."""


@dataclass(frozen=True, slots=True)
class StatusFreshness:
    """How many of the pins that are followed are what their tag has now."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    current: int
    stale: int
    held: int
    """There is an update, and policy holds it back for now."""
    oldest_stale_since: str | None
    """Since when the tag of the oldest stale pin has had another digest, in UTC."""


@dataclass(frozen=True, slots=True)
class StatusTotals:
    """How many there are of what the lists hold up to 100 of."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    denied: int
    failing: int
    troubled: int
    held: int
    open_proposals: int


@dataclass(frozen=True, slots=True)
class StatusRun:
    """One run."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    id: str
    """As the logs name it."""
    kind: str
    state: str
    """`running`, `done`, `incomplete`, `failed`, `stopped` or `lost`."""
    started_at: str
    finished_at: str | None
    duration_s: float | None
    counts: dict[str, int]
    errors: list[ScanError]
    """The first few of them; `counts.problems` says how many there were."""


@dataclass(frozen=True, slots=True)
class StatusDenied:
    """A digest of the configured `deny` list that something pins."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    digest: str
    places: int
    repos: int
    examples: list[str]
    """Some of the places: `acme/app Dockerfile:3`."""


@dataclass(frozen=True, slots=True)
class StatusFailing:
    """Lookups at one registry that fail for one cause."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    host: str
    code: str
    """A stable slug, as in the errors of `digestbot/scan/v1`."""
    images: int
    example: str
    """One of the images."""
    message: str
    since: str
    """Since when the first of them has failed, in UTC."""


@dataclass(frozen=True, slots=True)
class StatusTroubled:
    """A repo of which not everything could be found out or done."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    repo: str
    errors: list[ScanError]


@dataclass(frozen=True, slots=True)
class StatusHeld:
    """Updates of one image that are held back for one reason."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    image: str
    reason: str
    """A stable slug."""
    message: str
    places: int
    repos: int
    until: str | None
    """When it is looked at again, in UTC; null where that is not known."""
    needs_somebody: bool
    """Whether it stays held until somebody decides, or sees to the image."""


@dataclass(frozen=True, slots=True)
class StatusProposal:
    """An open proposal."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    repo: str
    branch: str
    title: str
    number: int | None
    url: str | None
    opened_at: str | None


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What `digestbot status --format json` prints: from the state alone, nobody is asked."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    schema: Literal["digestbot/status/v1"]
    version: str
    """The version of digestbot."""
    at: str
    """When the state was read, in UTC."""
    summary: StatusSummary
    freshness: StatusFreshness
    findings: dict[Status, int]
    """How many image references have each status."""
    proposals: dict[str, int]
    """How many proposals are in each state."""
    totals: StatusTotals
    runs: list[StatusRun]
    """The last ones, the newest first."""
    denied: list[StatusDenied]
    failing: list[StatusFailing]
    """The one that has failed for longest first."""
    troubled: list[StatusTroubled]
    held: list[StatusHeld]
    """What somebody has to decide first."""
    open_proposals: list[StatusProposal]
    """The one that has been open for longest first."""


def status_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the contract; unknown keys are allowed, for additions."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - only who wants the schema pays for it

    schema = TypeAdapter(StatusReport).json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        **schema,
        "title": f"{SCHEMA}: the report of digestbot status --format json",
    }
