"""Sonatype Nexus: says which of its repositories a tag came into, not how that is reached."""

from __future__ import annotations

import re

from digestbot.secret import Secret
from digestbot.service.hooks.delivery import Delivery, Reading
from digestbot.service.hooks.naming import name_any, reading
from digestbot.service.hooks.payload import (
    Fields,
    known_id,
    read_object,
    section_or_empty,
    text,
    text_or_empty,
)
from digestbot.service.hooks.signatures import is_signed

_MOVED = frozenset({"CREATED", "UPDATED"})
_MANIFEST = re.compile(r"/?v2/(.+)/manifests/([^/]+)")


class Nexus:
    """A repository webhook, of components or of assets.

    See https://help.sonatype.com/en/example-headers-and-payloads.html.
    """

    def is_authentic(self, delivery: Delivery, secret: Secret) -> bool:
        """Whether it was signed with the secret key; Nexus knows HMAC-SHA1 alone."""
        return is_signed(delivery, secret, "x-nexus-webhook-signature", "sha1")

    def read(self, delivery: Delivery, registry: str) -> Reading:
        """The tag that came or moved, under each name that it may be pulled by.

        Nexus serves a repository at a port or host of its own, or in the path.

        Raises:
            MalformedError: It is not what Nexus sends.
        """
        payload = read_object(delivery.body)
        delivery_id = known_id(delivery.headers.get("x-nexus-webhook-delivery", ""))
        if text(payload, "action") not in _MOVED:
            return Reading(id=delivery_id)
        name, tag = _pushed(payload)
        names = (name, f"{text(payload, 'repositoryName')}/{name}")
        return reading(name_any(registry, names, tag), delivery_id)


def _pushed(payload: Fields) -> tuple[str, str]:
    """Name and tag; no tag where it is no image."""
    kind = "component" if "component" in payload else "asset"
    item = section_or_empty(payload, kind)
    if not item or text(item, "format") != "docker":
        return "", ""
    if kind == "component":
        return text(item, "name"), text_or_empty(item, "version")
    match = _MANIFEST.fullmatch(text(item, "name"))
    return (match[1], match[2]) if match else ("", "")
