"""Many repos in one run: each question is asked once, and no repo sinks the others."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from functools import partial

from digestbot.forge.repo import LeftOut, Repo
from digestbot.proposals.outcome import RepoOutcome
from digestbot.proposals.propose import update_repo
from digestbot.proposals.run import Run, contained, scan_repo
from digestbot.scan.in_order import in_order

JOBS = 8


def update_repos(
    run: Run, repos: Iterable[Repo | LeftOut], *, jobs: int = JOBS
) -> Generator[RepoOutcome, None, None]:
    """What became of each repo, in the order of the list; `jobs` of them at a time.

    Raises:
        ForgeError: The repos cannot be listed.
    """
    return in_order(partial(update_repo, run), repos, jobs=jobs)


def scan_repos(
    run: Run, repos: Iterable[Repo | LeftOut], *, jobs: int = JOBS
) -> Generator[RepoOutcome, None, None]:
    """What a scan of each repo finds, in the order of the list; nothing is planned or written.

    Raises:
        ForgeError: The repos cannot be listed.
    """
    return in_order(partial(_scan, run), repos, jobs=jobs)


def _scan(run: Run, repo: Repo | LeftOut) -> RepoOutcome:
    def work(found: Repo) -> RepoOutcome:
        scanned = scan_repo(run, found)
        result, notices = scanned.result, scanned.rules.notices
        problems = result.problems
        return RepoOutcome(found.name, found.url, result=result, problems=problems, notices=notices)

    return contained(repo, work)
