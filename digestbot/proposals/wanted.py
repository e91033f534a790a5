"""What happens to a branch whose proposal is wanted: opened, refreshed, or left as it is."""

from __future__ import annotations

from collections.abc import Iterator

from digestbot.forge.pull import Checks, Gate, Mergeable, Pull
from digestbot.forge.steps import (
    AddLabels,
    Assign,
    DeleteBranch,
    EditPull,
    EnableAutoMerge,
    Merge,
    OpenPull,
    PushBranch,
    RequestReviews,
    Step,
)
from digestbot.proposals.marker import read_marker
from digestbot.proposals.outcome import Outcome
from digestbot.proposals.proposal import Proposal, Writer
from digestbot.proposals.remarks import HANDS_OFF, is_rebuild_asked
from digestbot.proposals.settings import ProposalSettings, Rebase
from digestbot.proposals.situation import Fate, Situation


def opened(site: Situation, proposal: Proposal, writer: Writer) -> Fate:
    """A branch and a pull request that are new; a branch of an earlier run is adopted."""
    if site.is_touched:
        return hands_off(site)
    title = writer.title(proposal)
    steps: list[Step] = []
    if site.fingerprint != proposal.fingerprint or not site.is_on_head:
        steps.append(_push(site, proposal, writer))
    base, body = site.repo.default_branch, writer.body(proposal)
    steps.append(OpenPull(site.name, base, title, body, site.settings.draft))
    verdict = site.verdict(Outcome.OPENED, f"opened from {site.name}", title)
    return Fate(tuple(steps), verdict, is_final=not _has_more_to_say(site))


def pushed(site: Situation, proposal: Proposal, writer: Writer) -> Fate:
    """The same on a forge that knows branches only."""
    if site.is_touched:
        return hands_off(site)
    title = writer.title(proposal)
    if not _must_push(site, proposal):
        return Fate((), site.verdict(Outcome.UNCHANGED, f"branch {site.name} has it", title))
    is_moved = site.fingerprint != proposal.fingerprint
    outcome = Outcome.REFRESHED if is_moved else Outcome.REBUILT
    outcome = Outcome.COMMITTED if site.branch is None else outcome
    verdict = site.verdict(outcome, f"committed on branch {site.name}", title)
    return Fate((_push(site, proposal, writer),), verdict)


def refreshed(
    site: Situation, pull: Pull, proposal: Proposal, writer: Writer, *, is_fresh: bool = False
) -> Fate:
    """An open pull request, brought to what is wanted now; mostly that is what it is.

    One that is fresh was opened in this very run.
    """
    # What stands in the body is the word of those who may push only where we opened it.
    is_asked = is_rebuild_asked(pull) and (pull.is_own or not site.is_touched)
    if pull.base != site.repo.default_branch:
        return other_base(site, pull)
    if site.is_touched and not is_asked:
        return hands_off(site)
    must_push = is_asked or _must_push(site, proposal)
    is_moved = site.fingerprint != proposal.fingerprint
    steps: list[Step] = []
    if must_push:
        steps.append(_push(site, proposal, writer))
    is_conflict = must_push and pull.mergeable is Mergeable.CONFLICT
    if is_asked or is_conflict or not _speaks_of(pull, proposal):
        steps.append(EditPull(pull.number, writer.title(proposal), writer.body(proposal)))
    outcome, message = _named(steps, is_moved=is_moved)
    steps += _decoration(site.settings, pull, is_fresh=is_fresh)
    merging = _merging(site, pull, is_settled=not steps)
    if must_push:
        merging = ()
    steps += merging
    if any(isinstance(step, Merge) for step in merging):
        outcome, message = Outcome.MERGED, "its checks are green: merged"
    is_final = not (must_push and _needs_auto_merge(site, pull))
    return Fate(tuple(steps), site.verdict(outcome, message, writer.title(proposal)), is_final)


def hands_off(site: Situation) -> Fate:
    """Somebody else works on the branch: said once, and nothing more."""
    steps = () if site.pull is None else tuple(HANDS_OFF.on(site.pull))
    message = f"somebody else pushed to {site.name}; digestbot leaves it alone"
    if site.pull is None:
        message += " until it is deleted"
    return Fate(steps, site.verdict(Outcome.HANDS_OFF, message))


