"""What registries tell of an update: the image that is pinned, and the one that replaces it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from digestbot.image import Digest, ImageReference, ImageTag
from digestbot.once import Once
from digestbot.proposals.update import Update
from digestbot.registry.errors import RegistryError
from digestbot.registry.image_facts import ImageFacts, read_image
from digestbot.registry.resolver import RegistryResolver

MAX_OLD = 3


@dataclass(frozen=True, slots=True)
class Witness:
    """An image, as its registry describes it; `why_not` is the code of its refusal."""

    digest: Digest
    facts: ImageFacts | None = None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of an update; `old` are the pinned images, the commonest first."""

    new: Witness
    old: tuple[Witness, ...] = ()


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Gathers evidence, asking for each image once however many updates have it.

    Safe to call from many threads; a registry that refuses is no error.
    """

    read: Callable[[ImageReference], ImageFacts]
    _seen: Once[tuple[str, Digest], Witness] = field(default_factory=Once)

    @classmethod
    def of(cls, resolver: RegistryResolver) -> Inquiry:
        """An inquiry with these registries."""
        return cls(partial(read_image, resolver))

    def __call__(self, update: Update) -> Evidence:
        """The evidence for one update, of up to three pinned images."""
        old = tuple(self.witness(update.image, digest) for digest in old_digests(update)[:MAX_OLD])
        return Evidence(self.witness(update.image, update.new), old)

    def witness(self, image: ImageTag, digest: Digest) -> Witness:
        """What the registry of an image tells of one of its digests."""
        return self._seen.get((image.image, digest), lambda: self._read(image, digest))

    def _read(self, image: ImageTag, digest: Digest) -> Witness:
        written = f"{image.image}@{digest}"
        reference = ImageReference(written, image.registry, image.repository, None, digest)
        try:
            return Witness(digest, self.read(reference))
        except RegistryError as error:
            return Witness(digest, why_not=error.code)


def old_digests(update: Update) -> tuple[Digest, ...]:
    """The digests that an update replaces, the commonest first; none for a first pin."""
    references = (finding.occurrence.reference for finding in update.findings)
    counts = Counter(one.digest for one in references if one and one.digest)
    ranked = sorted(counts, key=lambda digest: (-counts[digest], str(digest)))
    return tuple(ranked)
