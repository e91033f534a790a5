"""The lines of the CSV files. Their columns are part of the contract: more may come, none goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from digestbot.policy.finding import Status
from digestbot.service.times import stamp
from digestbot.store.finding_rows import FindingRow
from digestbot.store.image_list import ListedImage
from digestbot.store.proposal_rows import ProposalRow
from digestbot.store.repo_list import ListedRepo
from digestbot.web.links import page_link


@dataclass(frozen=True, slots=True)
class ImageCells:
    """An image that somebody follows."""

    id: int
    image: str
    platform: str | None
    digest: str | None
    since: str | None
    repos: int
    repos_behind: int
    current: int
    stale: int
    held: int
    failed: int
    behind_since: str | None
    is_at_least: bool
    held_reason: str | None
    held_until: str | None
    checked_at: str | None
    failing_since: str | None
    failing_code: str | None
    failing_message: str | None


@dataclass(frozen=True, slots=True)
class RepoCells:
    """A repo."""

    id: int
    name: str
    target: str
    url: str | None
    state: str
    current: int
    stale: int
    held: int
    failed: int
    unpinned: int
    skipped: int
    denied: int
    behind_since: str | None
    open_proposals: int
    scanned_at: str | None
    errors: int
    error: str | None
    left_out: str | None
    gone_at: str | None


@dataclass(frozen=True, slots=True)
class FindingCells:
    """An image reference in a file, and what became of it."""

    id: int
    repo: str
    path: str
    line: int
    image: str
    written: str
    digest: str | None
    new_digest: str | None
    status: str
    reason: str
    message: str
    hint: str
    until: str | None
    behind_since: str | None
    is_at_least: bool
    found_at: str | None


@dataclass(frozen=True, slots=True)
class ProposalCells:
    """A proposal."""

    id: int
    repo: str
    branch: str
    number: int | None
    url: str | None
    title: str
    state: str
    outcome: str
    message: str
    opened_at: str | None
    seen_at: str | None
    ended_at: str | None


def image_cells(image: ListedImage, _now: datetime) -> ImageCells:
    """An image as a line of the file."""
    held, places = image.held, image.places
    return ImageCells(
        id=image.id,
        image=str(image.query.image),
        platform=str(image.query.platform) if image.query.platform else None,
        digest=image.digest,
        since=_told(image.since),
        repos=image.repos,
        repos_behind=image.repos_behind,
        current=places.get(Status.CURRENT, 0),
        stale=places.get(Status.STALE, 0),
        held=places.get(Status.HELD, 0),
        failed=places.get(Status.FAILED, 0),
        behind_since=_told(image.behind_since),
        is_at_least=image.is_at_least,
        held_reason=held.reason if held else None,
        held_until=_told(held.until) if held else None,
        checked_at=_told(image.checked_at),
        failing_since=_told(image.failing_since),
        failing_code=image.failing_code or None,
        failing_message=image.failing_message or None,
    )


def repo_cells(repo: ListedRepo, _now: datetime) -> RepoCells:
    """A repo as a line of the file."""
    return RepoCells(
        id=repo.id,
        name=repo.name,
        target=repo.target,
        url=page_link(repo.url),
        state=repo.state.value,
        current=repo.counts[Status.CURRENT],
        stale=repo.counts[Status.STALE],
        held=repo.counts[Status.HELD],
        failed=repo.counts[Status.FAILED],
        unpinned=repo.counts[Status.UNPINNED],
        skipped=repo.counts[Status.SKIPPED],
        denied=repo.denied,
        behind_since=_told(repo.behind_since),
        open_proposals=repo.open_proposals,
        scanned_at=_told(repo.settled_at),
        errors=repo.problems,
        error=repo.problem.message if repo.problem else None,
        left_out=repo.left_out or None,
        gone_at=_told(repo.gone_at),
    )


def finding_cells(found: FindingRow, _now: datetime) -> FindingCells:
    """A finding as a line of the file."""
    return FindingCells(
        id=found.id,
        repo=found.repo,
        path=found.path,
        line=found.line,
        image=found.image,
        written=found.written,
        digest=found.digest,
        new_digest=found.new_digest,
        status=found.status.value,
        reason=found.reason,
        message=found.message,
        hint=found.hint,
        until=_told(found.until),
        behind_since=_told(found.behind_since),
        is_at_least=found.is_at_least,
        found_at=_told(found.found_at),
    )


def proposal_cells(one: ProposalRow, _now: datetime) -> ProposalCells:
    """A proposal as a line of the file."""
    return ProposalCells(
        id=one.id,
        repo=one.repo,
        branch=one.branch,
        number=one.number or None,
        url=page_link(one.url),
        title=one.title,
        state=one.state.value,
        outcome=one.outcome,
        message=one.message,
        opened_at=_told(one.opened_at),
        seen_at=_told(one.seen_at),
        ended_at=_told(one.ended_at),
    )


def _told(moment: datetime | None) -> str | None:
    return None if moment is None else stamp(moment)
