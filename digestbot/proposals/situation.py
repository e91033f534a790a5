"""What a forge has of one branch that proposals travel on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from digestbot.forge.pull import Pull, PullState, Survey
from digestbot.forge.repo import Branch, Repo
from digestbot.forge.seal import is_ours, read_seal
from digestbot.forge.sha import CommitSha
from digestbot.forge.steps import Step
from digestbot.proposals.grouping import is_managed
from digestbot.proposals.outcome import Outcome, Verdict
from digestbot.proposals.settings import ProposalSettings


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
        pull: The open pull request from it; where there are several, that to the default branch.
        ended: Those that are closed or merged.
        has_pulls: Whether the forge knows pull requests at all.
    """

    repo: Repo
    head: CommitSha
    settings: ProposalSettings
    name: str
    branch: Branch | None = None
    pull: Pull | None = None
    ended: tuple[Pull, ...] = ()
    has_pulls: bool = True

    @property
    def is_touched(self) -> bool:
        """Whether the branch has work of somebody else that would be lost with it."""
        if self.branch is None or is_ours(self.branch):
            return False
        is_kept_elsewhere = any(pull.head == self.branch.head for pull in self.ended)
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
    return {
        name: Situation(
            repo,
            head,
            settings,
            name,
            survey.branches.get(name),
            _open(pulls, name, repo.default_branch),
            tuple(p for p in pulls if p.branch == name and p.state is not PullState.OPEN),
            survey.pulls is not None,
        )
        for name in sorted(names)
        if is_managed(name, settings)
    }


def _open(pulls: Iterable[Pull], name: str, base: str) -> Pull | None:
    found = [one for one in pulls if one.branch == name and one.state is PullState.OPEN]
    return min(found, key=lambda one: (one.base != base, one.number), default=None)
