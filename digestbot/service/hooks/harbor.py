"""Harbor: its default payload, and CloudEvents.

A project that replicates another registry, or is a proxy of one, is a project of Harbor like
any other: its images are named `harbor.corp/project/repository`.
"""

from __future__ import annotations

from dataclasses import dataclass

from digestbot.secret import Secret
from digestbot.service.hooks.delivery import Delivery, Reading
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

_MOVED = frozenset({"PUSH_ARTIFACT", "CREATE_TAG", "harbor.artifact.pushed", "harbor.tag.created"})
_STRUCTURED = "application/cloudevents+json"


@dataclass(frozen=True, slots=True)
class _Event:
    """An event out of its envelope: `data` is the field of `fields` with its data, if any."""

    type: str
    id: str
    fields: Fields
    data: str = ""


class Harbor:
    """A webhook policy of a project, of type http.

    See https://goharbor.io/docs/main/working-with-projects/project-configuration/configure-webhooks/
    and, for CloudEvents, the HTTP protocol binding (sections 3.1 and 3.2).
    """

    def is_authentic(self, delivery: Delivery, secret: Secret) -> bool:
        """Whether it brings the policy's auth header."""
        return has_authorization(delivery, secret)

    def read(self, delivery: Delivery, registry: str) -> Reading:
        """The tag that was pushed; Harbor sends a digest in its place where there is none.

        Raises:
            MalformedError: It is not what Harbor sends.
        """
        event = _open(delivery)
        if event.type not in _MOVED:
            return Reading(id=event.id)
        data = section(event.fields, event.data) if event.data else event.fields
        repository = text(section(data, "repository"), "repo_full_name")
        hints = (
            hint
            for resource in sections(data, "resources")
            for hint in name_image(registry, repository, text(resource, "tag"))
        )
        return reading(hints, event.id)


def _open(delivery: Delivery) -> _Event:
    fields = read_object(delivery.body)
    media_type = delivery.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == _STRUCTURED:
        written = text_or_empty(fields, "id")
        return _Event(text(fields, "type"), known_id(written), fields, "data")
    if "ce-type" in delivery.headers:
        return _Event(
            delivery.headers["ce-type"], known_id(delivery.headers.get("ce-id", "")), fields
        )
    return _Event(text(fields, "type"), "", fields, "event_data")
