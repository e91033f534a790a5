"""While a rollout is halted nothing is merged by itself; when it goes on, that is as before."""

from __future__ import annotations

from functools import partial

from digestbot.forge.repo import Repo
from digestbot.forge.steps import DisableAutoMerge
from digestbot.rollout.progress import Target, TargetState
from digestbot.service.rollouts.frozen import branch_of
from digestbot.service.rollouts.reading import LATER
from digestbot.service.rollouts.work import Work, performed, tried
from digestbot.store.deeds import Deed


def withdraw(work: Work) -> None:
    """Have no pull request of ours merged by the forge any more; each is seen to once.

    What is open in a repo that was left out is among them.
    """
    done = work.deeds()
    for target in work.own_open(TargetState.SKIPPED, TargetState.WAITING):
        if any((target.repo, target.number, one) in done for one in _SEEN_TO):
            continue
        if work.must_end():
            return
        deed = tried(target.repo, partial(_withdrawn, work, target))
        if deed is not None:
            work.note_deed(target, deed)


def order_again(work: Work) -> None:
    """Have the forge merge again what it would have merged, as the rules of each repo say."""
    done = work.deeds()
    for target in work.own_open():
        if (target.repo, target.number, Deed.UNORDERED) in done:
            work.forget_deed(target, Deed.UNORDERED)
        if (target.repo, target.number, Deed.WITHDRAWN) in done:
            if work.must_end():
                return
            frozen = work.frozen_for(target.repo)
            outcome = work.bring(target.repo, frozen, forgets_order=True)
            if not any(problem.code in LATER for problem in outcome.problems):
                work.forget_deed(target, Deed.WITHDRAWN)


_SEEN_TO = (Deed.WITHDRAWN, Deed.UNORDERED)


def _withdrawn(work: Work, target: Target) -> Deed | None:
    """What there was to withdraw; None where that is to be tried again."""
    with work.opened(target.repo) as (forge, repo):
        if not isinstance(repo, Repo):
            return Deed.UNORDERED
        pulls = forge.survey(repo, [branch_of(work.rollout.id)]).pulls or ()
        if not any(one.number == target.number and one.was_auto_merged for one in pulls):
            return Deed.UNORDERED
        is_done = performed(forge, repo, DisableAutoMerge(target.number))
        return Deed.WITHDRAWN if is_done else None
