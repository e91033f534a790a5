"""Which digest of a tag may be proposed now, and why none may: pure, from what was seen so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from digestbot.image import Digest
from digestbot.registry.manifests import Descriptor, Manifest

SETTLING: Final = "settling"
FLAPPING: Final = "flapping"
TOO_NEW: Final = "too-new"
# Not "denied": that is a registry that refuses.
DENIED: Final = "deny-listed"
OLDER: Final = "older"
PLATFORM_LOST: Final = "platform-lost"
SINGLE_NOW: Final = "single-now"
SAME_IMAGES: Final = "same-images"
ROLLOUT: Final = "rollout"

# So often a tag changes within the settle time before it is said to flap.
_MOST_CHANGES = 2
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Sighting:
    """For how long a digest was the tag's without a break, as this bot saw it.

    A tag that comes back to a digest has another sighting of it.
    """

    digest: Digest
    first_seen: datetime
    last_seen: datetime
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class HoldRules:
    """What is held back.

    Attributes:
        settle: How long a digest must have been the tag's.
        min_age: How long ago it must have been seen first.
        lost_platforms: Whether an index that lost a platform is held.
        same_images: Whether an index of which only attestations moved is held.
        deny: Digests that are never proposed.
        seen_by: What was seen by then was seen for long enough, as somebody who saw it said.
    """

    settle: timedelta = timedelta()
    min_age: timedelta = timedelta()
    lost_platforms: bool = True
    same_images: bool = True
    deny: frozenset[Digest] = frozenset()
    seen_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Why the digest that the tag has now is not proposed.

    Attributes:
        reason: A stable slug.
        message: A sentence.
        until: When to look again, if known.
        instead: A digest that may be proposed all the same; None where none may.
    """

    reason: str
    message: str
    until: datetime | None = None
    instead: Digest | None = None


Offer: TypeAlias = Digest | Hold
"""What may be proposed for a tag: this digest, or nothing for now."""


def offers(history: Sequence[Sighting], rules: HoldRules, now: datetime) -> tuple[Offer, ...]:
    """What may be proposed, the best first.

    Args:
        history: Of one tag, the oldest sighting first; the last is what the tag has now.
        rules: What is held back.
        now: Aware.

    Returns:
        Digests that are old enough, the newest first, so that the next may be taken where
        one is no longer pullable; a `Hold` at the end where the current digest is none of them.
        The newest is what the tag had last, whenever it was first seen.
    """
    if not history:
        return ()
    current = history[-1]
    # A clock that was set back makes nothing younger than it was.
    now = max(now, current.first_seen)
    newest_first = dict.fromkeys(one.digest for one in reversed(history))
    found = tuple(one for one in newest_first if _is_ripe(one, history, rules, now))
    if current.digest in found:
        return found
    return (*found, _why_not(history, rules, now))


def returned(history: Sequence[Sighting], rules: HoldRules, now: datetime) -> Hold | None:
    """Why the current digest may not be the tag's for long: it came back less than `settle` ago.

    Who pins it has nothing to update; but what was proposed in its place may be needed again.
    """
    *past, current = history
    until = current.first_seen + rules.settle
    if until <= now or all(one.digest != current.digest for one in past):
        return None
    message = f"the tag came back to it at {moment_text(current.first_seen)}"
    return Hold(FLAPPING, message, until, instead=current.digest)


def first_seen(history: Iterable[Sighting], digest: Digest) -> datetime | None:
    """When a digest was first seen; None where it never was."""
    return min((one.first_seen for one in history if one.digest == digest), default=None)


def is_older(history: Sequence[Sighting], digest: Digest, pinned: Digest) -> bool:
    """Whether a digest was first seen before the pinned one: proposing it would go backwards.

    What was never seen is older than all that was.
    """
    ours, theirs = first_seen(history, digest), first_seen(history, pinned)
    return ours is not None and theirs is not None and ours < theirs


def compare(old: Manifest, new: Manifest, rules: HoldRules | None = None) -> Hold | None:
    """Why a manifest should not take the place of another; None where nothing speaks against it.

    Builds of other releases of Windows for one architecture are other platforms, builds of the
    same release are not.
    """
    rules = rules or HoldRules()
    if not old.is_index:
        return None
    if not new.is_index:
        message = "it is a single image now, and no index of several platforms any more"
        return Hold(SINGLE_NOW, message) if rules.lost_platforms else None
    lost = sorted(_platforms(old) - _platforms(new))
    if lost and rules.lost_platforms:
        return Hold(PLATFORM_LOST, f"it no longer runs on {_listed(lost)}")
    images = {image.digest for image in old.images}
    if rules.same_images and images and images == {image.digest for image in new.images}:
        message = "its images are the ones that are pinned: only attestations or notes moved"
        return Hold(SAME_IMAGES, message)
    return None


def moment_text(moment: datetime) -> str:
    """A moment for people: `2026-11-21 13:00 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _is_ripe(digest: Digest, history: Sequence[Sighting], rules: HoldRules, now: datetime) -> bool:
    if digest in rules.deny:
        return False
    settled, born = _settled_at(digest, history, rules), first_seen(history, digest)
    if rules.seen_by is not None and born is not None and born <= rules.seen_by:
        return True
    return settled is not None and born is not None and max(settled, born + rules.min_age) <= now


def _settled_at(digest: Digest, history: Sequence[Sighting], rules: HoldRules) -> datetime | None:
    """When a digest had first been the tag's for long enough; None where it never will have.

    What the tag has now will have, if it stays.
    """
    current = history[-1]
    lasted = (
        one.first_seen + rules.settle
        for one in history
        if one.digest == digest
        and (one is current or one.last_seen - one.first_seen >= rules.settle)
    )
    return min(lasted, default=None)


def _why_not(history: Sequence[Sighting], rules: HoldRules, now: datetime) -> Hold:
    """Why what the tag has now is not offered."""
    current = history[-1]
    if current.digest in rules.deny:
        return Hold(DENIED, "it is on the deny list")
    settled = _settled_at(current.digest, history, rules) or current.first_seen
    born = first_seen(history, current.digest) or current.first_seen
    until = max(settled, born + rules.min_age)
    end = f"proposed from {moment_text(until)} on"
    if settled <= now:
        return Hold(TOO_NEW, f"it was first seen {moment_text(born)}; {end}", until)
    since = moment_text(current.first_seen)
    if _flaps(history, rules, now):
        message = (
            f"the tag goes back and forth; it has this digest since {since}; {end}, if it stays"
        )
        return Hold(FLAPPING, message, until)
    return Hold(SETTLING, f"the tag has it since {since}; {end}, if it stays", until)


def _flaps(history: Sequence[Sighting], rules: HoldRules, now: datetime) -> bool:
    *past, current = history
    if any(one.digest == current.digest for one in past):
        return True
    recent = [one for one in history if one.last_seen > now - rules.settle]
    comes_back = len({one.digest for one in recent}) < len(recent)
    return comes_back and len(recent) - 1 > _MOST_CHANGES


def _platforms(index: Manifest) -> set[str]:
    return {name for image in index.images if (name := _platform(image))}


def _platform(image: Descriptor) -> str:
    """`linux/arm64`; `windows/amd64 10.0.17763` without the build's last number, which moves."""
    if image.platform is None:
        return ""
    release = ".".join(image.platform.os_version.split(".")[:3])
    return f"{image.platform} {release}".rstrip()


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
