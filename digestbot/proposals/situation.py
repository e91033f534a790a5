"""What a forge has of one branch that proposals travel on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from digestbot.forge.pull import Pull, PullState, Survey
from digestbot.forge.repo import Branch, Repo
from digestbot.forge.seal import is_ours, read_seal
from digestbot.forge.sha import CommitSha
from digestbot.forge.steps import Step
from digestbot.proposals.grouping import is_managed
from digestbot.proposals.outcome import Outcome, Verdict
from digestbot.proposals.settings import ProposalSettings

KEPT: Final = (
    "not everything could be looked up or read, or something is held back, so it stays as it is"
)


@dataclass(frozen=True, slots=True)
class Fate:
    """What is done about one branch, and what becomes of it; no verdict where nobody asks."""

    steps: tuple[Step, ...] = ()
    verdict: Verdict | None = None
    is_final: bool = True


@dataclass(frozen=True, slots=True)
class Situation:
    """One branch as it is now.

    Attributes:
        head: The commit that proposals are built on.
        branch: None where it does not exist.
        pull: The open pull request from it: that to the default branch, or else one of our own.
            Anyone who may read a repo can open one from any branch to any other.
        others: More open ones from it, which end with the branch.
        ended: Those that are closed or merged.
        has_pulls: Whether the forge knows pull requests at all.
    """

    repo: Repo
    head: CommitSha
    settings: ProposalSettings
    name: str
    branch: Branch | None = None
    pull: Pull | None = None
    others: tuple[Pull, ...] = ()
    ended: tuple[Pull, ...] = ()
    has_pulls: bool = True

    @property
    def is_touched(self) -> bool:
        """Whether the branch has work of somebody else that would be lost with it."""
        if self.branch is None or is_ours(self.branch):
            return False
        is_kept_elsewhere = any(
            pull.is_own and pull.head == self.branch.head for pull in self.ended
        )
        return self.pull is not None or not is_kept_elsewhere

    @property
    def is_on_head(self) -> bool:
        """Whether the branch is one commit on top of what the default branch has now."""
        return self.branch is not None and self.branch.parents == (self.head,)

    @property
    def fingerprint(self) -> str | None:
        """What the branch proposes; None where that is not known."""
        if self.branch is None or not is_ours(self.branch):
            return None
        seal = read_seal(self.branch.message)
        return None if seal is None else seal.fingerprint

    def verdict(self, outcome: Outcome, message: str, title: str = "") -> Verdict:
        """A verdict on this branch."""
        pull = self.pull
        if pull is None:
            return Verdict(self.name, outcome, message, title)
        return Verdict(self.name, outcome, message, title or pull.title, pull.number, pull.url)


def situations(
    repo: Repo,
    head: CommitSha,
    survey: Survey,
    settings: ProposalSettings,
    wanted: Iterable[str] = (),
) -> dict[str, Situation]:
    """Every branch that exists, has pull requests or is wanted, by name and in its order."""
    pulls = [one for one in survey.pulls or () if one.is_from_here]
    names = {*wanted, *survey.branches, *(pull.branch for pull in pulls)}
    found = {}
    for name in sorted(name for name in names if is_managed(name, settings)):
        from_it = [one for one in pulls if one.branch == name]
        opened = [one for one in from_it if one.state is PullState.OPEN]
        pull = _main(opened, repo.default_branch)
        found[name] = Situation(
            repo=repo,
            head=head,
            settings=settings,
            name=name,
            branch=survey.branches.get(name),
            pull=pull,
            others=tuple(one for one in opened if one is not pull),
            ended=tuple(one for one in from_it if one.state is not PullState.OPEN),
            has_pulls=survey.pulls is not None,
        )
    return found


def _main(opened: Iterable[Pull], base: str) -> Pull | None:
    found = [one for one in opened if one.base == base or one.is_own]
    return min(found, key=lambda one: (one.base != base, one.number), default=None)
