"""The outcome of a scan: what was found, and what went wrong on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from digestbot.policy.finding import Finding, Status
from digestbot.policy.judge import followed_tag
from digestbot.registry.resolution import Query, Resolution


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that made the scan incomplete.

    `scope` is `registry`, `file` or `repo`; `subject` the host, the path or the repo's name;
    `code` a stable slug. `repo` is where the file is; empty for local files.
    """

    scope: str
    subject: str
    code: str
    message: str
    hint: str = ""
    repo: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What the edits of one file make of its bytes; not yet written.

    `repo` is where the file is; empty for local files.
    """

    path: str
    before: bytes
    after: bytes
    repo: str = ""


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

    @property
    def queries(self) -> frozenset[Query]:
        """The distinct questions that registries were asked, answered or not."""
        asked = (one.occurrence for one in self.findings if _was_asked(one))
        tags = ((followed_tag(one), one.steering.platform) for one in asked)
        return frozenset(Query(tag, platform) for tag, platform in tags if tag is not None)

    def of_repo(self, name: str) -> ScanResult:
        """The same, said of a repo on a forge."""
        return replace(
            self,
            findings=tuple(replace(finding, repo=name) for finding in self.findings),
            problems=tuple(
                replace(problem, repo=name) if problem.scope == "file" else problem
                for problem in self.problems
            ),
            changes=tuple(replace(change, repo=name) for change in self.changes),
        )


def merged(
    results: Sequence[ScanResult], problems: Iterable[Problem] = (), *, duration_s: float
) -> ScanResult:
    """Several scans in one run as one result, in the given order.

    What a registry did not answer is one problem, however many scans it hit; a question that
    several of them asked counts as the one lookup it was.
    """
    everything = [*problems, *(one for result in results for one in result.problems)]
    return ScanResult(
        started_at=min((result.started_at for result in results), default=datetime.now(UTC)),
        duration_s=duration_s,
        files=sum(result.files for result in results),
        lookups=len(frozenset().union(*(result.queries for result in results))),
        findings=tuple(one for result in results for one in result.findings),
        problems=tuple(dict.fromkeys(everything)),
        changes=tuple(one for result in results for one in result.changes),
        resolutions=tuple(dict.fromkeys(one for result in results for one in result.resolutions)),
        written=frozenset().union(*(result.written for result in results)),
    )


def _was_asked(finding: Finding) -> bool:
    """A reference without digest is asked about where it is to get one."""
    is_known = finding.status not in {Status.UNPINNED, Status.SKIPPED}
    return is_known or finding.new_digest is not None
