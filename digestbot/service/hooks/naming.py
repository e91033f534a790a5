"""From the names in a payload to hints: images of the hook's own registry, and of no other.

Whatever registry a payload speaks of, the hint is about the one that the hook was configured
for: a payload cannot send us to another host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from digestbot.image import ImageReference, ImageTag, InvalidReferenceError
from digestbot.service.hooks.delivery import Hint, ImageHint, MalformedError, Reading

# Manifests by digest (children of an index), and what hangs on one: signatures, attestations.
_NO_TAG = re.compile(r"sha(?:256|384|512)(?::|-|__)[0-9a-f]{32,}.*", re.DOTALL)


def name_image(registry: str, repository: str, tag: str) -> tuple[Hint, ...]:
    """The hint about one tag; nothing where the tag is empty, or is a digest.

    Raises:
        MalformedError: The names are not those of an image.
    """
    return name_any(registry, (repository,), tag)


def name_any(registry: str, repositories: Iterable[str], tag: str) -> tuple[Hint, ...]:
    """The same, where the payload leaves open which of these names the image has.

    Raises:
        MalformedError: None of them is the name of an image.
    """
    if not tag or _NO_TAG.fullmatch(tag):
        return ()
    named = [_image(registry, repository, tag) for repository in repositories]
    hints = tuple(dict.fromkeys(ImageHint(image) for image in named if image is not None))
    if not hints:
        raise MalformedError("its names are not those of an image")
    return hints


def reading(hints: Iterable[Hint], delivery_id: str = "") -> Reading:
    """These hints, each once."""
    return Reading(tuple(dict.fromkeys(hints)), delivery_id)


def _image(registry: str, repository: str, tag: str) -> ImageTag | None:
    try:
        found = ImageReference.parse(f"{registry}/{repository}:{tag}")
    except InvalidReferenceError:
        return None
    # Characters that end a name may not move the borders between its parts.
    return found.followed if (found.registry, found.tag) == (registry, tag) else None
