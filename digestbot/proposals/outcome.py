"""What became of a repo and of each of its proposals: the records behind the report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from digestbot.forge.steps import Step
from digestbot.proposals.proposal import Proposal
from digestbot.scan.result import Problem, ScanResult


class Outcome(StrEnum):
    """What became of one proposal."""

    OPENED = "opened"
    COMMITTED = "committed"
    REFRESHED = "refreshed"
    REBUILT = "rebuilt"
    UNCHANGED = "unchanged"
    CLOSED = "closed"
    MERGED = "merged"
    HANDS_OFF = "hands-off"
    REJECTED = "rejected"
    ADOPTED = "adopted"
    LIMITED = "limited"
    KEPT = "kept"


OUTCOMES = {
    Outcome.OPENED: "A branch and a pull request are new.",
    Outcome.COMMITTED: "A branch is new, where the forge has no pull requests.",
    Outcome.REFRESHED: "The digest moved again: branch, title and body follow.",
    Outcome.REBUILT: "The branch was built anew on the base.",
    Outcome.UNCHANGED: "It is open and as it should be; nothing was written.",
    Outcome.CLOSED: "Nothing is left to update: it was closed, its branch deleted.",
    Outcome.MERGED: "It is merged, or digestbot just merged it; its branch is gone.",
    Outcome.HANDS_OFF: "Somebody else pushed to the branch: digestbot leaves it alone.",
    Outcome.REJECTED: "Somebody closed this very update; the next digest is proposed again.",
    Outcome.ADOPTED: "Another pull request already brings this digest.",
    Outcome.LIMITED: "As many proposals are open as are allowed; it waits.",
    Outcome.KEPT: "A registry did not answer, or an image is held back: it stays as it is.",
}
OPEN = frozenset({Outcome.OPENED, Outcome.REFRESHED, Outcome.REBUILT, Outcome.UNCHANGED})
"""After these there is an open pull request that is as it should be."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one proposal, or of the updates in it.

    `number` is 0 and `url` empty where there is no pull request.
    """

    branch: str
    outcome: Outcome
    message: str
    title: str = ""
    number: int = 0
    url: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do next in one repo, and what will then have become of its proposals.

    `proposals` is what is wanted. `is_final` says that nothing is left to look at once the
    steps are done.
    """

    steps: tuple[Step, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    is_final: bool = True


@dataclass(frozen=True, slots=True)
class RepoOutcome:
    """What became of one repo.

    Attributes:
        left_out: Why nothing was tried, as (slug, sentence); None where it was.
        result: Of the scan; None where it was not scanned.
        proposals: What was wanted, where it is to be shown: in a rehearsal, and where the forge
            has no pull requests that would show it.
        steps: What was done, or would be.
        problems: What went wrong; the repo is then incomplete.
        notices: What is worth knowing, and no failure.
        opens_at: When new proposals may be opened next; None where they may now, or never.
        is_merging: Whether something open is to be merged as soon as it is green.
    """

    name: str
    url: str = ""
    left_out: tuple[str, str] | None = None
    result: ScanResult | None = None
    proposals: tuple[Proposal, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    steps: tuple[Step, ...] = ()
    problems: tuple[Problem, ...] = ()
    notices: tuple[str, ...] = ()
    opens_at: datetime | None = None
    is_merging: bool = False
