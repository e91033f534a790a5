"""The way out of a rollout: what it opened is closed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from digestbot.forge.repo import Repo
from digestbot.forge.steps import ClosePull, DeleteBranch, Step
from digestbot.rollout.progress import OPEN, Target, TargetState
from digestbot.service.rollouts.frozen import branch_of
from digestbot.service.rollouts.work import Work, performed, tried


def close_all(work: Work, why: str) -> None:
    """Close the pull requests that we opened; those of others are theirs."""
    now = work.ways.now()
    for target in list(work.targets.values()):
        if work.must_end():
            return
        is_closed = target.state is TargetState.WAITING
        if _is_to_close(work, target):
            closing = partial(_has_closed, work, target, why)
            is_closed = target.is_adopted or bool(tried(target.repo, closing))
        if is_closed:
            work.note([replace(target, state=TargetState.CLOSED, why=why, ended_at=now)])


def _is_to_close(work: Work, target: Target) -> bool:
    """Whether it is open, or was closed since all is: by a step that did not come to its end."""
    since = work.rollout.standing.since
    is_rejected = target.state is TargetState.REJECTED and not target.is_adopted
    if not is_rejected or since is None or target.ended_at is None:
        return target.state in OPEN
    # Forges tell whole seconds.
    return target.ended_at >= since.replace(microsecond=0)


def _has_closed(work: Work, target: Target, why: str) -> bool:
    branch = branch_of(work.rollout.id)
    with work.opened(target.repo) as (forge, repo):
        if not isinstance(repo, Repo):
            return True
        survey = forge.survey(repo, [branch])
        found = survey.branches.get(branch)
        bodies = [one.body for one in survey.pulls or () if one.number == target.number]
        steps: list[Step] = [ClosePull(target.number, _said(why, *bodies))]
        if found is not None:
            steps.append(DeleteBranch(branch, found.head))
        return performed(forge, repo, *steps)


def _said(why: str, body: str = "") -> str:
    """The body of a pull request, beginning with why it is closed; once, however often it is."""
    return body if body.startswith(why) else f"{why}\n\n{body}".strip()
