"""Proposals and evidence for the tests of their words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from digestbot.files.occurrence import Occurrence
from digestbot.forge.repo import Repo
from digestbot.forge.sha import CommitSha, ObjectSha
from digestbot.image import Digest, ImageReference, Platform
from digestbot.policy.finding import Finding, Status
from digestbot.proposals.evidence import Evidence, Witness
from digestbot.proposals.proposal import Proposal
from digestbot.proposals.update import Update
from digestbot.registry.exchange import RequestCounts
from digestbot.registry.image_facts import Described, ImageFacts
from tests.registries.samples import OCI_INDEX

HEAD = "0123456789abcdef0123456789abcdef01234567"
OLD, NEW = Digest.of(b"old"), Digest.of(b"new")
REPO = Repo("acme/app", "main", CommitSha(HEAD), ObjectSha(HEAD), url="https://github.com/acme/app")
OCI = "org.opencontainers.image."


def update(
    image: str = "python:3.13-slim",
    *,
    old: Iterable[Digest | None] = (OLD,),
    new: Digest = NEW,
    path: str = "Dockerfile",
    written: str | None = None,
) -> Update:
    """An update of one image; a place for each of `old`, one below the other."""
    findings = tuple(
        finding(image if one is None else f"{image}@{one}", path, line, written)
        for line, one in enumerate(old, 1)
    )
    tag = ImageReference.parse(image).followed
    assert tag
    return Update(tag, None, new, findings)


def moving(image: str, *tags: str) -> Update:
    """An update that brings pins of these tags of an image to another one."""
    name = image.rpartition(":")[0]
    one = update(image)
    found = (finding(f"{name}:{tag}@{OLD}", "Dockerfile", line) for line, tag in enumerate(tags, 1))
    return replace(one, findings=tuple(found))


def finding(image: str, path: str, line: int, written: str | None = None) -> Finding:
    reference = ImageReference.parse(image)
    place = Occurrence(path, line, 6, "dockerfile", "from", written or image, reference)
    return Finding(place, Status.STALE, "moved", "")


def proposal(*updates: Update) -> Proposal:
    return Proposal("digestbot/images", updates or (update(),), (), "0123456789abcdef")


def facts(
    digest: Digest = NEW,
    *,
    created: str = "2026-10-05T12:00:00Z",
    platforms: Iterable[str] = ("linux/amd64", "linux/arm64"),
    media_type: str = OCI_INDEX,
    **labels: str,
) -> ImageFacts:
    """What a registry tells of an image; labels are OCI annotations."""
    parsed = tuple(map(Platform.parse, platforms))
    described = Described(
        parsed[0] if parsed else None,
        created,
        annotations={OCI + key: value for key, value in labels.items()},
    )
    reference = ImageReference.parse(f"python@{digest}")
    return ImageFacts(
        reference, "docker.io", digest, media_type, parsed, described, RequestCounts()
    )


def evidence(old: ImageFacts | None = None, new: ImageFacts | None = None) -> Evidence:
    """Evidence of one pinned image; by default both are alike."""
    before = old or facts(OLD, created="2026-09-20T12:00:00Z")
    return Evidence(Witness(NEW, new or facts()), (Witness(OLD, before),))


UNKNOWN = Evidence(Witness(NEW, why_not="rate-limited"), (Witness(OLD, why_not="not-found"),))
