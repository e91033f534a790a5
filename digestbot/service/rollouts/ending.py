"""The way out of a rollout: what it opened is closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

from digestbot.forge.pull import PullState
from digestbot.forge.repo import Repo
from digestbot.forge.seal import is_ours
from digestbot.forge.steps import ClosePull, DeleteBranch, Step
from digestbot.proposals.marker import as_obsolete
from digestbot.rollout.progress import OPEN, Target, TargetState
from digestbot.service.rollouts.frozen import branch_of
from digestbot.service.rollouts.work import Work, performed, tried

PATIENCE: Final = timedelta(days=1)
"""A repo that is gone by then, or cannot be written to, holds up the end of none."""


def close_all(work: Work, why: str) -> None:
    """Close the pull requests that we opened; those of others are theirs."""
    for target in list(work.targets.values()):
        if work.must_end():
            return
        if not _may_be_open(work, target):
            ended = target
        elif target.is_adopted:
            ended = _closed(work, target, why)
        else:
            ended = tried(target.repo, partial(_ended, work, target, why)) or target
            if ended == target and _is_given_up(work):
                ended = _closed(work, target, "it could not be closed within a day")
        if ended.state is TargetState.WAITING:
            ended = _closed(work, target, why)
        work.note([ended])


def _is_given_up(work: Work) -> bool:
    since = work.rollout.standing.since
    return since is not None and work.ways.now() - since >= PATIENCE


def _may_be_open(work: Work, target: Target) -> bool:
    """Whether it is open, or was closed since all is: by a step that did not come to its end.

    One whose turn has come may have been opened by a step that broke off before it said so.
    """
    since = work.rollout.standing.since
    if target.state is TargetState.WAITING:
        has_begun = work.rollout.standing.wave_since is not None
        return work.is_back or (has_begun and target.wave <= work.rollout.standing.wave)
    is_rejected = target.state is TargetState.REJECTED and not target.is_adopted
    if not is_rejected or since is None or target.ended_at is None:
        return target.state in OPEN
    # Forges tell whole seconds.
    return target.ended_at >= since.replace(microsecond=0)


def _ended(work: Work, target: Target, why: str) -> Target:
    """What becomes of one that may be open: closed, or merged meanwhile, as the next look tells.

    The branch goes with it, unless it has work of somebody else.
    """
    branch = branch_of(work.rollout.id, is_back=work.is_back)
    with work.opened(target.repo) as (forge, repo):
        if not isinstance(repo, Repo):
            return _closed(work, target, why)
        survey = forge.survey(repo, [branch])
        ours = [one for one in survey.pulls or () if one.branch == branch and one.is_from_here]
        merged = next((one for one in ours if one.state is PullState.MERGED), None)
        if merged is not None:
            opened_at = target.opened_at or work.ways.now()
            state, number, url = TargetState.PENDING, merged.number, merged.url
            return replace(target, state=state, number=number, url=url, opened_at=opened_at)
        steps: list[Step] = [
            ClosePull(one.number, _said(why, as_obsolete(one.body) if work.is_back else one.body))
            for one in ours
            if one.number == target.number or (one.state is PullState.OPEN and one.is_own)
        ]
        found = survey.branches.get(branch)
        if found is not None and is_ours(found):
            steps.append(DeleteBranch(branch, found.head))
        return _closed(work, target, why) if performed(forge, repo, *steps) else target


def _closed(work: Work, target: Target, why: str) -> Target:
    return replace(target, state=TargetState.CLOSED, why=why, ended_at=work.ways.now())


def _said(why: str, body: str = "") -> str:
    """The body of a pull request, beginning with why it is closed; once, however often it is."""
    return body if body.startswith(why) else f"{why}\n\n{body}".strip()
