"""What rollouts hold back in a repo, and what holds them back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from digestbot.image import Digest
from digestbot.policy.holding import DENIED, ROLLOUT, Hold
from digestbot.registry.resolution import Query, Resolution
from digestbot.scan.gate import Gate


@dataclass(frozen=True, slots=True)
class Denying:
    """Lets pass whatever is not denied, as old or new as it may be."""

    gate: Gate

    def denies(self, digest: Digest) -> bool:
        """See `Gate.denies`."""
        return self.gate.denies(digest)

    def weigh(self, query: Query, pinned: Digest | None, found: Resolution) -> Digest | Hold:
        """See `Gate.weigh`."""
        del query, pinned
        if self.gate.denies(found.digest):
            return Hold(DENIED, "the digest of the rollout is on the deny list")
        return found.digest


@dataclass(frozen=True, slots=True)
class Leaving:
    """Leaves to rollouts what they bring to a repo; for all else, it is the usual gate.

    Attributes:
        left: The name of the rollout, by what it brings.
        taken_back: The name of the rollout, by what it brought and was rolled back from.
        until: When to look again, if nothing else happens.
    """

    gate: Gate
    left: Mapping[Query, str]
    until: datetime
    taken_back: Mapping[tuple[Query, Digest], str] = field(default_factory=dict)

    def denies(self, digest: Digest) -> bool:
        """See `Gate.denies`."""
        return self.gate.denies(digest)

    def weigh(self, query: Query, pinned: Digest | None, found: Resolution) -> Digest | Hold:
        """See `Gate.weigh`; to get rid of a pin that is denied waits for no rollout."""
        why = self._why(query, found)
        is_theirs = why and pinned != found.digest
        if not is_theirs or (pinned is not None and self.gate.denies(pinned)):
            return self.gate.weigh(query, pinned, found)
        return Hold(ROLLOUT, why, self.until)

    def _why(self, query: Query, found: Resolution) -> str:
        if query in self.left:
            return f"rollout {self.left[query]} brings it to this repo"
        name = self.taken_back.get((query, found.digest))
        return f"rollout {name} of this digest was rolled back" if name else ""
