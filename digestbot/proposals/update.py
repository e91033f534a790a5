"""An update: one image that moved, and every place in one repo that pins it."""

from __future__ import annotations

from dataclasses import dataclass

from digestbot.image import Digest, ImageTag, Platform
from digestbot.policy.finding import Finding


@dataclass(frozen=True, slots=True)
class Update:
    """`image` is now `new`; each of `findings` pins something else and has its edits.

    `platform` is that of a steering comment; None follows the tag itself.
    """

    image: ImageTag
    platform: Platform | None
    new: Digest
    findings: tuple[Finding, ...]

    @property
    def key(self) -> str:
        """What is proposed, as one text: `docker.io/library/python:3.12@sha256:…`."""
        return f"{self.image}@{self.new}"
