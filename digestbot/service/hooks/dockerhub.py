"""Docker Hub: says which tag was pushed, not which digest, and not who says so."""

from __future__ import annotations

from digestbot.secret import Secret
from digestbot.service.hooks.delivery import Delivery, Reading
from digestbot.service.hooks.naming import name_image, reading
from digestbot.service.hooks.payload import read_object, section, text
from digestbot.service.hooks.signatures import has_path_secret


class DockerHub:
    """A webhook of a repository; see https://docs.docker.com/docker-hub/repos/manage/webhooks/.

    Its `callback_url` is never asked: anybody who can post could name any host there.
    """

    def is_authentic(self, delivery: Delivery, secret: Secret) -> bool:
        """Whether the secret stands in the path: Docker Hub signs nothing."""
        return has_path_secret(delivery, secret)

    def read(self, delivery: Delivery, registry: str) -> Reading:
        """The tag that was pushed.

        Raises:
            MalformedError: It is not what Docker Hub sends.
        """
        payload = read_object(delivery.body)
        tag = text(section(payload, "push_data"), "tag")
        repository = text(section(payload, "repository"), "repo_name")
        return reading(name_image(registry, repository, tag))
