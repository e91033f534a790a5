"""One repo of a run: read it, scan it, and bring home what the scan finds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from digestbot.errors import DigestbotError
from digestbot.files.codeowners import owners_of
from digestbot.forge.interface import Forge
from digestbot.forge.repo import LeftOut, Repo
from digestbot.policy.finding import Finding
from digestbot.proposals.budget import Budget
from digestbot.proposals.outcome import RepoOutcome
from digestbot.proposals.proposal import Writer
from digestbot.proposals.settings import ProposalSettings
from digestbot.registry.resolution import Resolver
from digestbot.scan.bounds import Bounds
from digestbot.scan.engine import Policy, scan
from digestbot.scan.forge_files import RepoFile, RepoFiles, read_files
from digestbot.scan.result import Problem, ScanResult
from digestbot.scan.tree import is_excluded

_log = logging.getLogger(__name__)
_BROKEN = "invalid-config"
_BROKEN_HINT = "until that is mended on its default branch, nothing is done in this repo"


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds in one repo.

    Attributes:
        exclude: Globs on paths that the repo itself leaves out.
        closed: Why nothing new may be proposed now; empty where it may.
        opens_at: When it may be next; None where it may now, or never.
        notices: What its configuration says in vain; worth knowing, and no failure.
    """

    policy: Policy = field(default_factory=Policy)
    proposals: ProposalSettings = field(default_factory=ProposalSettings)
    exclude: Sequence[str] = ()
    closed: str = ""
    opens_at: datetime | None = None
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """What all repos of a run share.

    Attributes:
        rules_for: The rules of a repo, by its own configuration; raises ConfigError.
        writer_for: Who finds the words in a repo.
        is_rehearsal: Nothing is written.
    """

    forge: Forge
    resolver: Resolver
    rules_for: Callable[[RepoFiles], Rules]
    writer_for: Callable[[Repo, ProposalSettings], Writer]
    budget: Budget = field(default_factory=Budget)
    exclude: Sequence[str] = ()
    is_rehearsal: bool = False
    today: date | None = None


@dataclass(frozen=True, slots=True)
class Scanned:
    """A repo that was read and scanned."""

    repo: Repo
    files: RepoFiles
    rules: Rules
    result: ScanResult


def scan_repo(run: Run, repo: Repo) -> Scanned:
    """Read and scan one repo, by its own rules.

    Raises:
        ForgeError: It cannot be read.
        ConfigError: Its configuration is broken.
    """
    files = read_files(run.forge, repo, run.exclude)
    rules = run.rules_for(files)
    hidden = [file for file in files.files if is_excluded(file.path, rules.exclude)]
    kept = [file for file in files.files if not is_excluded(file.path, rules.exclude)]
    result = scan(kept, run.resolver, rules.policy, today=run.today, bounds=Bounds())
    findings = (*result.findings, *_denied_in(hidden, run, rules))
    result = replace(
        result,
        findings=tuple(_owned(findings, files)),
        problems=(*files.problems, *result.problems),
    )
    return Scanned(repo, files, rules, result.of_repo(repo.name))


def _owned(findings: Sequence[Finding], files: RepoFiles) -> Iterator[Finding]:
    """Each with who looks after its file, in order of path."""
    owners = owners_of(files.codeowners, {one.occurrence.path for one in findings})
    for finding in sorted(findings, key=lambda one: one.occurrence.path):
        yield replace(finding, owners=owners.get(finding.occurrence.path, ()))


def _denied_in(hidden: Sequence[RepoFile], run: Run, rules: Rules) -> Iterator[Finding]:
    """The denied pins in files that the repo itself leaves out: it hides none of them so."""
    if hidden:
        unasked = replace(rules.policy, offline=True)
        found = scan(hidden, run.resolver, unasked, today=run.today, bounds=Bounds())
        yield from (one for one in found.findings if one.is_denied)


def contained(repo: Repo | LeftOut, work: Callable[[Repo], RepoOutcome]) -> RepoOutcome:
    """What work on a repo comes to; whatever goes wrong ends there, and is said."""
    if isinstance(repo, LeftOut):
        return RepoOutcome(repo.name, left_out=(repo.reason, repo.message))
    try:
        return work(repo)
    except DigestbotError as error:
        problem = problem_of(repo.name, error)
    except Exception as error:  # noqa: BLE001 - one repo never sinks the run
        _log.debug("%r failed", repo.name, exc_info=True)
        message = f"digestbot itself failed on this repo ({type(error).__name__})"
        hint = "please report it, with what `-vv` prints"
        problem = Problem("repo", repo.name, "internal", message, hint)
    return RepoOutcome(repo.name, repo.url, problems=(problem,))


def problem_of(name: str, error: DigestbotError) -> Problem:
    """The line of the report that an error becomes."""
    code = getattr(error, "code", _BROKEN)
    hint = error.hint or (_BROKEN_HINT if code == _BROKEN else "")
    return Problem("repo", name, code, str(error), hint)
