"""What people said no to: a proposal closed unmerged is the word of whoever closed it.

Anyone who may read a repo can open a pull request from any of its branches and write into the
body what they like; so only those that digestbot's own account opened say anything.
"""

from __future__ import annotations

from digestbot.forge.pull import Pull, PullState, Survey
from digestbot.proposals.grouping import is_managed
from digestbot.proposals.marker import read_marker
from digestbot.proposals.settings import ProposalSettings


def rejected(survey: Survey, settings: ProposalSettings) -> dict[str, Pull]:
    """The keys (`image:tag@digest`) that are never to be proposed again, each with its pull.

    What digestbot closed itself, because nothing was left to do, rejects nothing.
    """
    found: dict[str, Pull] = {}
    for pull in survey.pulls or ():
        if not _may_reject(pull, settings):
            continue
        marker = read_marker(pull.body)
        if marker is not None and not marker.is_obsolete:
            for key in marker.keys:
                found.setdefault(key, pull)
    return found


def _may_reject(pull: Pull, settings: ProposalSettings) -> bool:
    return (
        pull.state is PullState.CLOSED
        and pull.is_from_here
        and pull.is_own
        and is_managed(pull.branch, settings)
    )
