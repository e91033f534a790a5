"""What is asked of a registry, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from digestbot.image import Digest, ImageTag, Platform


@dataclass(frozen=True, slots=True)
class Query:
    """One question: the digest of this tag; of this platform's manifest where one is given."""

    image: ImageTag
    platform: Platform | None = None

    def __str__(self) -> str:
        return f"{self.image} ({self.platform})" if self.platform else str(self.image)


@dataclass(frozen=True, slots=True)
class Resolution:
    """One answer: the digest the tag has now, and who said so.

    `answered_by` is the host that was really asked; it differs from the image's registry
    behind a mirror rule. `media_type` is empty where the source does not tell.
    """

    query: Query
    digest: Digest
    media_type: str = ""
    answered_by: str = ""


class Resolver(Protocol):
    """Someone who knows the digests of tags."""

    def resolve(self, query: Query) -> Resolution:
        """The digest this tag has now. Safe to call from many threads.

        Raises:
            RegistryError: There is no answer that can be trusted.
        """
