"""Pull requests are opened, edited, closed and talked about: one write each."""

from __future__ import annotations

from digestbot.forge.errors import RefusedError
from digestbot.forge.github.contents import repo_path
from digestbot.forge.github.reading import dig, items, text
from digestbot.forge.github.session import Session
from digestbot.forge.repo import Repo
from digestbot.forge.steps import AddLabels, Assign, ClosePull, Comment, EditPull, OpenPull


def open_pull(session: Session, repo: Repo, step: OpenPull) -> None:
    """Open a pull request.

    Raises:
        UnsettledError: There is one already, or nothing to merge, or nobody knows.
        RefusedError: GitHub forbids it.
    """
    body = {
        "title": step.title,
        "head": step.branch,
        "base": step.base,
        "body": step.body,
        "draft": step.is_draft,
    }
    try:
        session.rest("POST", f"{repo_path(repo)}/pulls", body)
    except RefusedError as error:
        if "draft" in str(error).lower():
            hint = "set `draft: false`: this repo's plan knows no drafts"
            raise RefusedError(str(error), code="no-drafts", hint=hint) from None
        raise


def edit_pull(session: Session, repo: Repo, step: EditPull) -> None:
    """Give a pull request another title and body."""
    body = {"title": step.title, "body": step.body}
    session.rest("PATCH", f"{repo_path(repo)}/pulls/{step.number}", body)


def close_pull(session: Session, repo: Repo, step: ClosePull) -> None:
    """Close a pull request; its body says why, in the same write."""
    body = {"state": "closed", "body": step.body}
    session.rest("PATCH", f"{repo_path(repo)}/pulls/{step.number}", body)


def comment(session: Session, repo: Repo, step: Comment) -> None:
    """Say something on a pull request."""
    path = f"{repo_path(repo)}/issues/{step.number}/comments"
    session.rest("POST", path, {"body": step.text})


def add_labels(session: Session, repo: Repo, step: AddLabels) -> None:
    """Add labels; GitHub makes those that the repo lacks."""
    path = f"{repo_path(repo)}/issues/{step.number}/labels"
    session.rest("POST", path, {"labels": list(step.labels)})


def assign(session: Session, repo: Repo, step: Assign) -> None:
    """Assign people.

    Raises:
        RefusedError: GitHub left some of them out, which it does in silence.
    """
    path = f"{repo_path(repo)}/issues/{step.number}/assignees"
    data = session.rest("POST", path, {"assignees": list(step.people)}).data
    assigned = {text(one, "login").lower() for one in items(dig(data, "assignees"))}
    missing = [one for one in step.people if one.lower() not in assigned]
    if missing:
        raise RefusedError(
            f"cannot be assigned in {repo.name}: {', '.join(missing)}",
            code="not-assignable",
            hint="only people with access to the repo can be, and at most ten",
        )
