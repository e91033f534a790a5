"""The way out of a rollout: what it opened is closed."""

from __future__ import annotations

from dataclasses import replace

from digestbot.forge.repo import Repo
from digestbot.forge.steps import ClosePull, DeleteBranch, Step
from digestbot.rollout.progress import OPEN, Target, TargetState
from digestbot.service.rollouts.frozen import branch_of
from digestbot.service.rollouts.work import Work, performed


def close_all(work: Work, why: str) -> None:
    """Close the pull requests that we opened; those of others are theirs."""
    now = work.ways.now()
    for target in list(work.targets.values()):
        if work.stop.is_set():
            return
        if (
            target.state in OPEN and (target.is_adopted or _has_closed(work, target, why))
        ) or target.state is TargetState.WAITING:
            closed = replace(target, state=TargetState.CLOSED, why=why, ended_at=now)
            work.note([closed])


def _has_closed(work: Work, target: Target, why: str) -> bool:
    branch = branch_of(work.rollout.id)
    with work.opened(target.repo) as (forge, repo):
        if not isinstance(repo, Repo):
            return True
        found = forge.survey(repo, [branch]).branches.get(branch)
        steps: list[Step] = [ClosePull(target.number, why)]
        if found is not None:
            steps.append(DeleteBranch(branch, found.head))
        return performed(forge, repo, *steps)
