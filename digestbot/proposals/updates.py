"""From findings to updates: what a scan found, by image and new digest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from digestbot.forge.pull import Survey
from digestbot.image import Digest, ImageTag, Platform
from digestbot.policy.finding import Finding, Status
from digestbot.policy.holding import OLDER
from digestbot.policy.judge import followed_tag
from digestbot.proposals.marker import read_marker
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
    """The image:tags of which it is not certain that nothing is to be proposed.

    Nobody could say what they have now, or that is held back, or it came back a moment ago.
    """
    tags = (followed_tag(one.occurrence) for one in result.findings if _is_passing(one))
    return frozenset(str(tag) for tag in tags if tag is not None)


def pinned_keys(result: ScanResult) -> frozenset[str]:
    """The keys (`image:tag@digest`) of what is pinned: to bring it, no pull request is needed."""
    found = ((followed_tag(one.occurrence), one.occurrence.reference) for one in result.findings)
    return frozenset(f"{tag}@{pin.digest}" for tag, pin in found if tag and pin and pin.digest)


def denied_keys(survey: Survey, denies: Callable[[Digest], bool]) -> frozenset[str]:
    """The keys (`image:tag@digest`) in pull requests whose digest is on the deny list."""
    markers = (read_marker(pull.body) for pull in survey.pulls or ())
    keys = {key for marker in markers if marker is not None for key in marker.keys}
    return frozenset(key for key in keys if _is_denied(key, denies))


def _is_passing(finding: Finding) -> bool:
    """Whether an update that is not there may be there again soon.

    Where the tag was set back it will not: what was proposed meanwhile is what it was set back
    from. Whatever else is held may be held for what a registry could not tell just now.
    """
    is_back = finding.status is Status.CURRENT and finding.until is not None
    is_held = finding.status is Status.HELD and finding.reason != OLDER
    return is_back or is_held or finding.status is Status.FAILED


def _is_denied(key: str, denies: Callable[[Digest], bool]) -> bool:
    try:
        return denies(Digest.parse(key.rpartition("@")[2]))
    except ValueError:
        return False


def _identity(finding: Finding) -> _Identity | None:
    image, new = followed_tag(finding.occurrence), finding.new_digest
    if finding.status not in _TO_CHANGE or not finding.edits or image is None or new is None:
        return None
    image = replace(image, tag=finding.new_tag or image.tag)
    return image, finding.occurrence.steering.platform, new
