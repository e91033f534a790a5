"""The verdict on one occurrence: first whether to ask at all, then what the answer means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from digestbot.files.occurrence import Occurrence
from digestbot.image import Digest, ImageTag
from digestbot.policy.finding import DENIED_PINNED, Finding, Status
from digestbot.policy.holding import Hold, Offer
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


def judge(
    occurrence: Occurrence, answer: Resolution | RegistryError, tag: str | None = None
) -> Finding:
    """The finding for an occurrence that was asked about; its edits are planned later.

    Unknown stays unknown: an error is `failed` with its cause, never `current`. With a `tag`,
    it is to follow that from now on, with the digest of the answer.
    """
    if isinstance(answer, RegistryError):
        return Finding(occurrence, Status.FAILED, answer.code, str(answer), hint=answer.hint)
    pinned = _pinned(occurrence)
    followed = followed_tag(occurrence)
    if tag is not None and followed is not None and tag != followed.tag:
        return _to_update(occurrence, pinned, answer, tag)
    if pinned == answer.digest:
        return Finding(
            occurrence, Status.CURRENT, "up-to-date", f"{answer.query} is what the tag has now"
        )
    return _to_update(occurrence, pinned, answer)


def weighed(finding: Finding, answer: Resolution, offer: Offer) -> Finding:
    """The finding of `judge`, by what may be proposed for it.

    Where that is the digest of the tag, the finding stands. Another one is proposed in its
    place; a pin that is that one already is held, as is everything where there is none. A pin
    that is what the tag came back to stays current, and is to be looked at again.
    """
    if offer == answer.digest:
        return finding
    pinned = _pinned(finding.occurrence)
    if finding.status is Status.CURRENT and isinstance(offer, Hold) and offer.instead == pinned:
        return replace(finding, message=f"{finding.message}; {offer.message}", until=offer.until)
    hold = offer if isinstance(offer, Hold) else Hold("not-newest", "", instead=offer)
    if hold.instead is None or hold.instead == pinned:
        message = _sentence(_news(pinned, answer), "held back", hold.message)
        return Finding(finding.occurrence, Status.HELD, hold.reason, message, until=hold.until)
    instead = replace(answer, digest=hold.instead)
    older = _to_update(finding.occurrence, pinned, instead, finding.new_tag)
    reason = "not-newest" if finding.occurrence.refusal is None else older.reason
    said = f"{hold.instead} is proposed, which is not the newest"
    message = _sentence(_news(pinned, answer), said, hold.message)
    return replace(older, reason=reason, message=message, until=hold.until)


def denied(finding: Finding) -> Finding:
    """The finding for a pin that is on the deny list, whatever else is true of it.

    It is stale where another digest is proposed, and held where none is; who is not followed
    stays skipped.
    """
    is_kept = finding.new_digest is not None or finding.status is Status.SKIPPED
    status = finding.status if is_kept else Status.HELD
    message = f"{_pinned(finding.occurrence)} is pinned and on the deny list; {finding.message}"
    return replace(finding, status=status, reason=DENIED_PINNED, message=message)


def _pinned(occurrence: Occurrence) -> Digest | None:
    return occurrence.reference.digest if occurrence.reference else None


def _news(pinned: Digest | None, answer: Resolution) -> str:
    return f"{answer.query} {'moved to' if pinned else 'has'} {answer.digest}"


def _sentence(news: str, said: str, why: str) -> str:
    return f"{news}; {said}: {why}" if why else f"{news}; {said}"


def _to_update(
    occurrence: Occurrence, pinned: Digest | None, answer: Resolution, tag: str | None = None
) -> Finding:
    if pinned is None:
        status, reason = Status.UNPINNED, "no-digest"
    elif tag is not None:
        status, reason = Status.STALE, "other-tag"
    else:
        status, reason = Status.STALE, "digest-moved"
    message = _news(pinned, answer)
    if tag is not None:
        message = f"{answer.query} is to become {tag}@{answer.digest}"
    if occurrence.refusal is not None:
        reason = occurrence.refusal.reason
        message = f"{message}; not edited: {occurrence.refusal.message}"
    return Finding(occurrence, status, reason, message, new_tag=tag, new_digest=answer.digest)


def _skipped(occurrence: Occurrence, reason: str, message: str, *, hint: str = "") -> Finding:
    return Finding(occurrence, Status.SKIPPED, reason, message, hint=hint)
