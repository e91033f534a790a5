"""The resolver that asks registries, each question once per run."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from digestbot.clock import Clock
from digestbot.image import Digest, ImageTag, Platform
from digestbot.once import Once
from digestbot.registry.authorizer import Authorizer, Office
from digestbot.registry.client import RegistryClient
from digestbot.registry.credentials import CredentialStore
from digestbot.registry.errors import RegistryError
from digestbot.registry.exchange import Exchange, OnAnswer, OnLeft, RequestCounts
from digestbot.registry.manifests import (
    INDEX_TYPES,
    Descriptor,
    Manifest,
    read_object,
    read_platform,
    select_platform,
)
from digestbot.registry.mirrors import rewrite
from digestbot.registry.notes import HostNotes
from digestbot.registry.pace import Deadline
from digestbot.registry.place import find_place
from digestbot.registry.resolution import Query, Resolution
from digestbot.registry.settings import RegistrySettings
from digestbot.registry.tokens import Tokens
from digestbot.registry.transport import Transport
from digestbot.registry.trials import Trials


class RegistryResolver:
    """Asks registries; safe to use from many threads. Close it, or use it with `with`."""

    def __init__(
        self,
        settings: RegistrySettings | None = None,
        *,
        credentials: CredentialStore | None = None,
        clock: Clock | None = None,
        on_answer: OnAnswer | None = None,
        on_left: OnLeft | None = None,
    ) -> None:
        """Make one; nobody is asked yet.

        Args:
            settings: How registries are asked.
            credentials: The logins; of these settings, where none are given.
            clock: Tells and passes the time.
            on_answer: Told of each answer, from any thread.
            on_left: Told how much a registry may still be asked, likewise.
        """
        self.settings = settings or RegistrySettings()
        self.credentials = credentials or CredentialStore(self.settings)
        self._clock = clock or Clock()
        self._transport = Transport(self.settings)
        self._exchange = Exchange(
            self.settings, self._transport, self._clock, on_answer=on_answer, on_left=on_left
        )
        trials = Trials()
        tokens = Tokens(self._exchange, trials)
        self._office = Office(self.settings, self._exchange, self.credentials, trials, tokens)
        self._clients: Once[str, RegistryClient] = Once()
        self._tags: Once[ImageTag, Descriptor] = Once()
        self._manifests: Once[tuple[str, str, Digest], Manifest] = Once()
        self._children: Once[tuple[ImageTag, Platform], Descriptor] = Once()

    def resolve(self, query: Query) -> Resolution:
        """The digest the tag has now. Safe to call from many threads.

        Raises:
            RegistryError: There is no answer that can be trusted.
        """
        asked = rewrite(query.image, self.settings.mirrors)
        deadline = self.deadline()
        try:
            found = self.describe(asked, query.platform, deadline)
        except RegistryError as error:
            raise error.about(query) from error
        return Resolution(query, found.digest, found.media_type, asked.registry)

    def describe(
        self, image: ImageTag, platform: Platform | None, deadline: Deadline
    ) -> Descriptor:
        """What a tag, or its image for a platform, is now; no mirror rule applies any more."""
        found = self._tags.get(image, lambda: self._describe_tag(image, deadline))
        if platform is None:
            return found
        key = (image, platform)
        return self._children.get(key, lambda: self._describe_child(key, found, deadline))

    def manifest(self, image: ImageTag, digest: Digest, deadline: Deadline) -> Manifest:
        """The manifest with this digest, from the repository of an image; fetched once."""
        key = (image.registry, image.repository, digest)
        client = self.client(image.registry)
        return self._manifests.get(
            key, lambda: client.manifest(image.repository, str(digest), deadline)
        )

    def client(self, registry: str) -> RegistryClient:
        """The client of a registry, by its name in image references."""
        return self._clients.get(registry, lambda: self._make_client(registry))

    def deadline(self) -> Deadline:
        """When a lookup that starts now gives up."""
        return Deadline.after(self.settings.timeout_s, self._clock)

    def counts(self) -> dict[str, RequestCounts]:
        """How many requests each registry took so far."""
        return self._exchange.counts()

    def notes(self, registry: str) -> HostNotes:
        """What a registry said beside its answers."""
        return self.client(registry).notes

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _make_client(self, registry: str) -> RegistryClient:
        has_login = self.credentials.knows(registry)
        place = find_place(registry, self.settings, self._transport.found, has_login=has_login)
        return RegistryClient(place, Authorizer(place, self._office))

    def _describe_tag(self, image: ImageTag, deadline: Deadline) -> Descriptor:
        client = self.client(image.registry)
        return client.describe(image.repository, image.tag, deadline)

    def _describe_child(
        self, key: tuple[ImageTag, Platform], found: Descriptor, deadline: Deadline
    ) -> Descriptor:
        image, platform = key
        manifest = self.manifest(image, found.digest, deadline)
        if found.media_type in INDEX_TYPES:
            return select_platform(manifest.images, platform, image.registry)
        # A single image says in its config what it runs on.
        config = manifest.config
        if config is None:
            raise RegistryError(
                f"{image.registry} does not say which platform the image is for",
                code="platform-missing",
                host=image.registry,
            )
        body = self.client(image.registry).blob(image.repository, config, deadline)
        own = read_platform(read_object(body, "config", image.registry))
        only = Descriptor(found.digest, found.media_type, platform=own)
        return select_platform([only], platform, image.registry)
