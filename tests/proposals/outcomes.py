"""Outcomes with defaults, so that a test names only what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from digestbot.forge.repo import Mode
from digestbot.forge.sha import CommitSha
from digestbot.forge.steps import FileChange, OpenPull, PushBranch, Step
from digestbot.proposals.outcome import Outcome, RepoOutcome, Verdict
from digestbot.proposals.report_account import Account
from digestbot.proposals.report_contract import UpdateReport
from digestbot.scan.result import Change, Problem
from tests.report.builders import make_finding, make_result

BRANCH = "digestbot/images"
TITLE = "Update python:3.13-slim digest to 2452991"
BODY = "| file | image |\n| --- | --- |\n| `Dockerfile` | `python:3.13-slim` |"
URL = "https://github.com/{}/pull/{}"
BEFORE, AFTER = b"FROM python@sha256:a\n", b"FROM python@sha256:b\n"
HEAD = CommitSha("1" * 40)


def make_verdict(
    outcome: Outcome = Outcome.OPENED,
    number: int = 12,
    *,
    repo: str = "acme/app",
    message: str = "",
    title: str = TITLE,
    branch: str = BRANCH,
) -> Verdict:
    """What became of a proposal; number 0 is one without pull request."""
    url = URL.format(repo, number) if number else ""
    return Verdict(branch, outcome, message or f"it is {outcome}", title, number, url)


def make_outcome(
    name: str = "acme/app", *verdicts: Verdict, problems: tuple[Problem, ...] = ()
) -> RepoOutcome:
    """What became of a repo with one stale image, scanned with two others."""
    result = make_result([make_finding()], problems).of_repo(name)
    url = f"https://github.com/{name}"
    return RepoOutcome(name, url, result=result, verdicts=verdicts, problems=problems)


def make_rehearsal(name: str = "acme/app", *steps: Step, title: str = TITLE) -> RepoOutcome:
    """What would become of a repo: by default, a pull request."""
    outcome = make_outcome(name, make_verdict(number=0, title=title))
    result = outcome.result
    assert result is not None
    change = Change("Dockerfile", BEFORE, AFTER)
    return replace(
        outcome,
        result=replace(result, changes=(change,)),
        steps=steps or (make_push(), OpenPull(BRANCH, "main", TITLE, BODY)),
    )


def make_push(path: str = "Dockerfile", content: bytes = AFTER) -> PushBranch:
    """The step that makes the branch."""
    file = FileChange(path, Mode.FILE, content)
    return PushBranch(BRANCH, HEAD, None, (file,), TITLE, "f" * 16)


def make_report(
    *outcomes: RepoOutcome,
    is_rehearsal: bool = False,
    problems: tuple[Problem, ...] = (),
    calls: int | None = None,
) -> UpdateReport:
    """The report of a run that took 40 seconds."""
    account = Account(is_rehearsal, datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC))
    for outcome in outcomes:
        account.add(outcome)
    for problem in problems:
        account.fail(problem)
    return account.report(duration_s=40, calls=calls)
