"""The contract `digestbot/update/v1`: what the JSON report of an update holds.

Only additions are made to it. The records are plain dataclasses, so that writing a report
needs no pydantic; only the JSON Schema of the contract does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from digestbot.proposals.outcome import Outcome
from digestbot.report.contract import ScanError

SCHEMA: Literal["digestbot/update/v1"] = "digestbot/update/v1"
# Pydantic reads the sentence below each field into the schema.
_DOCUMENTED = {"use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True)
class UpdateSummary:
    """How many repos there were, and what became of their proposals."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    repos: int
    """Every repo of the targets."""
    left_out: int
    """Repos in which nothing was tried."""
    current: int
    """Repos in which nothing is to be proposed."""
    incomplete: int
    """Repos of which not everything could be found out or done."""
    outcomes: dict[Outcome, int]
    """How many proposals ended so; what did not happen is left away."""
    lookups: int
    """Distinct questions that registries were asked."""
    calls: int | None
    """Requests that forges were sent; null where they are not counted."""
    denied: int = 0
    """Image references whose digest is on the deny list."""
    held: int = 0
    """Image references whose update is held back."""


@dataclass(frozen=True, slots=True)
class LeftOutReason:
    """Why nothing was tried in a repo."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    reason: str
    """A stable slug."""
    message: str


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file in which no image could be looked for."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    path: str
    reason: str
    """A stable slug."""
    message: str


@dataclass(frozen=True, slots=True)
class NotedImage:
    """An image reference that somebody should know of."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    path: str
    line: int
    """Counts from 1."""
    image: str
    """Registry and repository, spelled out, with the tag that is followed."""
    digest: str | None
    """The digest that is pinned."""
    reason: str
    """A stable slug."""
    message: str
    until: str | None
    """When it is to be looked at again, in UTC; null where that is not known."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be written, with --dry-run."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    title: str
    """Empty where it stays as it is; so of the others."""
    body: str
    """Markdown."""
    diff: str
    """What git apply takes; bytes that are not UTF-8 are escaped."""


@dataclass(frozen=True, slots=True)
class UpdateProposal:
    """One proposal, and what became of it."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    branch: str
    outcome: Outcome
    """With --dry-run, what would become of it."""
    message: str
    title: str
    number: int | None
    """Of the pull request; null where there is none."""
    url: str | None
    preview: Preview | None
    """Null without --dry-run, or where nothing would be written."""


@dataclass(frozen=True, slots=True)
class UpdateRepo:
    """One repo."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    repo: str
    url: str | None
    left_out: LeftOutReason | None
    """Null where the repo was worked on."""
    incomplete: bool
    """Whether `errors` says something of it, or of a registry that it needed."""
    occurrences: int
    """Image references that were found."""
    stale: int
    failed: int
    """Image references of which nobody could say whether they are stale."""
    writes: int
    """Steps that changed the forge; with --dry-run, that would."""
    notices: list[str]
    """What is worth knowing, and no failure."""
    skipped: list[SkippedFile]
    """Links, submodules, files that are too large or no Dockerfiles after all: no failures."""
    proposals: list[UpdateProposal]
    denied: list[NotedImage] = field(default_factory=list)
    """Image references whose digest is on the deny list, whether an update is proposed or not."""
    held: list[NotedImage] = field(default_factory=list)
    """Image references whose update is held back."""


@dataclass(frozen=True, slots=True)
class UpdateReport:
    """What `digestbot update --format json` prints."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    schema: Literal["digestbot/update/v1"]
    version: str
    """The version of digestbot."""
    started_at: str
    """When the update began, in UTC: `2026-11-21T03:04:05Z`."""
    duration_s: float
    dry_run: bool
    summary: UpdateSummary
    repos: list[UpdateRepo]
    """In the order of the targets, and of the names in each."""
    errors: list[ScanError]
    """Where this is not empty, something could not be found out or done."""


def update_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the contract; unknown keys are allowed, for additions."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - only who wants the schema pays for it

    schema = TypeAdapter(UpdateReport).json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        **schema,
        "title": f"{SCHEMA}: the report of digestbot update --format json",
    }
