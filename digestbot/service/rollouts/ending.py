"""The way out of a rollout, and the way back."""

from __future__ import annotations

from dataclasses import replace

from digestbot.forge.repo import Repo
from digestbot.forge.steps import ClosePull, DeleteBranch, Step
from digestbot.rollout.plan import Planned
from digestbot.rollout.progress import OPEN, Target, TargetState
from digestbot.service.rollouts.frozen import Frozen, branch_of
from digestbot.service.rollouts.reading import after_update
from digestbot.service.rollouts.work import Work, performed
from digestbot.store import rollouts


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


def offer_back(work: Work) -> bool:
    """Offer what was merged the digests it had; whether each was offered them."""
    name = work.rollout.id
    planned = {one.repo: one for one in work.rollout.plan.targets}
    with work.ways.database.reading() as connection:
        known = {one.repo: one for one in rollouts.targets(connection, name, is_back=True)}
    for target in work.targets.values():
        if target.state is not TargetState.MERGED or target.opened_at is None:
            continue
        one = known.get(target.repo) or Target(target.repo, target.wave)
        if one.state is not TargetState.WAITING:
            continue
        if work.stop.is_set() or work.room() < 1:
            return False
        offered = _offered(work, one, planned[target.repo])
        with work.ways.database.begin() as connection:
            rollouts.note_targets(connection, name, [offered], is_back=True)
    return True


def _offered(work: Work, target: Target, planned: Planned) -> Target:
    frozen = Frozen.back(planned.edits)
    outcome = work.bring(target.repo, frozen, is_back=True)
    return after_update(target, outcome, frozen, work.ways.now())


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
