"""The report for code scanning: SARIF 2.1.0."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import quote_from_bytes

from digestbot import __version__
from digestbot.files.edit import Edit
from digestbot.policy.finding import Finding, Status
from digestbot.report.plain import name_of, one_line, path_bytes
from digestbot.report.repos import in_one_tree
from digestbot.report.sarif_rules import PROJECT, RULES
from digestbot.report.style import Style
from digestbot.report.summary import needs_attention, word_for
from digestbot.scan.result import Problem, ScanResult

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_ROOT = "%SRCROOT%"
_FINGERPRINT = "digestbot/reference/v1"
# In a message, braces hold placeholders and brackets hold links (sections 3.11.5 and 3.11.6).
_LITERALLY = str.maketrans({"\\": r"\\", "[": r"\[", "]": r"\]", "{": "{{", "}": "}}"})
# Text in which these stand may have been spliced from several lines, or unescaped.
_ESCAPES = frozenset("\\`")


def render(result: ScanResult, _style: Style, /) -> str:
    """The report as one run; what is current, or was put right by this run, is no result."""
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(in_one_tree(result))]}
    return json.dumps(log, indent=2) + "\n"


def _run(result: ScanResult) -> dict[str, Any]:
    return {
        "tool": {
            "driver": {
                "name": "digestbot",
                "version": __version__,
                "semanticVersion": __version__,
                "informationUri": PROJECT,
                "rules": [rule.as_sarif() for rule in RULES.values()],
            }
        },
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The folder scanned from."}}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(result)],
        "results": list(_results(result)),
    }


def _invocation(result: ScanResult) -> dict[str, Any]:
    end = result.started_at + timedelta(seconds=result.duration_s)
    return {
        "executionSuccessful": not result.problems and not result.count(Status.FAILED),
        "startTimeUtc": _utc(result.started_at),
        "endTimeUtc": _utc(end),
        "toolExecutionNotifications": [_notification(problem) for problem in result.problems],
    }


def _notification(problem: Problem) -> dict[str, Any]:
    hint = f" (hint: {problem.hint})" if problem.hint else ""
    notification: dict[str, Any] = {
        "descriptor": {"id": one_line(problem.code)},
        "level": "error",
        "message": _message(f"{problem.subject}: {problem.message}{hint}"),
    }
    if problem.scope == "file":
        place = {"artifactLocation": _artifact(problem.subject)}
        notification["locations"] = [{"physicalLocation": place}]
    return notification


def _results(result: ScanResult) -> Iterator[dict[str, Any]]:
    """The results in the order of the findings.

    The ordinal counts current findings too: an image keeps its fingerprint while others
    around it are updated.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    indexes = {word: index for index, word in enumerate(RULES)}
    for finding in result.findings:
        identity = _identity(finding)
        seen[identity] += 1
        if needs_attention(result, finding):
            word = word_for(result, finding)
            yield {
                "ruleId": RULES[word].id,
                "ruleIndex": indexes[word],
                "level": RULES[word].level,
                "message": _message(_sentence(finding)),
                "locations": [{"physicalLocation": _location(finding)}],
                "partialFingerprints": {_FINGERPRINT: _hash((*identity, str(seen[identity])))},
                **_optional(finding),
            }


def _optional(finding: Finding) -> dict[str, Any]:
    properties = {"reason": one_line(finding.reason)}
    if finding.until is not None:
        properties["until"] = _utc(finding.until)
    parts: dict[str, Any] = {"properties": properties}
    if finding.edits:
        parts["fixes"] = [_fix(finding)]
    if finding.reason == "ignored":
        kind = "inSource" if finding.occurrence.steering.ignore else "external"
        parts["suppressions"] = [{"kind": kind, "justification": one_line(finding.message)}]
    return parts


def _sentence(finding: Finding) -> str:
    hint = f" (hint: {finding.hint})" if finding.hint else ""
    return (finding.message or f"{name_of(finding)} is {finding.status}") + hint


def _location(finding: Finding) -> dict[str, Any]:
    occurrence = finding.occurrence
    written = occurrence.written
    region = {"startLine": max(occurrence.line, 1), "startColumn": max(occurrence.column, 1)}
    if written and written.isprintable() and _ESCAPES.isdisjoint(written):
        region["endColumn"] = region["startColumn"] + len(written)
    return {"artifactLocation": _artifact(occurrence.path), "region": region}


def _artifact(path: str) -> dict[str, str]:
    uri = quote_from_bytes(path_bytes(path), safe="/")
    return {"uri": f"file://{uri}"} if path.startswith("/") else {"uri": uri, "uriBaseId": _ROOT}


def _fix(finding: Finding) -> dict[str, Any]:
    digest = finding.new_digest.short if finding.new_digest else "the digest it has now"
    changes = [
        {"artifactLocation": _artifact(path), "replacements": _replacements(edits)}
        for path, edits in groupby(sorted(finding.edits), key=lambda edit: edit.path)
    ]
    text = f"Pin {name_of(finding)} to {digest}"
    return {"description": _message(text), "artifactChanges": changes}


def _replacements(edits: Iterable[Edit]) -> list[dict[str, Any]]:
    return [
        {
            "deletedRegion": {"byteOffset": edit.start, "byteLength": edit.end - edit.start},
            "insertedContent": {"text": edit.new},
        }
        for edit in edits
    ]


def _identity(finding: Finding) -> tuple[str, ...]:
    """What makes a result the same one after lines moved and the digest changed."""
    occurrence = finding.occurrence
    return occurrence.path, occurrence.kind, name_of(finding)


def _hash(parts: tuple[str, ...]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _message(text: str) -> dict[str, str]:
    return {"text": one_line(text).translate(_LITERALLY)}


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
