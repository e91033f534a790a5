"""From findings to updates: what a scan found, by image and new digest."""

from __future__ import annotations

from typing import TypeAlias

from digestbot.image import Digest, ImageTag, Platform
from digestbot.policy.finding import Finding, Status
from digestbot.policy.judge import followed_tag
from digestbot.proposals.update import Update
from digestbot.scan.result import ScanResult

_Identity: TypeAlias = tuple[ImageTag, Platform | None, Digest]
_TO_CHANGE = {Status.STALE, Status.UNPINNED}


def updates_of(result: ScanResult) -> tuple[Update, ...]:
    """The updates that a scan found and that can be edited, in order of their keys.

    One image:tag that is followed on two platforms has two digests, and thus two updates.
    """
    grouped: dict[_Identity, list[Finding]] = {}
    for finding in result.findings:
        identity = _identity(finding)
        if identity is not None:
            grouped.setdefault(identity, []).append(finding)
    updates = (
        Update(image, platform, new, tuple(findings))
        for (image, platform, new), findings in grouped.items()
    )
    return tuple(sorted(updates, key=lambda one: (one.key, str(one.platform or ""))))


def unknown_images(result: ScanResult) -> frozenset[str]:
    """The image:tags of which nobody could say what they have now."""
    tags = (followed_tag(one.occurrence) for one in result.findings if one.status is Status.FAILED)
    return frozenset(str(tag) for tag in tags if tag is not None)


def _identity(finding: Finding) -> _Identity | None:
    image, new = followed_tag(finding.occurrence), finding.new_digest
    if finding.status not in _TO_CHANGE or not finding.edits or image is None or new is None:
        return None
    return image, finding.occurrence.steering.platform, new
