"""The contract `digestbot/scan/v1`: what the JSON report holds. Only additions are made to it.

The records are plain dataclasses, so that writing a report needs no pydantic; only the JSON
Schema of the contract does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from digestbot.policy.finding import Status

SCHEMA: Literal["digestbot/scan/v1"] = "digestbot/scan/v1"
# Pydantic reads the sentence below each field into the schema.
_DOCUMENTED = {"use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True)
class ScanSummary:
    """How much was read, asked and found."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    files: int
    """Files that were read."""
    occurrences: int
    """Image references that were found; the counts below add up to it."""
    current: int
    stale: int
    unpinned: int
    held: int
    skipped: int
    failed: int
    lookups: int
    """Distinct questions that registries were asked."""


@dataclass(frozen=True, slots=True)
class ScanEdit:
    """Bytes of a file to replace."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    path: str
    start: int
    """Offset in bytes of the first byte to replace."""
    end: int
    """Offset in bytes behind the last byte to replace; equal to `start` for an insertion."""
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ScanFinding:
    """One image reference in one file, with its verdict."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    repo: str | None
    """The git repository; null for a scan of local files."""
    path: str
    """From the root of the repository, or from the folder that was scanned from."""
    line: int
    """Counts from 1."""
    column: int
    """Counts Unicode characters, from 1."""
    format: str
    kind: str
    """What refers to the image; in a Dockerfile: from, copy, mount, syntax, onbuild-…"""
    written: str
    """The reference as it stands in the file."""
    image: str | None
    """Registry and repository, spelled out; null where the text is no reference."""
    tag: str | None
    """The tag that is followed; null where there is none to follow."""
    digest: str | None
    """The digest that is pinned."""
    platform: str | None
    """The one platform whose digest is followed, where a comment asks for one."""
    status: Status
    reason: str
    """A stable slug, one per cause."""
    message: str
    new_tag: str | None
    new_digest: str | None
    """The digest to take: what the tag has now, or the newest that is not held back."""
    edits: list[ScanEdit]
    """What would bring the file up to date; empty where nothing would, or safely could."""
    until: str | None = None
    """When what is held back is to be looked at again, in UTC; null where that is not known."""


@dataclass(frozen=True, slots=True)
class ScanError:
    """Something that made the scan incomplete."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    scope: str
    """`registry`, `file` or `repo`."""
    subject: str
    """The host, the path or the repository."""
    code: str
    """A stable slug."""
    message: str
    hint: str
    """What to do about it; may be empty."""
    repo: str | None = None
    """The git repository that the file is in; null for a scan of local files."""


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What `digestbot scan --format json` prints."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    schema: Literal["digestbot/scan/v1"]
    version: str
    """The version of digestbot."""
    started_at: str
    """When the scan began, in UTC: `2026-11-21T03:04:05Z`."""
    duration_s: float
    summary: ScanSummary
    findings: list[ScanFinding]
    """In the order of repository, path, then place in the file."""
    errors: list[ScanError]
    """Where this is not empty, the findings are not all that could be known."""


def scan_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the contract; unknown keys are allowed, for additions."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - only who wants the schema pays for it

    schema = TypeAdapter(ScanReport).json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        **schema,
        "title": f"{SCHEMA}: the report of digestbot scan --format json",
    }
