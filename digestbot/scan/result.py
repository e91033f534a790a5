"""The outcome of a scan: what was found, and what went wrong on the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from digestbot.policy.finding import Finding, Status
from digestbot.registry.resolution import Resolution


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that made the scan incomplete.

    `scope` is `registry` or `file`; `subject` the host or the path; `code` a stable slug.
    """

    scope: str
    subject: str
    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What the edits of one file make of its bytes; not yet written."""

    path: str
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class ScanResult:
    """Everything a report needs; findings are in the order of path, then place in the file.

    `changes` is the plan: showing it as a diff, writing it, and proposing it are ways to
    spend the same value. `resolutions` are the answers behind the findings; `written` names
    the paths whose change was written.
    """

    started_at: datetime
    duration_s: float
    files: int
    lookups: int
    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    changes: tuple[Change, ...] = ()
    resolutions: tuple[Resolution, ...] = ()
    written: frozenset[str] = frozenset()

    def count(self, status: Status) -> int:
        """How many findings have this status."""
        return Counter(finding.status for finding in self.findings)[status]
