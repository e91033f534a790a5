"""The tables that can be taken as CSV, and what may be asked of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from digestbot.policy.finding import Status
from digestbot.store import finding_rows, image_list, proposal_rows, repo_list, run_rows
from digestbot.store.finding_rows import FindingFilter, FindingRow
from digestbot.store.image_list import ListedImage
from digestbot.store.of_repo import DENIED
from digestbot.store.proposal_rows import ProposalFilter, ProposalRow
from digestbot.store.proposals import State
from digestbot.store.repo_list import ListedRepo
from digestbot.store.run_rows import RunRow
from digestbot.web.cells import (
    FindingCells,
    ImageCells,
    ProposalCells,
    RepoCells,
    finding_cells,
    image_cells,
    proposal_cells,
    repo_cells,
)
from digestbot.web.exports import Export
from digestbot.web.page import Look, Question
from digestbot.web.pages.images import ImagesQuestion
from digestbot.web.pages.repos import ReposQuestion
from digestbot.web.pages.runs import RunsQuestion, RunsRow, filter_of, row_of

_LAST_ID = 2**31 - 1
_Id = Annotated[int, Field(ge=0, le=_LAST_ID)]
_Text = Annotated[str, Field(max_length=200)]


@dataclass(frozen=True, slots=True)
class FindingsQuestion(Question):
    """Which findings: by part of the repo's name, status, and the ids of repo and image."""

    q: _Text = ""
    status: Literal["", "current", "stale", "held", "failed", "unpinned", "skipped", "denied"] = ""
    repo: _Id = 0
    image: _Id = 0


@dataclass(frozen=True, slots=True)
class ProposalsQuestion(Question):
    """Which proposals: by part of the repo's name, state, and the id of the repo."""

    q: _Text = ""
    state: Literal["", "open", "waiting", "merged", "closed", "rejected", "adopted", "ended"] = ""
    repo: _Id = 0


def _images(
    look: Look, asked: ImagesQuestion, last: ListedImage | None, most: int
) -> list[ListedImage]:
    with look.database.reading() as connection:
        return image_list.after(connection, asked.filter, last.id if last else 0, most)


def _repos(
    look: Look, asked: ReposQuestion, last: ListedRepo | None, most: int
) -> list[ListedRepo]:
    with look.database.reading() as connection:
        return repo_list.after(connection, asked.filter, last.id if last else 0, most)


def _findings(
    look: Look, asked: FindingsQuestion, last: FindingRow | None, most: int
) -> list[FindingRow]:
    is_denied = asked.status == DENIED
    status = Status(asked.status) if asked.status and not is_denied else None
    meant = FindingFilter(asked.q.strip(), status, asked.repo, asked.image, is_denied)
    with look.database.reading() as connection:
        return finding_rows.after(connection, meant, last.id if last else 0, most)


def _proposals(
    look: Look, asked: ProposalsQuestion, last: ProposalRow | None, most: int
) -> list[ProposalRow]:
    state = State(asked.state) if asked.state else None
    meant = ProposalFilter(asked.q.strip(), state, asked.repo)
    with look.database.reading() as connection:
        return proposal_rows.after(connection, meant, last.id if last else 0, most)


def _runs(look: Look, asked: RunsQuestion, last: RunRow | None, most: int) -> list[RunRow]:
    with look.database.reading() as connection:
        return run_rows.after(connection, filter_of(asked), last, most)


EXPORTS: dict[str, Export[Any, Any]] = {
    export.name: export
    for export in (
        Export("images", "an image", ImagesQuestion, ImageCells, _images, image_cells),
        Export("repos", "a repo", ReposQuestion, RepoCells, _repos, repo_cells),
        Export(
            "findings",
            "an image reference in a file",
            FindingsQuestion,
            FindingCells,
            _findings,
            finding_cells,
        ),
        Export(
            "proposals",
            "a proposal",
            ProposalsQuestion,
            ProposalCells,
            _proposals,
            proposal_cells,
        ),
        Export("runs", "a run", RunsQuestion, RunsRow, _runs, row_of),
    )
}
"""By name."""
