"""Images for tests: small, deterministic, with a new digest per build."""

from __future__ import annotations

import json
from dataclasses import dataclass

from digestbot.image import Digest

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CREATED = "2026-10-05T12:00:00Z"


@dataclass(frozen=True)
class Sample:
    """The bytes of a manifest or index, their type, and the blobs and manifests it needs."""

    body: bytes
    media_type: str
    blobs: tuple[bytes, ...] = ()
    children: tuple[Sample, ...] = ()

    @property
    def digest(self) -> Digest:
        return Digest.of(self.body)


def make_image(
    build: object = 1, platform: str = "linux/amd64", *, labels: dict[str, str] | None = None
) -> Sample:
    """One image with a config and no layers; `build` makes its digest."""
    system, architecture, *variant = platform.split("/")
    config: dict[str, object] = {
        "created": CREATED,
        "os": system,
        "architecture": architecture,
        "config": {"Labels": {"build": str(build)} | (labels or {})},
        "rootfs": {"type": "layers", "diff_ids": []},
    }
    if variant:
        config["variant"] = variant[0]
    blob = json.dumps(config).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": OCI_CONFIG, "digest": str(Digest.of(blob)), "size": len(blob)},
        "layers": [],
    }
    return Sample(json.dumps(manifest).encode(), OCI_MANIFEST, (blob,))


def make_index(
    build: object = 1,
    *platforms: str,
    media_type: str = OCI_INDEX,
    annotations: dict[str, str] | None = None,
    extra: tuple[dict[str, object], ...] = (),
) -> Sample:
    """An index over an image per platform (linux/amd64 and linux/arm64 without any)."""
    chosen = platforms or ("linux/amd64", "linux/arm64")
    images = tuple(make_image(build, platform) for platform in chosen)
    entries: list[dict[str, object]] = [
        _entry(image, platform) for image, platform in zip(images, chosen, strict=True)
    ]
    index: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "manifests": [*entries, *extra],
    }
    if annotations:
        index["annotations"] = annotations
    return Sample(json.dumps(index).encode(), media_type, children=images)


def make_attestation(image: Sample) -> dict[str, object]:
    """The entry of an index that BuildKit writes for provenance of an image in it."""
    return {
        "mediaType": OCI_MANIFEST,
        "digest": str(Digest.of(b"attestation" + image.body)),
        "size": 2,
        "annotations": {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": str(image.digest),
        },
        "platform": {"os": "unknown", "architecture": "unknown"},
    }


def _entry(image: Sample, platform: str) -> dict[str, object]:
    system, architecture, *variant = platform.split("/")
    described = {"os": system, "architecture": architecture}
    if variant:
        described["variant"] = variant[0]
    return {
        "mediaType": image.media_type,
        "digest": str(image.digest),
        "size": len(image.body),
        "platform": described,
    }
