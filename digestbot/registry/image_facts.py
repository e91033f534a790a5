"""What there is to know of one image: for people, with as few requests as possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from digestbot.image import Digest, ImageReference, ImageTag, Platform
from digestbot.registry.errors import RegistryError
from digestbot.registry.exchange import RequestCounts
from digestbot.registry.manifests import Descriptor, Manifest, read_object, read_platform
from digestbot.registry.mirrors import rewrite
from digestbot.registry.notes import Quota
from digestbot.registry.pace import Deadline
from digestbot.registry.resolver import RegistryResolver

MAX_LABELS = 256
_CREATED = "org.opencontainers.image.created"
_USUAL = Platform("linux", "amd64")


@dataclass(frozen=True, slots=True)
class Described:
    """One image of those a tag names.

    Attributes:
        platform: What it runs on.
        created: As the image says it, often a made-up time; empty where it does not.
        labels: Labels of its config; empty where the annotations tell enough.
        annotations: Of its manifest, and of its entry in the index.
    """

    platform: Platform | None = None
    created: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """One image, as its registry has it now.

    Attributes:
        reference: What was asked for.
        answered_by: The registry that was really asked.
        digest: Of the tag; of an index where it has one.
        media_type: Of what the digest names.
        platforms: What the image runs on.
        described: The image for linux/amd64, or the first.
        requests: How many it took.
        quota: What the registry still allows.
        warnings: What the registry wants its users to know.
    """

    reference: ImageReference
    answered_by: str
    digest: Digest
    media_type: str
    platforms: tuple[Platform, ...]
    described: Described
    requests: RequestCounts
    quota: Quota | None = None
    warnings: tuple[str, ...] = ()


def read_image(resolver: RegistryResolver, reference: ImageReference) -> ImageFacts:
    """Ask for an image by its tag, or by its digest where it has no tag.

    Raises:
        RegistryError: There is no answer that can be trusted.
    """
    followed = reference.followed
    name = followed.tag if followed else str(reference.digest)
    wanted = ImageTag(reference.registry, reference.repository, name)
    asked = rewrite(wanted, resolver.settings.mirrors)
    before = resolver.counts().get(asked.registry, RequestCounts())
    try:
        named = None if followed else reference.digest
        reader = _Reader(resolver, asked, named, resolver.deadline())
        manifest, platforms, described = reader.read()
    except RegistryError as error:
        raise error.about(reference) from error
    notes = resolver.notes(asked.registry)
    return ImageFacts(
        reference,
        asked.registry,
        manifest.digest,
        manifest.media_type,
        platforms,
        described,
        resolver.counts()[asked.registry] - before,
        notes.quota,
        tuple(notes.warnings),
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    resolver: RegistryResolver
    asked: ImageTag
    named: Digest | None
    deadline: Deadline

    def read(self) -> tuple[Manifest, tuple[Platform, ...], Described]:
        manifest = self._manifest()
        if not manifest.is_index:
            described = self._describe(manifest, manifest.annotations)
            return manifest, (described.platform,) if described.platform else (), described
        platforms = tuple(image.platform for image in manifest.images if image.platform)
        return manifest, platforms, self._describe_one_of(manifest)

    def _manifest(self) -> Manifest:
        """What the tag or the digest names; a digest is asked about once in a run."""
        if self.named is not None:
            return self.resolver.manifest(self.asked, self.named, self.deadline)
        client = self.resolver.client(self.asked.registry)
        return client.manifest(self.asked.repository, self.asked.tag, self.deadline)

    def _describe_one_of(self, index: Manifest) -> Described:
        if not index.images:
            return Described(annotations=index.annotations)
        usual = (image for image in index.images if image.platform == _USUAL)
        entry = next(usual, index.images[0])
        annotations = {**index.annotations, **entry.annotations}
        if _CREATED in annotations:
            # Docker's own images say all of it in the index: nothing more to ask.
            return Described(entry.platform, annotations[_CREATED], annotations=annotations)
        child = self.resolver.manifest(self.asked, entry.digest, self.deadline)
        return self._describe(child, {**annotations, **child.annotations})

    def _describe(self, manifest: Manifest, annotations: Mapping[str, str]) -> Described:
        if manifest.config is None:
            return Described(annotations=annotations)
        return self._read_config(manifest.config, annotations)

    def _read_config(self, config: Descriptor, annotations: Mapping[str, str]) -> Described:
        client = self.resolver.client(self.asked.registry)
        body = client.blob(self.asked.repository, config, self.deadline)
        data = read_object(body, "config", self.asked.registry)
        created = data.get("created")
        created = created if isinstance(created, str) else annotations.get(_CREATED, "")
        return Described(read_platform(data), created, _labels(data), annotations)


def _labels(data: Mapping[str, object]) -> dict[str, str]:
    inner = data.get("config")
    labels = inner.get("Labels") if isinstance(inner, dict) else None
    if not isinstance(labels, dict):
        return {}
    texts = ((key, text) for key, text in labels.items() if isinstance(text, str))
    return dict(sorted(texts)[:MAX_LABELS])