def other_base(site: Situation, pull: Pull) -> Fate:
    """Somebody sent it to another branch, or the default branch is another one now."""
    message = (
        f"it goes to {pull.base}, not to {site.repo.default_branch}: digestbot leaves it alone "
        "until its base is changed or it is closed"
    )
    return Fate((), site.verdict(Outcome.HANDS_OFF, message))


def _must_push(site: Situation, proposal: Proposal) -> bool:
    if site.fingerprint != proposal.fingerprint:
        return True
    if site.is_on_head:
        return False
    is_conflict = site.pull is not None and site.pull.mergeable is Mergeable.CONFLICT
    rebase = site.settings.rebase
    return rebase is Rebase.BEHIND or (rebase is Rebase.CONFLICT and is_conflict)


def _push(site: Situation, proposal: Proposal, writer: Writer) -> PushBranch:
    return PushBranch(
        branch=site.name,
        base=site.head,
        expected=site.branch.head if site.branch else None,
        files=proposal.files,
        message=writer.message(proposal),
        fingerprint=proposal.fingerprint,
    )


def _speaks_of(pull: Pull, proposal: Proposal) -> bool:
    marker = read_marker(pull.body)
    return (
        marker is not None and marker.fingerprint == proposal.fingerprint and not marker.is_obsolete
    )


def _named(steps: list[Step], *, is_moved: bool) -> tuple[Outcome, str]:
    if not steps:
        return Outcome.UNCHANGED, "open, and as it should be"
    if is_moved or not any(isinstance(step, PushBranch) for step in steps):
        return Outcome.REFRESHED, "brought to what the tags have now"
    return Outcome.REBUILT, "built anew on the base"


def _has_more_to_say(site: Situation) -> bool:
    """Whether there is something to be done that needs the number of the pull request."""
    settings = site.settings
    return bool(
        settings.labels
        or settings.reviewers
        or settings.assignees
        or (settings.automerge and not settings.draft and site.repo.allows_auto_merge)
    )


def _decoration(settings: ProposalSettings, pull: Pull, *, is_fresh: bool) -> Iterator[Step]:
    """What is set once, so that people can undo it.

    On a fresh one it is set even if others were as quick: GitHub itself asks code owners for
    their review.
    """
    if settings.labels and (is_fresh or not pull.was_labeled):
        yield AddLabels(pull.number, settings.labels)
    if settings.reviewers and (is_fresh or not pull.was_review_requested):
        yield RequestReviews(pull.number, settings.reviewers)
    if settings.assignees and (is_fresh or not pull.was_assigned):
        yield Assign(pull.number, settings.assignees)


def _needs_auto_merge(site: Situation, pull: Pull) -> bool:
    wants = site.settings.automerge and not pull.is_draft
    return wants and site.repo.allows_auto_merge and not pull.was_auto_merged


def _merging(site: Situation, pull: Pull, *, is_settled: bool) -> tuple[Step, ...]:
    """Merging, by the forge or by ourselves.

    We merge in a plan of its own only: right after it was opened no check has begun, which
    looks as if there were none. So the forge is not told to merge before there is a check
    either: a review might be all that it waits for. It is our commit that is merged, under our
    title.
    """
    is_ours = pull.is_own and site.branch is not None and pull.head == site.branch.head
    if not site.settings.automerge or pull.is_draft or not is_ours:
        return ()
    if pull.checks is Checks.NONE and not site.settings.automerge_without_checks:
        return ()
    is_green = pull.checks in (Checks.PASSING, Checks.NONE)
    may_merge = is_settled and is_green and pull.mergeable is Mergeable.YES
    if site.repo.allows_auto_merge and pull.gate is not Gate.OPEN:
        enable = EnableAutoMerge(pull.number, pull.head, may_merge)
        return () if pull.was_auto_merged else (enable,)
    # Where the forge has nothing to wait for, it takes no order to merge once that is over.
    if not may_merge or pull.gate is Gate.SHUT or pull.was_auto_merged:
        return ()
    merge = Merge(pull.number, pull.head)
    if site.repo.deletes_branches or site.others:
        return (merge,)
    return (merge, DeleteBranch(site.name, pull.head))
