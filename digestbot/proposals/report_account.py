"""What is kept of the outcomes of a run, as they come in, until its report is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from digestbot import __version__
from digestbot.policy.finding import Finding, Status
from digestbot.policy.judge import followed_tag
from digestbot.proposals.outcome import Outcome, RepoOutcome, Verdict
from digestbot.proposals.proposal import Writer
from digestbot.proposals.report_contract import (
    SCHEMA,
    LeftOutReason,
    NotedImage,
    SkippedFile,
    UpdateProposal,
    UpdateRepo,
    UpdateReport,
    UpdateSummary,
)
from digestbot.proposals.report_previews import preview_of
from digestbot.registry.resolution import Query
from digestbot.report.json_v1 import error_of, utc_text
from digestbot.report.plain import well_formed
from digestbot.scan.result import Problem


@dataclass
class Account:
    """Takes outcomes, and keeps no file and no finding of them: there may be thousands.

    Attributes:
        keeps_current: Whether repos where nothing is to be said are listed, and not only counted.
    """

    is_rehearsal: bool = False
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    repos: list[UpdateRepo] = field(default_factory=list)
    problems: dict[Problem, None] = field(default_factory=dict)
    queries: set[Query] = field(default_factory=set)
    keeps_current: bool = True
    quiet: int = 0

    def add(self, outcome: RepoOutcome, writer: Writer | None = None) -> None:
        """Write down what became of a repo; `writer` finds words that no step has."""
        problems = [*_problems(outcome)]
        findings = outcome.result.findings if outcome.result else ()
        self.problems.update(dict.fromkeys(problems))
        if outcome.result is not None:
            self.queries.update(outcome.result.queries)
        proposals = [self._proposal(outcome, verdict, writer) for verdict in outcome.verdicts]
        repo = UpdateRepo(
            repo=well_formed(outcome.name),
            url=well_formed(outcome.url) or None,
            left_out=LeftOutReason(*map(well_formed, outcome.left_out))
            if outcome.left_out
            else None,
            incomplete=bool(problems),
            occurrences=len(findings),
            stale=outcome.result.count(Status.STALE) if outcome.result else 0,
            failed=outcome.result.count(Status.FAILED) if outcome.result else 0,
            writes=len(outcome.steps),
            notices=[*map(well_formed, outcome.notices)],
            skipped=[*_skipped(outcome)],
            proposals=proposals,
            denied=[_noted(finding) for finding in findings if finding.is_denied],
            held=[_noted(finding) for finding in findings if _is_held(finding)],
        )
        if self.keeps_current or not is_current(repo) or repo.notices or repo.skipped:
            self.repos.append(repo)
        else:
            self.quiet += 1

    def fail(self, problem: Problem) -> None:
        """Write down what went wrong with a whole target."""
        self.problems[problem] = None

    def report(
        self, *, duration_s: float, calls: int | None = None, lookups: int | None = None
    ) -> UpdateReport:
        """The report in the terms of the contract.

        Args:
            duration_s: How long it took.
            calls: How often the forge was asked, if that is counted.
            lookups: How many images were looked up, where it was more than in these repos.
        """
        return UpdateReport(
            schema=SCHEMA,
            version=__version__,
            started_at=f"{self.started_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            duration_s=round(duration_s, 3),
            dry_run=self.is_rehearsal,
            summary=self._summary(calls, lookups),
            repos=self.repos,
            errors=[error_of(problem) for problem in self.problems],
        )

    def _summary(self, calls: int | None, lookups: int | None) -> UpdateSummary:
        outcomes = Counter(one.outcome for repo in self.repos for one in repo.proposals)
        return UpdateSummary(
            repos=len(self.repos) + self.quiet,
            left_out=sum(repo.left_out is not None for repo in self.repos),
            current=sum(map(is_current, self.repos)) + self.quiet,
            incomplete=sum(repo.incomplete for repo in self.repos),
            outcomes={outcome: outcomes[outcome] for outcome in Outcome if outcomes[outcome]},
            lookups=len(self.queries) if lookups is None else lookups,
            calls=calls,
            denied=sum(len(repo.denied) for repo in self.repos),
            held=sum(len(repo.held) for repo in self.repos),
        )

    def _proposal(
        self, outcome: RepoOutcome, verdict: Verdict, writer: Writer | None
    ) -> UpdateProposal:
        return UpdateProposal(
            branch=well_formed(verdict.branch),
            outcome=verdict.outcome,
            message=well_formed(verdict.message),
            title=well_formed(verdict.title),
            number=verdict.number or None,
            url=well_formed(verdict.url) or None,
            preview=preview_of(outcome, verdict, writer)
            if self.is_rehearsal or outcome.proposals
            else None,
        )


def is_current(repo: UpdateRepo) -> bool:
    """Whether nothing is to be proposed in a repo, and that is certain."""
    is_noted = repo.denied or repo.held
    return not (repo.left_out or repo.proposals or repo.incomplete or is_noted)


def _is_held(finding: Finding) -> bool:
    return finding.status is Status.HELD and not finding.is_denied


def _noted(finding: Finding) -> NotedImage:
    reference, tag = finding.occurrence.reference, followed_tag(finding.occurrence)
    return NotedImage(
        path=well_formed(finding.occurrence.path),
        line=finding.occurrence.line,
        image=well_formed(
            str(tag or (reference.image if reference else finding.occurrence.written))
        ),
        digest=str(reference.digest) if reference and reference.digest else None,
        reason=finding.reason,
        message=well_formed(finding.message),
        until=utc_text(finding.until) if finding.until else None,
    )


def _skipped(outcome: RepoOutcome) -> Iterator[SkippedFile]:
    for finding in outcome.result.findings if outcome.result else ():
        if finding.status is Status.SKIPPED and finding.occurrence.kind == "file":
            words = (finding.occurrence.path, finding.reason, finding.message)
            yield SkippedFile(*map(well_formed, words))


def _problems(outcome: RepoOutcome) -> Iterator[Problem]:
    """The problems, each with its repo; and those findings of which no problem speaks."""
    for problem in outcome.problems:
        yield replace(problem, repo=outcome.name) if problem.scope == "file" else problem
    told = {problem.code for problem in outcome.problems}
    for finding in outcome.result.findings if outcome.result else ():
        if finding.status is Status.FAILED and finding.reason not in told:
            place = finding.occurrence.path
            yield Problem(
                "file", place, finding.reason, finding.message, finding.hint, outcome.name
            )
