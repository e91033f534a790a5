"""What a webhook brings: bytes from a stranger, until somebody vouches for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from digestbot.image import ImageTag
from digestbot.secret import Secret


@dataclass(frozen=True, slots=True)
class Delivery:
    """One POST.

    Attributes:
        headers: By name in lower case; the last of several of one name.
        body: As it came, not yet parsed.
        path_secret: What stands behind the hook's name in the path; empty without.
    """

    headers: Mapping[str, str]
    body: bytes
    path_secret: str = ""


@dataclass(frozen=True, slots=True)
class ImageHint:
    """A tag may have another digest: worth asking its registry."""

    image: ImageTag


@dataclass(frozen=True, slots=True)
class RepoHint:
    """Something happened in a repo on GitHub, by its full name: worth looking at it."""

    name: str


@dataclass(frozen=True, slots=True)
class ListHint:
    """Repos came or went: worth listing them."""


Hint: TypeAlias = ImageHint | RepoHint | ListHint


@dataclass(frozen=True, slots=True)
class Reading:
    """What a delivery says, once it is believed.

    Attributes:
        hints: Nothing for events that are of no interest.
        id: The sender's own name of the delivery, by which a second one is known; empty without.
    """

    hints: tuple[Hint, ...] = ()
    id: str = ""


class MalformedError(ValueError):
    """The body is not what its source sends; the message says what is wrong, without the body."""


class Source(Protocol):
    """One kind of sender."""

    def is_authentic(self, delivery: Delivery, secret: Secret) -> bool:
        """Whether whoever sent it knows the secret; compared in constant time, before parsing."""

    def read(self, delivery: Delivery, registry: str) -> Reading:
        """What it says, of images of this registry and of no other; empty for a forge.

        Raises:
            MalformedError: It is not what this source sends.
        """
