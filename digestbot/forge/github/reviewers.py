"""Reviews are asked of people and teams; one who cannot be asked does not keep the others out."""

from __future__ import annotations

from collections.abc import Sequence

from digestbot.forge.errors import RefusedError
from digestbot.forge.github.contents import repo_path
from digestbot.forge.github.session import Session
from digestbot.forge.repo import Repo
from digestbot.forge.steps import RequestReviews

# What GitHub says when it is about who is asked, and not about all of it.
_ABOUT_SOMEONE = frozenset({"refused", "not-found-or-no-access"})
# A repo may name thousands, each a write of its own where GitHub refuses them together.
MOST_ASKED = 20
_HINT = "reviewers need access to the repo, teams the same organization; authors review nothing"


def request_reviews(session: Session, repo: Repo, step: RequestReviews) -> None:
    """Ask all of them at once, or, where GitHub refuses that, one by one.

    Raises:
        RefusedError: Some cannot be asked; the others were.
    """
    owner = repo.name.partition("/")[0].lower()
    strangers = [one for one in step.reviewers if _is_strange(one, owner)]
    known = [one for one in step.reviewers if one not in strangers]
    asked, beyond = known[:MOST_ASKED], known[MOST_ASKED:]
    refused = strangers + (_ask(session, repo, step.number, asked) if asked else []) + beyond
    if refused:
        names = ", ".join(refused[:MOST_ASKED])
        more = f" and {len(refused) - MOST_ASKED:,} more" if len(refused) > MOST_ASKED else ""
        message = f"cannot be asked for a review in {repo.name}: {names}{more}"
        raise RefusedError(message, code="not-reviewers", hint=_HINT)


def _is_strange(reviewer: str, owner: str) -> bool:
    """Whether it is a team of another organization."""
    organization, slash, _ = reviewer.lower().partition("/")
    return bool(slash) and organization != owner


def _ask(session: Session, repo: Repo, number: int, reviewers: Sequence[str]) -> list[str]:
    """Ask them; returns those who cannot be asked."""
    people = [one for one in reviewers if "/" not in one]
    teams = [one.partition("/")[2] for one in reviewers if "/" in one]
    body = {"reviewers": people, "team_reviewers": teams}
    path = f"{repo_path(repo)}/pulls/{number}/requested_reviewers"
    try:
        session.rest("POST", path, {key: names for key, names in body.items() if names})
    except RefusedError as error:
        if error.code not in _ABOUT_SOMEONE:
            raise
        if len(reviewers) == 1:
            return list(reviewers)
        return [who for one in reviewers for who in _ask(session, repo, number, [one])]
    return []
