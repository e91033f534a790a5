"""What is done about pull requests that stay open, as the deadlines of the plan say; each once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Final

from digestbot.forge.repo import Repo
from digestbot.forge.seal import is_ours
from digestbot.forge.steps import Comment, Merge, RequestReviews
from digestbot.forge.watching import PullId
from digestbot.report.markdown import prose
from digestbot.rollout.progress import Target, TargetState
from digestbot.service.logs import Event, get_log
from digestbot.service.rollouts.frozen import branch_of
from digestbot.service.rollouts.reading import after_look
from digestbot.service.rollouts.work import Work, performed, tried
from digestbot.service.times import age
from digestbot.store.deeds import Deed

MOST_AT_ONCE: Final = 20
"""So many in one step: those that were opened together are late together."""
_MERGED_FROM = (TargetState.GREEN, TargetState.APPROVED)
_log = get_log(__name__)


def chase(work: Work) -> None:
    """Do what is due about pull requests that we opened."""
    left = MOST_AT_ONCE
    for target, deed in _due(work):
        if work.must_end() or not left:
            return
        left -= 1
        if tried(target.repo, partial(_ACTS[deed], work, target)):
            _log.info(
                Event.ROLLOUT_CHASED, rollout=work.rollout.id, repo=target.repo, deed=deed.value
            )
            work.note_deed(target, deed)


def _due(work: Work) -> Iterator[tuple[Target, Deed]]:
    deadlines, now = work.rollout.plan.rules.deadlines, work.ways.now()
    spans: dict[Deed, timedelta | None] = {
        Deed.COMMENTED: deadlines.comment,
        Deed.ASKED: deadlines.reviewers,
        Deed.MERGED: deadlines.merge if work.ways.may_merge else None,
    }
    wanted = {deed: span for deed, span in spans.items() if span is not None}
    done = work.deeds() if wanted else frozenset()
    for target in work.own_open():
        for deed, span in wanted.items():
            is_done = (target.repo, target.number, deed) in done
            is_late = target.opened_at is not None and now - target.opened_at >= span
            if is_late and not is_done and (deed is not Deed.MERGED or _is_green(target)):
                yield target, deed


def _is_green(target: Target) -> bool:
    return target.state in _MERGED_FROM


def _comment(work: Work, target: Target) -> bool:
    """Say that it waits, unless that was said before the last step ended."""
    mark = f"<!-- digestbot:rollout:{work.rollout.id}:waiting -->"
    with work.opened(target.repo) as (forge, repo):
        if not isinstance(repo, Repo):
            return True
        pulls = forge.survey(repo, [branch_of(work.rollout.id)]).pulls or ()
        said = [text for one in pulls if one.number == target.number for text in one.comments]
        if any(mark in text for text in said):
            return True
        text = f"{mark}\n{_waiting_words(work, target)}"
        return performed(forge, repo, Comment(target.number, text))


def _waiting_words(work: Work, target: Target) -> str:
    open_for = age(work.ways.now() - (target.opened_at or work.ways.now()))
    why = f" Now {prose(target.why)}." if target.why else ""
    return (
        f"This has been open for {open_for}, and rollout `{work.rollout.id}` waits for it.{why}\n\n"
        "Closing it leaves this repo out of the rollout."
    )


def _ask_owners(work: Work, target: Target) -> bool:
    """Ask whoever looks after the files for a review; where nobody is named, nobody is asked.

    Nor is who is named by an e-mail address: forges ask for reviews by names.
    """
    planned = {one.repo: one.owners for one in work.rollout.plan.targets}
    owners = [one for one in planned.get(target.repo, ()) if one.startswith("@")]
    if not owners:
        return True
    names = tuple(one.removeprefix("@") for one in owners)
    with work.opened(target.repo) as (forge, repo):
        if not isinstance(repo, Repo):
            return True
        return performed(forge, repo, RequestReviews(target.number, names))


def _merge(work: Work, target: Target) -> bool:
    """Merge it, if it is green still, goes where we sent it, and the commit is ours."""
    one = PullId(target.repo, target.number)
    status = work.ways.watching.statuses([one]).get(one)
    if status is None or after_look(target, status, work.ways.now()).state not in _MERGED_FROM:
        return False
    branch = branch_of(work.rollout.id)
    with work.opened(target.repo) as (forge, repo):
        if not isinstance(repo, Repo):
            return True
        survey = forge.survey(repo, [branch])
        found = survey.branches.get(branch)
        pull = next((one for one in survey.pulls or () if one.number == target.number), None)
        is_as_opened = pull is not None and pull.base == repo.default_branch and not pull.is_draft
        if not is_as_opened or found is None or found.head != status.head or not is_ours(found):
            # Somebody changed it, or where it goes: it is theirs to merge.
            return True
        return performed(forge, repo, Merge(target.number, status.head))


_ACTS: dict[Deed, Callable[[Work, Target], bool]] = {
    Deed.COMMENTED: _comment,
    Deed.ASKED: _ask_owners,
    Deed.MERGED: _merge,
}
