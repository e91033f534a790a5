"""The way back of a rollout: each repo is offered what it had, as fast as all else may go."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from digestbot.forge.pull import PullState
from digestbot.forge.repo import Repo
from digestbot.proposals.outcome import RepoOutcome
from digestbot.rollout.progress import OPEN, Target, TargetState
from digestbot.service.logs import Event, get_log
from digestbot.service.rollouts.frozen import branch_of
from digestbot.service.rollouts.goals import UNKNOWN_ORIGIN
from digestbot.service.rollouts.reading import after_update, is_refusal
from digestbot.service.rollouts.work import MOST_IN_VAIN, Work, tried

_log = get_log(__name__)


def way_back(work: Work) -> Work:
    """The work on the same repos, back to what they had; what was opened before counts along."""
    back = Work(work.ways, work.rollout, work.stop, is_back=True, others=work.targets)
    back.read()
    return back


def offer_back(work: Work) -> bool:
    """Offer what was merged the digests it had; whether each was offered them.

    Raises:
        ForgeError: It cannot be known who is to be offered what, or what became of it.
    """
    back = way_back(work)
    back.look()
    # What was closed was so by somebody who ended all of it, and wants it after all.
    back.note(
        Target(one.repo, one.wave)
        for one in list(back.targets.values())
        if one.state is TargetState.CLOSED
    )
    has_begun = _has_begun(work, back)
    left = MOST_IN_VAIN
    for target in back.waiting():
        if work.must_end() or back.room() < 1 or not left:
            return False
        frozen = back.frozen_for(target.repo)
        outcome = back.bring(target.repo, frozen)
        _warn_of_unknown(target.repo, outcome)
        after = after_update(target, outcome, frozen, work.ways.now())
        back.note([after])
        left -= after.state is TargetState.WAITING
        if is_refusal(outcome):
            back.slow_down()
            work.rollout = back.rollout
            return False
    return has_begun and not back.is_any({TargetState.WAITING})


def _warn_of_unknown(name: str, outcome: RepoOutcome) -> None:
    """Say which pins stay, beside those that can go back."""
    for one in outcome.result.findings if outcome.result is not None else ():
        if one.reason == UNKNOWN_ORIGIN:
            where = f"{one.occurrence.path}:{one.occurrence.line}"
            _log.warning(Event.REPO_FAILED, repo=name, problem=f"{where}: {one.message}")


def is_back(work: Work) -> bool:
    """Look how the offers fare; whether each was answered."""
    back = way_back(work)
    back.look()
    return not back.is_any(OPEN)


def _has_begun(work: Work, back: Work) -> bool:
    """Write down who is to be offered something; whether that is known of all."""
    for target in work.targets.values():
        if target.state is not TargetState.MERGED or target.repo in back.targets:
            continue
        if work.must_end():
            return False
        is_ours = target.opened_at is not None or tried(
            target.repo, partial(_is_ours, work, target)
        )
        if is_ours is not None:
            back.note([_begun(work, target, is_ours=is_ours)])
    return all(
        target.repo in back.targets
        for target in work.targets.values()
        if target.state is TargetState.MERGED
    )


def _begun(work: Work, target: Target, *, is_ours: bool) -> Target:
    one = Target(target.repo, target.wave)
    if is_ours:
        return one
    why, now = "the rollout changed nothing in it", work.ways.now()
    return replace(one, state=TargetState.SKIPPED, why=why, ended_at=now)


def _is_ours(work: Work, target: Target) -> bool:
    """Whether a pull request of ours was merged, of which nobody wrote down that it was opened."""
    branch = branch_of(work.rollout.id)
    with work.opened(target.repo) as (forge, repo):
        if not isinstance(repo, Repo):
            return False
        found = forge.survey(repo, [branch]).pulls or ()
        ours = [one for one in found if one.branch == branch and one.is_from_here]
        return any(one.state is PullState.MERGED for one in ours)
