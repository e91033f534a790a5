"""The message of a proposal's commit, without the seal."""

from __future__ import annotations

from digestbot.proposals.evidence import old_digests
from digestbot.proposals.proposal import Proposal
from digestbot.proposals.settings import CommitSettings
from digestbot.proposals.title import name_of, title_of
from digestbot.proposals.update import Update

_MAX_LINES = 100


def message_of(proposal: Proposal, settings: CommitSettings) -> str:
    """The title, a line for each image, and the sign-off."""
    lines = [_line(update) for update in proposal.updates[:_MAX_LINES]]
    if more := len(proposal.updates) - len(lines):
        lines.append(f"and {more:,} more")
    text = f"{title_of(proposal, settings)}\n\n{chr(10).join(lines)}\n"
    if not settings.signoff:
        return text
    return f"{text}\nSigned-off-by: {settings.signoff}\n"


def _line(update: Update) -> str:
    old = ", ".join(digest.short for digest in old_digests(update)[:3])
    moved = f"{' '.join(update.other_tags[:3])} → " if update.other_tags else ""
    name = f"{moved}{name_of(update.image)}"
    return f"{name}  {old + ' → ' if old else 'pinned to '}{update.new.short}"
