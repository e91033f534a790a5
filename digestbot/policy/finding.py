"""The record of a verdict: an occurrence, what is true of it, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from digestbot.files.edit import Edit
from digestbot.files.occurrence import Occurrence
from digestbot.image import Digest


class Status(StrEnum):
    """What is true of an occurrence."""

    CURRENT = "current"
    STALE = "stale"
    UNPINNED = "unpinned"
    HELD = "held"
    SKIPPED = "skipped"
    FAILED = "failed"


STATUSES = {
    Status.CURRENT: "The pin is what the tag has now.",
    Status.STALE: "The tag has another digest now.",
    Status.UNPINNED: "The reference names no digest.",
    Status.HELD: "There is an update, and policy holds it back for now.",
    Status.SKIPPED: "The reference is not followed; the reason says why.",
    Status.FAILED: "Nobody could say; the reason is the cause.",
}

DENIED_PINNED: Final = "denied-pinned"
"""The reason of every finding whose pin is on the deny list: it is shown before all others."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An occurrence with its verdict; `reason` is a stable slug, listed in `policy.reasons`.

    `until` is when to look again at what is held, or not proposed the newest digest, or pinned to
    what the tag came back to a moment ago; None where that is not known.
    `repo` is what its forge calls the repo; empty for local files. `owners` look after the file,
    as CODEOWNERS in the repo has it.
    """

    occurrence: Occurrence
    status: Status
    reason: str
    message: str
    hint: str = ""
    new_tag: str | None = None
    new_digest: Digest | None = None
    edits: tuple[Edit, ...] = ()
    until: datetime | None = None
    repo: str = ""
    owners: tuple[str, ...] = ()

    @property
    def is_denied(self) -> bool:
        """Whether it pins a digest that is on the deny list."""
        return self.reason == DENIED_PINNED
