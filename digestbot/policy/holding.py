"""Which digest of a tag may be proposed now, and why none may: pure, from what was seen so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from digestbot.image import Digest


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
    """

    settle: timedelta = timedelta()
    min_age: timedelta = timedelta()
    lost_platforms: bool = True
    same_images: bool = True
    deny: frozenset[Digest] = frozenset()


@dataclass(frozen=True, slots=True)
class Hold:
    """Why nothing is proposed: a stable slug, a sentence, and when to look again, if known."""

    reason: str
    message: str
    until: datetime | None = None


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
    """
    raise NotImplementedError
