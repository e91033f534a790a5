"""CNCF distribution, and what is built on it: an envelope of many events, most of them of blobs."""

from __future__ import annotations

from digestbot.registry.manifests import MANIFEST_TYPES
from digestbot.secret import Secret
from digestbot.service.hooks.delivery import Delivery, Hint, Reading
from digestbot.service.hooks.naming import name_image, reading
from digestbot.service.hooks.payload import (
    Fields,
    known_id,
    read_object,
    section,
    sections,
    text,
    text_or_empty,
)
from digestbot.service.hooks.signatures import has_authorization


class Distribution:
    """A notification endpoint; see https://distribution.github.io/distribution/about/notifications/.

    It sends an envelope again until it is answered with 2xx or 3xx, and nothing else meanwhile.
    """

    def is_authentic(self, delivery: Delivery, secret: Secret) -> bool:
        """Whether it brings the `Authorization` that is configured for the endpoint."""
        return has_authorization(delivery, secret)

    def read(self, delivery: Delivery, registry: str) -> Reading:
        """The tags that were pushed.

        Raises:
            MalformedError: It is not what distribution sends.
        """
        events = sections(read_object(delivery.body), "events")
        hints = [hint for event in events for hint in _hints(event, registry)]
        # An envelope has no name of its own.
        only = text_or_empty(events[0], "id") if len(events) == 1 else ""
        return reading(hints, known_id(only))


def _hints(event: Fields, registry: str) -> tuple[Hint, ...]:
    if text(event, "action") != "push":
        return ()
    target = section(event, "target")
    if text_or_empty(target, "mediaType") not in MANIFEST_TYPES:
        return ()
    tag = text_or_empty(target, "tag")  # none: pushed by digest
    return name_image(registry, text(target, "repository"), tag)
