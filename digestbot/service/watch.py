"""A resolver that writes down what registries answer, and what may be proposed because of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from digestbot.once import Once
from digestbot.policy.holding import Sighting
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolution, Resolver
from digestbot.service.logs import Event, bound, get_log
from digestbot.service.tracing import span
from digestbot.store import images
from digestbot.store.database import Database

_log = get_log(__name__)
OfferText = Callable[[Query, Resolution], str]


@dataclass(frozen=True, slots=True)
class Watch:
    """Asks another resolver; safe to use from many threads.

    Attributes:
        resolver: Who really asks.
        offer_text: What may be proposed now, as a text that changes when that does.
        now: The time.
        on_move: Told of each tag that has another digest than when it was last asked about.
    """

    database: Database
    resolver: Resolver
    offer_text: OfferText
    now: Callable[[], datetime]
    on_move: Callable[[Resolution], None] = lambda _found: None
    _answers: Once[Query, Resolution] = field(default_factory=Once)

    def resolve(self, query: Query) -> Resolution:
        """The digest this tag has now, asked and written down once.

        Raises:
            RegistryError: There is no answer that can be trusted.
        """
        return self._answers.get(query, lambda: self._ask(query))

    def _ask(self, query: Query) -> Resolution:
        with bound(image=str(query)), span("image.lookup", image=str(query)):
            return self._ask_once(query)

    def _ask_once(self, query: Query) -> Resolution:
        try:
            found = self.resolver.resolve(query)
        except RegistryError as error:
            _log.warning(Event.LOOKUP_FAILED, code=error.code, problem=str(error))
            with self.database.begin() as connection:
                images.note_failure(connection, query, error, self.now())
                images.note_offer(connection, query, f"failed:{error.code}")
            raise
        with self.database.begin() as connection:
            has_moved = images.note_resolution(connection, query, found, self.now())
        offer = self.offer_text(query, found)
        if str(found.digest) not in offer:
            # What is held back is to be shown, though the same as before may be proposed.
            offer = f"{offer} for {found.digest}"
        with self.database.begin() as connection:
            images.note_offer(connection, query, offer)
        if has_moved:
            _log.info(Event.IMAGE_MOVED, digest=str(found.digest), offer=offer)
            self.on_move(found)
        return found


@dataclass(frozen=True, slots=True)
class Histories:
    """What was seen of each tag so far, read once for a run, after it was asked about."""

    database: Database
    _known: Once[Query, tuple[Sighting, ...]] = field(default_factory=Once)

    def __call__(self, query: Query) -> Sequence[Sighting]:
        """The sightings of a tag, the oldest first."""
        return self._known.get(query, lambda: self._read(query))

    def _read(self, query: Query) -> tuple[Sighting, ...]:
        with self.database.reading() as connection:
            return images.history(connection, query)
