"""Repos: all of them, what needs somebody first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from digestbot.report.plain import well_formed
from digestbot.store import repo_list
from digestbot.store.repo_list import ListedRepo, RepoFilter
from digestbot.web.page import MOST_PAGES, ROWS, Look, Page, Question
from digestbot.web.pages.repo_view import ReposRow, ReposView, pull_of, told

RepoStatus = Literal[
    "",
    "denied",
    "problems",
    "failed",
    "stale",
    "held",
    "unpinned",
    "fresh",
    "new",
    "left-out",
    "gone",
]


@dataclass(frozen=True, slots=True)
class ReposQuestion(Question):
    """Which repos, in which order."""

    q: Annotated[str, Field(max_length=200)] = ""
    status: RepoStatus = ""
    attention: bool = False
    image: Annotated[str, Field(max_length=200)] = ""
    sort: repo_list.Sort = "attention"
    page: Annotated[int, Field(ge=1, le=MOST_PAGES)] = 1

    @property
    def filter(self) -> RepoFilter:
        """What is asked for, whatever the order and the page."""
        return RepoFilter(self.q.strip(), self.status, self.attention, self.image.strip())


def read(look: Look, question: ReposQuestion) -> ReposView:
    """A page of the repos that are asked for.

    Raises:
        StoreError: The state cannot be read.
    """
    with look.database.reading() as connection:
        total = repo_list.count(connection, question.filter)
        found = repo_list.page(
            connection,
            question.filter,
            sort=question.sort,
            offset=(question.page - 1) * ROWS,
            limit=ROWS,
        )
    return ReposView(total, [row_of(one) for one in found])


def row_of(repo: ListedRepo) -> ReposRow:
    """A repo as the list has it."""
    return ReposRow(
        id=repo.id,
        name=well_formed(repo.name),
        target=repo.target,
        state=repo.state,
        counts=repo.counts,
        denied=repo.denied,
        behind_since=told(repo.behind_since),
        open_proposals=repo.open_proposals,
        proposal=pull_of(repo.url, repo.oldest_proposal) if repo.oldest_proposal else None,
        scanned_at=told(repo.settled_at),
        errors=repo.problems,
        error=well_formed(repo.problem.message) if repo.problem else None,
        left_out=repo.left_out or None,
        gone_at=told(repo.gone_at),
    )


PAGE = Page("repos", "/repos", "Repos", ReposQuestion, ReposView, read, export="repos")
