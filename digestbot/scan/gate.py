"""Who says of each image that moved whether its new digest may be proposed now.

The rules are in `policy.holding`; here registries are asked for what the rules need to know.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from digestbot.clock import Clock
from digestbot.errors import DigestbotError
from digestbot.image import Digest
from digestbot.once import Once
from digestbot.policy.holding import (
    OLDER,
    SAME_IMAGES,
    Hold,
    HoldRules,
    Offer,
    Sighting,
    compare,
    is_older,
    offers,
    returned,
)
from digestbot.registry.manifests import Manifest
from digestbot.registry.mirrors import rewrite
from digestbot.registry.resolution import Query, Resolution

if TYPE_CHECKING:
    # It speaks HTTP, and most runs need no gate.
    from digestbot.registry.resolver import RegistryResolver

_log = logging.getLogger(__name__)
# A registry that deletes what has no tag is not asked for years of digests, one by one.
_MOST_ASKED = 10
# Where one of these stands in the way, no digest from before may be proposed either: the tag
# was set back, or it has the pinned images.
_FINAL = frozenset({OLDER, SAME_IMAGES})


class Gate(Protocol):
    """Someone who lets new digests pass, or holds them back. Safe to use from many threads."""

    def denies(self, digest: Digest) -> bool:
        """Whether a digest is never to be used."""

    def weigh(self, query: Query, pinned: Digest | None, found: Resolution) -> Digest | Hold:
        """The digest to propose in place of the pinned one, or why not that of the tag.

        Such a `Hold` may name another digest that may be proposed `instead`. Of a pin that is
        what the tag has, it says that the tag came back to it a moment ago. Nobody is asked then.
        """


@dataclass(frozen=True, slots=True)
class _Book:
    """What is known of one tag: its sightings, what they let pass, and whether it came back."""

    history: tuple[Sighting, ...]
    offers: tuple[Offer, ...]
    returned: Hold | None


@dataclass(frozen=True, slots=True)
class RegistryGate:
    """The gate of one run: the rules, the history of each tag, and the registries themselves.

    Whatever a registry refuses is no error: what cannot be compared is not held back for it,
    and a digest of the past that cannot be confirmed is not proposed.

    Attributes:
        rules: What is held back.
        history: The sightings of a tag, the oldest first; none where there is no state, and
            then nothing is held back for its age.
        resolver: Whom to ask for manifests; None asks nobody: nothing is compared, and digests
            of the past are taken to be there.
        clock: Its wall tells the age of digests.
    """

    rules: HoldRules
    history: Callable[[Query], Sequence[Sighting]]
    resolver: RegistryResolver | None
    clock: Clock
    _books: Once[tuple[Query, Digest, HoldRules], _Book] = field(default_factory=Once)
    _there: Once[tuple[Query, Digest], bool] = field(default_factory=Once)

    def waiving(self, seen_by: datetime) -> RegistryGate:
        """The same gate, for which whatever was seen by then was seen for long enough.

        What is held for other reasons than its age stays held.
        """
        return replace(self, rules=replace(self.rules, seen_by=seen_by))

    def denies(self, digest: Digest) -> bool:
        """Whether a digest is on the deny list."""
        return digest in self.rules.deny

    def weigh(self, query: Query, pinned: Digest | None, found: Resolution) -> Digest | Hold:
        """The digest to propose in place of the pinned one, or why not that of the tag.

        Where the pin itself is denied, getting rid of it comes first: an older digest and one
        that lost a platform will do, and where nothing is old enough, `min_age` is waived.
        `settle` is not, as a tag may be half pushed.
        """
        if pinned is not None and self.denies(pinned):
            return self._replacement(query, pinned, found)
        book = self._book(query, found, self.rules)
        if pinned == found.digest:
            return book.returned or found.digest

        def obstacle(digest: Digest) -> Hold | None:
            if pinned is None:
                return None
            if is_older(book.history, digest, pinned):
                return Hold(OLDER, "the tag was set back: it had this before the pinned one")
            return self._compared(query, pinned, digest, self.rules)

        return self._chosen(query, pinned, found, book.offers, obstacle)

    def offer_text(self, query: Query, found: Resolution) -> str:
        """What may be proposed now, whatever is pinned: a digest, or `hold:reason:digest`.

        It changes when what may be proposed changes, and only then.
        """
        found_offers = self._book(query, found, self.rules).offers
        for digest in self._digests(query, found, found_offers):
            return str(digest)
        hold = _closing(found_offers)
        return f"hold:{hold.reason if hold else 'gone'}:{found.digest}"

    def _replacement(self, query: Query, pinned: Digest, found: Resolution) -> Digest | Hold:
        strict = self._book(query, found, self.rules).offers
        waived = self._book(query, found, replace(self.rules, min_age=timedelta())).offers
        lenient = replace(self.rules, lost_platforms=False)

        def obstacle(digest: Digest) -> Hold | None:
            return self._compared(query, pinned, digest, lenient)

        return self._chosen(query, pinned, found, (*strict, *waived), obstacle)

    def _chosen(
        self,
        query: Query,
        pinned: Digest | None,
        found: Resolution,
        choices: Sequence[Offer],
        obstacle: Callable[[Digest], Hold | None],
    ) -> Digest | Hold:
        """The first digest that nothing speaks against; why it is not the tag's own."""
        why = _closing(choices)
        for digest in self._digests(query, found, choices):
            if digest == pinned:
                break
            against = obstacle(digest)
            if against is None:
                return digest if digest == found.digest or why is None else _with(why, digest)
            # What may pass by its age is held for what it is.
            why = against if digest == found.digest else why or against
            if against.reason in _FINAL:
                break
        return why or found.digest

    def _digests(
        self, query: Query, found: Resolution, choices: Sequence[Offer]
    ) -> Iterator[Digest]:
        """The digests among the offers that can still be pulled, each once."""
        digests = dict.fromkeys(one for one in choices if isinstance(one, Digest))
        for digest in islice(digests, _MOST_ASKED):
            if digest == found.digest or self._is_there(query, digest):
                yield digest

    def _book(self, query: Query, found: Resolution, rules: HoldRules) -> _Book:
        return self._books.get(
            (query, found.digest, rules), lambda: self._make_book(query, found, rules)
        )

    def _make_book(self, query: Query, found: Resolution, rules: HoldRules) -> _Book:
        now = datetime.fromtimestamp(self.clock.wall(), UTC)
        history = tuple(self.history(query))
        if not history:
            # Nobody remembers anything: whatever the tag has counts as seen long enough.
            rules = replace(rules, settle=timedelta(), min_age=timedelta())
        if not history or history[-1].digest != found.digest:
            history = (*history, Sighting(found.digest, now, now, found.media_type))
        return _Book(history, offers(history, rules, now), returned(history, rules, now))

    def _is_there(self, query: Query, digest: Digest) -> bool:
        return self._there.get((query, digest), lambda: self._ask(query, digest))

    def _ask(self, query: Query, digest: Digest) -> bool:
        if self.resolver is None:
            return True
        asked = rewrite(query.image, self.resolver.settings.mirrors)
        try:
            client = self.resolver.client(asked.registry)
            there = client.describe(asked.repository, str(digest), self.resolver.deadline())
        except DigestbotError as error:
            _log.debug("%s@%s cannot be pulled: %s", asked.image, digest, error)
            return False
        return there.digest == digest

    def _compared(
        self, query: Query, pinned: Digest, digest: Digest, rules: HoldRules
    ) -> Hold | None:
        # With a platform the pin is that of one image: an index that it took the place of lost
        # its platforms on purpose.
        is_wanted = rules.lost_platforms or rules.same_images
        if query.platform is not None or not is_wanted:
            return None
        old = self._manifest(query, pinned)
        new = self._manifest(query, digest) if old is not None and old.is_index else None
        return compare(old, new, rules) if old is not None and new is not None else None

    def _manifest(self, query: Query, digest: Digest) -> Manifest | None:
        if self.resolver is None:
            return None
        asked = rewrite(query.image, self.resolver.settings.mirrors)
        try:
            return self.resolver.manifest(asked, digest, self.resolver.deadline())
        except DigestbotError as error:
            _log.debug("%s@%s is not compared: %s", asked.image, digest, error)
            return None


def _closing(choices: Sequence[Offer]) -> Hold | None:
    """Why the digest of the tag is not among the offers; the last word counts."""
    return next((one for one in reversed(choices) if isinstance(one, Hold)), None)


def _with(why: Hold, digest: Digest) -> Hold:
    return replace(why, instead=digest)
