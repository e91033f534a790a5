"""What happens to a branch whose proposal is no longer wanted: closed, deleted, or left alone."""

from __future__ import annotations

from digestbot.forge.pull import Pull, PullState
from digestbot.forge.seal import is_ours
from digestbot.forge.steps import ClosePull, DeleteBranch, Step
from digestbot.proposals.marker import as_obsolete, read_marker
from digestbot.proposals.outcome import Outcome
from digestbot.proposals.remarks import OBSOLETE, is_rebuild_asked
from digestbot.proposals.situation import KEPT, Fate, Situation
from digestbot.proposals.wanted import hands_off, other_base


def wound_up(site: Situation, *, is_in_doubt: bool) -> Fate:
    """The end of a branch, as far as it is ours and nothing `is_in_doubt`."""
    if site.pull is not None:
        return _closed(site, site.pull, is_in_doubt=is_in_doubt)
    return _deleted(site, is_in_doubt=is_in_doubt)


def _closed(site: Situation, pull: Pull, *, is_in_doubt: bool) -> Fate:
    if pull.base != site.repo.default_branch:
        return other_base(site, pull)
    # Whoever asks for a new branch gives up what others pushed to this one.
    if site.is_touched and not (pull.is_own and is_rebuild_asked(pull)):
        return hands_off(site)
    if not pull.is_own and read_marker(pull.body) is None:
        message = "somebody else opened it; digestbot leaves it alone"
        return Fate((), site.verdict(Outcome.HANDS_OFF, message))
    if is_in_doubt:
        return Fate((), site.verdict(Outcome.KEPT, KEPT))
    # The word that digestbot closed it comes first: a branch that vanishes closes it, too.
    steps: list[Step] = [*OBSOLETE.on(pull), ClosePull(pull.number, as_obsolete(pull.body))]
    if site.branch is not None and not site.others:
        steps.append(DeleteBranch(site.name, site.branch.head))
    message = "nothing is left to update here: closed"
    return Fate(tuple(steps), site.verdict(Outcome.CLOSED, message))


def _deleted(site: Situation, *, is_in_doubt: bool) -> Fate:
    branch = site.branch
    if branch is None or site.others:
        return Fate()
    delete = (DeleteBranch(site.name, branch.head),)
    last = next((pull for pull in site.ended if pull.head == branch.head), None)
    is_from_us = is_ours(branch) or (last is not None and last.is_own)
    if last is not None and last.state is PullState.MERGED and is_from_us:
        if site.repo.deletes_branches:
            return Fate()
        return Fate(
            delete, site.verdict(Outcome.MERGED, f"merged (#{last.number}); branch deleted")
        )
    if is_in_doubt or not is_ours(branch) or (last is not None and _is_no(last)):
        return Fate()
    message = f"nothing is left to update: branch {site.name} deleted"
    return Fate(delete, site.verdict(Outcome.CLOSED, message))


def _is_no(pull: Pull) -> bool:
    """Whether a person closed it, and may want to open it again."""
    marker = read_marker(pull.body)
    return marker is None or not marker.is_obsolete
