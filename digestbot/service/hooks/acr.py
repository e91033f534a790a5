"""Azure Container Registry: one event of distribution at a time."""

from __future__ import annotations

from digestbot.secret import Secret
from digestbot.service.hooks.delivery import Delivery, Reading
from digestbot.service.hooks.naming import name_image, reading
from digestbot.service.hooks.payload import known_id, read_object, section, text, text_or_empty
from digestbot.service.hooks.signatures import has_authorization


class AzureRegistry:
    """A webhook of a registry.

    See https://learn.microsoft.com/azure/container-registry/container-registry-webhook-reference.
    """

    def is_authentic(self, delivery: Delivery, secret: Secret) -> bool:
        """Whether it brings the custom header `Authorization`."""
        return has_authorization(delivery, secret)

    def read(self, delivery: Delivery, registry: str) -> Reading:
        """The tag that was pushed.

        Raises:
            MalformedError: It is not what Azure sends.
        """
        payload = read_object(delivery.body)
        delivery_id = known_id(text_or_empty(payload, "id"))
        if text(payload, "action") != "push":
            return Reading(id=delivery_id)
        target = section(payload, "target")
        tag = text_or_empty(target, "tag")  # none: pushed by digest
        return reading(name_image(registry, text(target, "repository"), tag), delivery_id)
