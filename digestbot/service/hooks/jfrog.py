"""JFrog Artifactory: says which of its repositories a tag came into, not how that is reached."""

from __future__ import annotations

from digestbot.secret import Secret
from digestbot.service.hooks.delivery import Delivery, Reading
from digestbot.service.hooks.naming import name_any, reading
from digestbot.service.hooks.payload import read_object, section, text
from digestbot.service.hooks.signatures import has_secret_or_signature

_MOVED = frozenset({"pushed", "promoted"})
_CACHE = "-cache"


class Artifactory:
    """A webhook of the domain docker.

    See https://jfrog.com/help/r/jfrog-platform-administration-documentation/domain-docker.
    """

    def is_authentic(self, delivery: Delivery, secret: Secret) -> bool:
        """Whether it brings the secret, or was signed with it (`use_secret_for_signing`)."""
        return has_secret_or_signature(delivery, secret, "x-jfrog-event-auth")

    def read(self, delivery: Delivery, registry: str) -> Reading:
        """The tag that was pushed or promoted, under each name that it may be pulled by.

        The repository is in the path, or in the host. What a remote repository keeps is
        reported for its cache, `docker-remote-cache`, and pulled from `docker-remote`.

        Raises:
            MalformedError: It is not what Artifactory sends.
        """
        payload = read_object(delivery.body)
        if text(payload, "domain") != "docker" or text(payload, "event_type") not in _MOVED:
            return Reading()
        data = section(payload, "data")
        image, place = text(data, "image_name"), text(data, "repo_key")
        names = (f"{place.removesuffix(_CACHE)}/{image}", f"{place}/{image}", image)
        return reading(name_any(registry, names, text(data, "tag")))
