"""Manifests and indexes: what their bytes say.

See OCI image-spec (manifest.md, image-index.md) and docker's manifest v2 schema 2.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from digestbot.image import Digest, Platform
from digestbot.registry.errors import RegistryError

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX_TYPES: Final = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFEST_TYPES: Final = INDEX_TYPES | {OCI_MANIFEST, DOCKER_MANIFEST}
SCHEMA1_TYPES: Final = frozenset(
    {
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
    }
)
# One type left out, and some registries answer with another manifest, and its digest.
ACCEPT: Final = f"{OCI_INDEX}, {DOCKER_LIST}, {OCI_MANIFEST}, {DOCKER_MANIFEST}"

MAX_CHILDREN = 2048
MAX_ANNOTATIONS = 256
_ATTESTATION = "attestation-manifest"
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What points to bytes: their digest, type and size; in an index also their platform."""

    digest: Digest
    media_type: str = ""
    size: int = -1
    platform: Platform | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_attestation(self) -> bool:
        """Whether this is provenance or an SBOM that BuildKit put beside the images."""
        if self.annotations.get("vnd.docker.reference.type") == _ATTESTATION:
            return True
        return self.platform is not None and _UNKNOWN in (
            self.platform.os,
            self.platform.architecture,
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """An image or an index: `children` of an index, `config` of an image."""

    digest: Digest
    media_type: str
    annotations: Mapping[str, str] = field(default_factory=dict)
    children: tuple[Descriptor, ...] = ()
    config: Descriptor | None = None

    @property
    def is_index(self) -> bool:
        """Whether this lists images for several platforms."""
        return self.media_type in INDEX_TYPES

    @property
    def images(self) -> tuple[Descriptor, ...]:
        """The children that can run: no attestations."""
        return tuple(child for child in self.children if not child.is_attestation)


def read_manifest(body: bytes, content_type: str, host: str) -> Manifest:
    """Read the bytes of a manifest; its digest is that of the bytes.

    Args:
        body: What the registry sent.
        content_type: The media type it gave, without parameters; the body's own counts where
            this one is none of `MANIFEST_TYPES`.
        host: Who sent it, for errors.

    Raises:
        RegistryError: It is no manifest, contradicts itself, or is of the first schema.
    """
    data = read_object(body, "manifest", host)
    media_type = _media_type(data, content_type, host)
    digest = Digest.of(body)
    annotations = _annotations(data.get("annotations"))
    if media_type in INDEX_TYPES:
        return Manifest(digest, media_type, annotations, _children(data, host))
    try:
        config = _descriptor(data.get("config"))
    except ValueError as error:
        raise _bad(host, f"names no valid config: {error}") from error
    return Manifest(digest, media_type, annotations, config=config)


def read_object(body: bytes, what: str, host: str) -> dict[str, object]:
    """The JSON object in these bytes.

    Raises:
        RegistryError: There is none.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _bad(host, f"is not JSON, or too deep ({type(error).__name__})", what) from error
    if not isinstance(data, dict):
        raise _bad(host, "is not a JSON object", what)
    return data


def select_platform(children: Iterable[Descriptor], platform: Platform, host: str) -> Descriptor:
    """The one child for this platform, by its normalised spelling.

    Raises:
        RegistryError: There is none, or more than one.
    """
    runnable = [child for child in children if not child.is_attestation]
    found = {child.digest: child for child in runnable if _matches(child.platform, platform)}
    if len(found) == 1:
        return next(iter(found.values()))
    known = sorted({str(child.platform) for child in runnable if child.platform})
    count = "no image" if not found else f"{len(found)} images"
    raise RegistryError(
        f"{host} has {count} for {platform}",
        code="platform-missing",
        host=host,
        hint=f"there is: {', '.join(known[:20])}" if known else "the index names no platforms",
    )


def refuse_schema1(media_type: str, host: str) -> None:
    """Do nothing, unless this is the type of docker's first image format.

    Raises:
        RegistryError: It is.
    """
    if media_type in SCHEMA1_TYPES:
        message = f"{host} has the image only in Docker's oldest format (schema 1)"
        hint = "push the image again with any current tool; such a digest cannot be checked"
        raise RegistryError(message, code="schema1", host=host, hint=hint)


def read_platform(value: object) -> Platform | None:
    """The platform in a descriptor or a config; None where none is named."""
    if not isinstance(value, dict):
        return None
    names = ("os", "architecture", "variant", "os.version")
    system, architecture, variant, version = (_text(value.get(name)) for name in names)
    if not system or not architecture:
        return None
    return Platform.normalized(system, architecture, variant, version)


def _media_type(data: Mapping[str, object], content_type: str, host: str) -> str:
    refuse_schema1(content_type, host)
    own = data.get("mediaType")
    own = own.lower() if isinstance(own, str) else ""
    if content_type in MANIFEST_TYPES and own not in ("", content_type):
        raise _bad(host, f"is sent as {content_type}, but calls itself {own[:100]!r}")
    if data.get("schemaVersion") == 1:
        own = min(SCHEMA1_TYPES)
    media_type = content_type if content_type in MANIFEST_TYPES else own
    refuse_schema1(media_type, host)
    if not media_type and isinstance(data.get("manifests"), list):
        media_type = OCI_INDEX
    if not media_type and isinstance(data.get("config"), dict):
        media_type = OCI_MANIFEST
    if media_type not in MANIFEST_TYPES:
        raise _bad(host, f"is of a type that is no image: {media_type[:100]!r}")
    return media_type


def _children(data: Mapping[str, object], host: str) -> tuple[Descriptor, ...]:
    entries = data.get("manifests")
    if not isinstance(entries, list):
        raise _bad(host, "is an index without a list of manifests")
    if len(entries) > MAX_CHILDREN:
        raise _bad(host, f"is an index of more than {MAX_CHILDREN} manifests")
    try:
        return tuple(_descriptor(entry) for entry in entries)
    except ValueError as error:
        raise _bad(host, f"is an index with an entry that is not valid: {error}") from error


def _descriptor(entry: object) -> Descriptor:
    if not isinstance(entry, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 - one error for all that is wrong
    size = entry.get("size")
    return Descriptor(
        Digest.parse(_text(entry.get("digest"))),
        _text(entry.get("mediaType")).lower(),
        size if isinstance(size, int) else -1,
        read_platform(entry.get("platform")),
        _annotations(entry.get("annotations")),
    )


def _matches(found: Platform | None, wanted: Platform) -> bool:
    if found is None:
        return False
    same = (found.os, found.architecture, found.variant)
    return same == (wanted.os, wanted.architecture, wanted.variant) and (
        not wanted.os_version or found.os_version == wanted.os_version
    )


def _annotations(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    texts = ((key, text) for key, text in value.items() if isinstance(text, str))
    return dict(sorted(texts)[:MAX_ANNOTATIONS])


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _bad(host: str, what: str, subject: str = "manifest") -> RegistryError:
    message = f"the {subject} that {host} sends {what}"
    return RegistryError(message, code="bad-manifest", host=host)
