"""The words of a proposal: title, message and body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from digestbot.forge.repo import Repo
from digestbot.proposals.body import body_of
from digestbot.proposals.evidence import Evidence
from digestbot.proposals.message import message_of
from digestbot.proposals.proposal import Proposal
from digestbot.proposals.settings import ProposalSettings
from digestbot.proposals.title import title_of
from digestbot.proposals.update import Update


@dataclass(frozen=True, slots=True)
class ProposalWriter:
    """Writes for one repo, on a forge with pull requests or not; a body asks for evidence."""

    repo: Repo
    settings: ProposalSettings
    evidence: Callable[[Update], Evidence]
    has_pulls: bool = True

    def title(self, proposal: Proposal) -> str:
        """The title of its pull request, one line."""
        return title_of(proposal, self.settings.commit)

    def message(self, proposal: Proposal) -> str:
        """The message of its commit, without the seal."""
        return message_of(proposal, self.settings.commit)

    def body(self, proposal: Proposal) -> str:
        """The body of its pull request, with the marker."""
        reason = self.settings.reason
        return body_of(proposal, self.repo, self.evidence, has_pulls=self.has_pulls, reason=reason)
