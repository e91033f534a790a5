"""The verdict on one occurrence: first whether to ask at all, then what the answer means."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from digestbot.files.occurrence import Occurrence
from digestbot.image import Digest, ImageTag
from digestbot.policy.finding import Finding, Status
from digestbot.policy.ignore import IgnoreRule, why_ignored
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolution


def question(
    occurrence: Occurrence, *, pin: bool, ignore: Sequence[IgnoreRule], today: date
) -> Query | Finding:
    """What to ask about this occurrence; or its finding, where there is nothing to ask.

    With `pin`, a reference without a digest is asked about too.
    """
    if occurrence.skip is not None:
        return _skipped(occurrence, occurrence.skip.reason, occurrence.skip.message)
    why = why_ignored(occurrence, ignore, today=today)
    if why is not None:
        return _skipped(occurrence, "ignored", why)
    reference = occurrence.reference
    if reference is None:
        raise ValueError(f"{occurrence} has neither a reference nor a skip")
    if reference.digest is None and not pin:
        return Finding(
            occurrence,
            Status.UNPINNED,
            "no-digest",
            f"{reference} names no digest",
            hint="--pin adds the digest the tag has now",
        )
    tag = followed_tag(occurrence)
    if tag is None:
        return _skipped(
            occurrence,
            "no-tag",
            f"{reference.image} is pinned without a tag, so nothing says what to follow",
            hint="write the tag before the digest, or above it: # digestbot: tag=…",
        )
    if occurrence.steering.tag not in (None, tag.tag):
        return _skipped(
            occurrence,
            "bad-comment",
            f"the comment says tag={occurrence.steering.tag}, the reference says {tag.tag}",
            hint="remove the comment: the tag in the reference is enough",
        )
    if reference.digest is not None and reference.digest.algorithm != "sha256":
        return _skipped(
            occurrence,
            "other-algorithm",
            f"pinned by {reference.digest.algorithm}; registries tell the sha256 of a tag",
        )
    return Query(tag, occurrence.steering.platform)


def followed_tag(occurrence: Occurrence) -> ImageTag | None:
    """The tag to follow: the written one, else what the comment above says."""
    reference = occurrence.reference
    if reference is None:
        return None
    if reference.followed is None and occurrence.steering.tag is not None:
        return ImageTag(reference.registry, reference.repository, occurrence.steering.tag)
    return reference.followed


def judge(occurrence: Occurrence, answer: Resolution | RegistryError) -> Finding:
    """The finding for an occurrence that was asked about; its edits are planned later.

    Unknown stays unknown: an error is `failed` with its cause, never `current`.
    """
    if isinstance(answer, RegistryError):
        return Finding(occurrence, Status.FAILED, answer.code, str(answer), hint=answer.hint)
    pinned = occurrence.reference.digest if occurrence.reference else None
    if pinned == answer.digest:
        return Finding(
            occurrence, Status.CURRENT, "up-to-date", f"{answer.query} is what the tag has now"
        )
    return _to_update(occurrence, pinned, answer)


def _to_update(occurrence: Occurrence, pinned: Digest | None, answer: Resolution) -> Finding:
    if pinned is None:
        status, reason = Status.UNPINNED, "no-digest"
        message = f"{answer.query} has {answer.digest}"
    else:
        status, reason = Status.STALE, "digest-moved"
        message = f"{answer.query} moved to {answer.digest}"
    if occurrence.refusal is not None:
        reason = occurrence.refusal.reason
        message = f"{message}; not edited: {occurrence.refusal.message}"
    return Finding(occurrence, status, reason, message, new_digest=answer.digest)


def _skipped(occurrence: Occurrence, reason: str, message: str, *, hint: str = "") -> Finding:
    return Finding(occurrence, Status.SKIPPED, reason, message, hint=hint)
