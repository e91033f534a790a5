"""The report for programs: JSON by the contract `digestbot/scan/v1`.

Everything beyond ASCII is escaped, so the report is also safe to look at in a terminal.
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from digestbot import __version__
from digestbot.policy.finding import Finding, Status
from digestbot.policy.judge import followed_tag
from digestbot.report.contract import (
    SCHEMA,
    ScanEdit,
    ScanError,
    ScanFinding,
    ScanReport,
    ScanSummary,
)
from digestbot.report.plain import well_formed
from digestbot.report.style import Style
from digestbot.scan.result import Problem, ScanResult

_DELETE = "\x7f"


def render(result: ScanResult, _style: Style, /) -> str:
    """The report as JSON, keys in the order of the contract, each finding on one line."""
    return as_json(report(result))


def as_json(record: Any) -> str:  # noqa: ANN401 - the root of any contract
    """A record as JSON, each item of its lists on one line."""
    rows = ",\n".join(f'  "{key}": {_value(value)}' for key, value in _fields(record).items())
    # The one control character that JSON lets through as it is.
    return f"{{\n{rows}\n}}\n".replace(_DELETE, "\\u007f")


def _value(value: object) -> str:
    if not isinstance(value, list) or not value:
        return json.dumps(value, default=_fields)
    lines = ",\n".join(f"    {json.dumps(item, default=_fields)}" for item in value)
    return f"[\n{lines}\n  ]"


def _fields(record: Any) -> dict[str, object]:  # noqa: ANN401 - any record of the contract
    return {field.name: getattr(record, field.name) for field in fields(record)}


def report(result: ScanResult) -> ScanReport:
    """The scan in the terms of the contract."""
    return ScanReport(
        schema=SCHEMA,
        version=__version__,
        started_at=utc_text(result.started_at),
        duration_s=round(result.duration_s, 3),
        summary=_summary(result),
        findings=[_finding(finding) for finding in result.findings],
        errors=[error_of(problem) for problem in result.problems],
    )


def _summary(result: ScanResult) -> ScanSummary:
    return ScanSummary(
        files=result.files,
        occurrences=len(result.findings),
        current=result.count(Status.CURRENT),
        stale=result.count(Status.STALE),
        unpinned=result.count(Status.UNPINNED),
        held=result.count(Status.HELD),
        skipped=result.count(Status.SKIPPED),
        failed=result.count(Status.FAILED),
        lookups=result.lookups,
    )


def _finding(finding: Finding) -> ScanFinding:
    occurrence = finding.occurrence
    reference, platform = occurrence.reference, occurrence.steering.platform
    followed = followed_tag(occurrence)
    return ScanFinding(
        repo=well_formed(finding.repo) or None,
        path=well_formed(occurrence.path),
        line=occurrence.line,
        column=occurrence.column,
        format=occurrence.format,
        kind=occurrence.kind,
        written=well_formed(occurrence.written),
        image=reference.image if reference else None,
        tag=followed.tag if followed else None,
        digest=str(reference.digest) if reference and reference.digest else None,
        platform=str(platform) if platform else None,
        status=finding.status,
        reason=finding.reason,
        message=well_formed(finding.message),
        new_tag=finding.new_tag,
        new_digest=str(finding.new_digest) if finding.new_digest else None,
        edits=[
            ScanEdit(well_formed(edit.path), edit.start, edit.end, edit.old, edit.new)
            for edit in finding.edits
        ],
        until=utc_text(finding.until) if finding.until else None,
    )


def utc_text(moment: datetime) -> str:
    """A moment as the contracts have it: `2026-11-21T03:04:05Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def error_of(problem: Problem) -> ScanError:
    """A problem in the terms of the contract."""
    return ScanError(
        scope=problem.scope,
        subject=well_formed(problem.subject),
        code=problem.code,
        message=well_formed(problem.message),
        hint=well_formed(problem.hint),
        repo=well_formed(problem.repo) or None,
    )
