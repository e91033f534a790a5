"""The rules of the SARIF report: one for each word that asks for attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from digestbot.policy.finding import Status
from digestbot.report.summary import DENIED

PROJECT = "https://github.com/digestbot/digestbot"


@dataclass(frozen=True, slots=True)
class Rule:
    """What code scanning shows about a kind of result; `level` is SARIF's."""

    id: str
    name: str
    level: str
    summary: str
    why: str
    remedy: str

    def as_sarif(self) -> dict[str, Any]:
        """The `reportingDescriptor` (SARIF 2.1.0, section 3.49)."""
        return {
            "id": self.id,
            "name": self.name,
            "shortDescription": {"text": self.summary},
            "fullDescription": {"text": self.why},
            "help": {
                "text": f"{self.why}\n\n{self.remedy}",
                "markdown": f"{self.why}\n\n**What to do:** {self.remedy}",
            },
            "helpUri": f"{PROJECT}/blob/main/config/reference.md#statuses",
            "defaultConfiguration": {"level": self.level},
            "properties": {"precision": "very-high", "tags": ["containers", "supply-chain"]},
        }


RULES: dict[str, Rule] = {
    Status.FAILED: Rule(
        "digestbot/failed",
        "UnknownDigest",
        "warning",
        "It is unknown whether this image is current.",
        "The file could not be read, or the registry gave no answer that can be trusted, so "
        "nothing is known about this image.",
        "Follow the hint in the notifications of the run, then scan again.",
    ),
    Status.STALE: Rule(
        "digestbot/stale",
        "StaleDigest",
        "warning",
        "The tag has another digest now.",
        "The image is pinned to a digest that its tag no longer has, so builds miss what was "
        "fixed in the image since.",
        "Run `digestbot scan --write`; it changes the digest and nothing else.",
    ),
    Status.UNPINNED: Rule(
        "digestbot/unpinned",
        "UnpinnedImage",
        "warning",
        "The image is not pinned to a digest.",
        "A tag can be moved to another image at any time, so two builds of the same commit may "
        "start from different images.",
        "Run `digestbot scan --pin --write`; it adds the digest that the tag has now.",
    ),
    Status.HELD: Rule(
        "digestbot/held",
        "HeldUpdate",
        "note",
        "The tag has another digest now, and the configuration says to wait.",
        "The image is pinned to a digest that its tag no longer has; by the configuration the "
        "update is not due yet, or not wanted.",
        "Nothing, until the date in the message; where there is none, see its reason.",
    ),
    Status.SKIPPED: Rule(
        "digestbot/skipped",
        "SkippedImage",
        "note",
        "The image is not followed.",
        "This reference is not compared with its registry, for the reason given.",
        "Follow the hint of the result where there is one; else there is nothing to do.",
    ),
    DENIED: Rule(
        "digestbot/denied",
        "DeniedDigest",
        "error",
        "The pinned digest is on the deny list.",
        "Whoever runs digestbot has put this digest on the deny list: nothing should be built "
        "from it any longer.",
        "Take another digest as soon as you can: `digestbot scan --write` does it where there is "
        "one that may be proposed.",
    ),
}
