"""One repo: what was found in it, what is proposed, what went wrong, and what may be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import Field

from digestbot.report.json_v1 import error_of
from digestbot.report.plain import well_formed
from digestbot.service.times import stamp
from digestbot.store import ignores, of_repo, repos
from digestbot.store.ignores import IgnoreRow
from digestbot.store.of_repo import RepoFinding, RepoProposal, RepoRecord
from digestbot.web.links import line_link, page_link
from digestbot.web.page import MOST_PAGES, ROWS, Look, NotHereError, One, Page
from digestbot.web.pages.repo_view import (
    RepoFindingRow,
    RepoIgnore,
    RepoReason,
    RepoView,
    pull_of,
    told,
)

_ERRORS = 100
FindingStatus = Literal["", "denied", "failed", "stale", "held", "unpinned", "current", "skipped"]


@dataclass(frozen=True, slots=True)
class RepoQuestion(One):
    """Which of its findings."""

    status: FindingStatus = ""
    page: Annotated[int, Field(ge=1, le=MOST_PAGES)] = 1


@dataclass(frozen=True, slots=True)
class _Known:
    """What the state has of a repo at one moment."""

    repo: RepoRecord
    due: str
    total: int
    findings: list[RepoFinding]
    proposals: list[RepoProposal]
    images: list[str]
    ignores: list[IgnoreRow]


def read(look: Look, question: RepoQuestion) -> RepoView:
    """One repo.

    Raises:
        NotHereError: There is none with this id.
        StoreError: The state cannot be read.
    """
    with look.database.reading() as connection:
        repo = of_repo.record(connection, question.id)
        if repo is None:
            raise NotHereError("there is no such repo", hint="all of them are at /repos")
        status, offset = question.status, (question.page - 1) * ROWS
        known = _Known(
            repo,
            repos.why_due(connection, repo.id, look.now),
            of_repo.count_findings(connection, repo.id, status=status),
            of_repo.findings(connection, repo.id, status=status, offset=offset, limit=ROWS),
            of_repo.proposals(connection, repo.id),
            of_repo.images(connection, repo.id),
            ignores.holding(connection, look.now.date(), repo=repo.name),
        )
    return _view(known)


def _view(known: _Known) -> RepoView:
    repo = known.repo
    return RepoView(
        id=repo.id,
        name=well_formed(repo.name),
        target=repo.target,
        url=page_link(repo.url),
        state=repo.state,
        default_branch=repo.default_branch,
        head=repo.head,
        listed_at=stamp(repo.listed_at),
        scanned_head=repo.settled_head,
        scanned_at=told(repo.settled_at),
        due=known.due or None,
        due_at=told(repo.due_at),
        left_out=RepoReason(repo.left_out, repo.left_out_message) if repo.left_out else None,
        gone_at=told(repo.gone_at),
        behind_since=told(repo.behind_since),
        counts=repo.counts,
        denied=repo.denied,
        errors=[error_of(one) for one in repo.problems[:_ERRORS]],
        badge=_badge(repo),
        total=known.total,
        findings=[_row(repo, one) for one in known.findings],
        proposals=[pull_of(repo.url, one) for one in known.proposals],
        images=known.images,
        ignores=[_ignore(one) for one in known.ignores],
    )


def _row(repo: RepoRecord, one: RepoFinding) -> RepoFindingRow:
    return RepoFindingRow(
        path=well_formed(one.path),
        line=one.line,
        column=one.column,
        url=line_link(repo.url, repo.settled_head, one.path, one.line),
        written=one.written,
        image=one.image,
        image_id=one.image_id,
        digest=one.digest,
        new_digest=one.new_digest,
        status=one.status,
        reason=one.reason,
        message=one.message,
        hint=one.hint,
        until=told(one.until),
        behind_since=told(one.behind_since),
        is_at_least=one.is_at_least,
    )


def _ignore(one: IgnoreRow) -> RepoIgnore:
    return RepoIgnore(
        id=one.id,
        image=one.image,
        is_everywhere=not one.repo,
        until=one.until.isoformat(),
        reason=one.reason,
        who=one.who,
        at=stamp(one.at),
    )


def _badge(repo: RepoRecord) -> str | None:
    """Of what is not worked on there is nothing to say."""
    is_live = repo.gone_at is None and not repo.left_out
    return f"/badges/repos/{quote(repo.name)}.svg" if is_live else None


PAGE = Page("repo", "/repos/{id:int}", "Repo", RepoQuestion, RepoView, read)
