"""An update: one image that moved, and every place in one repo that pins it."""

from __future__ import annotations

from dataclasses import dataclass

from digestbot.image import Digest, ImageTag, Platform
from digestbot.policy.finding import Finding
from digestbot.policy.judge import followed_tag


@dataclass(frozen=True, slots=True)
class Update:
    """`image` is now `new`; each of `findings` pins something else and has its edits.

    `platform` is that of a steering comment; None follows the tag itself. Mostly `image` is what
    the findings follow already; a rollout may bring them from another tag of it.
    """

    image: ImageTag
    platform: Platform | None
    new: Digest
    findings: tuple[Finding, ...]

    @property
    def key(self) -> str:
        """What is proposed, as one text: `docker.io/library/python:3.12@sha256:…`."""
        return f"{self.image}@{self.new}"

    @property
    def other_tags(self) -> tuple[str, ...]:
        """The tags that its findings follow in place of that of `image`, sorted; mostly none."""
        tags = {tag.tag for one in self.findings if (tag := followed_tag(one.occurrence))}
        return tuple(sorted(tags - {self.image.tag}))
