"""What each step is on GitHub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from digestbot.forge.github.commits import delete_branch, push_branch
from digestbot.forge.github.merging import disable_auto_merge, enable_auto_merge, merge
from digestbot.forge.github.pulls import (
    add_labels,
    assign,
    close_pull,
    comment,
    edit_pull,
    open_pull,
)
from digestbot.forge.github.reviewers import request_reviews
from digestbot.forge.github.session import Session
from digestbot.forge.repo import Repo
from digestbot.forge.steps import (
    AddLabels,
    Assign,
    ClosePull,
    Comment,
    DeleteBranch,
    DisableAutoMerge,
    EditPull,
    EnableAutoMerge,
    Merge,
    OpenPull,
    PushBranch,
    RequestReviews,
    Step,
)

_WAYS: Mapping[type[Step], Callable[[Session, Repo, Any], None]] = {
    PushBranch: push_branch,
    DeleteBranch: delete_branch,
    OpenPull: open_pull,
    EditPull: edit_pull,
    ClosePull: close_pull,
    Comment: comment,
    AddLabels: add_labels,
    RequestReviews: request_reviews,
    Assign: assign,
    EnableAutoMerge: enable_auto_merge,
    DisableAutoMerge: disable_auto_merge,
    Merge: merge,
}


def perform(session: Session, repo: Repo, step: Step) -> None:
    """Do one step.

    Raises:
        UnsettledError: It may or may not have happened, or the repo is no longer as expected.
        DeferredError: Not now.
        RefusedError: Not at all.
    """
    _WAYS[type(step)](session, repo, step)
