"""Quay: a push notification of a repository names all tags that moved."""

from __future__ import annotations

from digestbot.secret import Secret
from digestbot.service.hooks.delivery import Delivery, Reading
from digestbot.service.hooks.naming import name_image, reading
from digestbot.service.hooks.payload import read_object, text, texts
from digestbot.service.hooks.signatures import has_path_secret


class Quay:
    """A repository notification; see https://docs.quay.io/guides/notifications.html."""

    def is_authentic(self, delivery: Delivery, secret: Secret) -> bool:
        """Whether the secret stands in the path: Quay signs nothing."""
        return has_path_secret(delivery, secret)

    def read(self, delivery: Delivery, registry: str) -> Reading:
        """The tags that were pushed; older versions send them as names of an object.

        Raises:
            MalformedError: It is not what Quay sends.
        """
        payload = read_object(delivery.body)
        repository = text(payload, "repository")
        if "updated_tags" not in payload:  # a build, or a scan
            return Reading()
        tags = texts(payload, "updated_tags")
        return reading(hint for tag in tags for hint in name_image(registry, repository, tag))
