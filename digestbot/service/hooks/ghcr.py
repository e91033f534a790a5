"""GitHub's container registry: one event for each manifest, the children of an index too."""

from __future__ import annotations

from digestbot.secret import Secret
from digestbot.service.hooks.delivery import Delivery, Reading
from digestbot.service.hooks.github import delivery_id, event_of, is_from_github
from digestbot.service.hooks.naming import name_image, reading
from digestbot.service.hooks.payload import (
    Fields,
    read_object,
    section,
    section_or_empty,
    text,
    text_or_empty,
)

_EVENTS = frozenset({"package", "registry_package"})
_MOVED = frozenset({"published", "updated"})


class GitHubRegistry:
    """A webhook of a repo or an organisation, with the event `package` or `registry_package`.

    See https://docs.github.com/webhooks/webhook-events-and-payloads#package.
    """

    def is_authentic(self, delivery: Delivery, secret: Secret) -> bool:
        """Whether it was signed with the webhook's secret."""
        return is_from_github(delivery, secret)

    def read(self, delivery: Delivery, registry: str) -> Reading:
        """The tag that was published; nothing for manifests without one.

        Raises:
            MalformedError: It is not what GitHub sends.
        """
        event, name = event_of(delivery), delivery_id(delivery)
        if event not in _EVENTS:
            return Reading(id=name)
        payload = read_object(delivery.body)
        package = section(payload, event)
        kind = text(package, "package_type").lower()
        if text(payload, "action") not in _MOVED or kind != "container":
            return Reading(id=name)
        repository = f"{_owner(package)}/{text(package, 'name')}".lower()
        return reading(name_image(registry, repository, _tag(package)), name)


def _owner(package: Fields) -> str:
    return text_or_empty(section_or_empty(package, "owner"), "login") or text(package, "namespace")


def _tag(package: Fields) -> str:
    version = section_or_empty(package, "package_version")
    metadata = section_or_empty(version, "container_metadata")
    return text_or_empty(section_or_empty(metadata, "tag"), "name")
