"""Who is really asked for a name: prefix rules such as `harbor.corp/hub/` → `docker.io/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from digestbot.image import ImageTag
from digestbot.registry.origin import DOCKER_HUB

_IMPLIED = "library/"


def rewrite(image: ImageTag, mirrors: Mapping[str, str]) -> ImageTag:
    """The image that is asked for in place of this one.

    The longest prefix counts, on whole path components; no rule applies to the outcome of
    another. On Docker Hub, and so on a mirror of all of it, a name of one component is in
    `library/`. Hosts are in lower case from here on.
    """
    image = replace(image, registry=image.registry.lower())
    prefix = max((p for p in map(_slashed, mirrors) if _fits(image, p)), key=len, default="")
    if not prefix:
        return image
    target = next(_slashed(mirrors[p]) for p in mirrors if _slashed(p) == prefix)
    name = target + f"{image.image}/"[len(prefix) :].rstrip("/")
    registry, _, repository = name.rstrip("/").partition("/")
    if registry == DOCKER_HUB and "/" not in repository:
        repository = _IMPLIED + repository
    return ImageTag(registry, repository, image.tag)


def mirror_hosts(mirrors: Mapping[str, str]) -> frozenset[str]:
    """The registries that some rule leads to."""
    return frozenset(target.partition("/")[0] for target in mirrors.values())


def _slashed(prefix: str) -> str:
    return prefix.rstrip("/") + "/"


def _fits(image: ImageTag, prefix: str) -> bool:
    return f"{image.image}/".startswith(prefix)
