"""How much is looked at of a repo that anybody may write to, so that it costs no other its time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from digestbot.files.occurrence import Occurrence, Skip
from digestbot.image import Digest
from digestbot.policy.finding import Finding, Status
from digestbot.registry.resolution import Query
from digestbot.scan.result import Problem

_HINT = "leave out what does not count with `exclude` or `ignore`"
TOO_MANY_REFERENCES: Final = "too-many-references"
TOO_MANY_IMAGES: Final = "too-many-images"
TOO_MANY_REGISTRIES: Final = "too-many-registries"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is beyond them is said, and not followed.

    Attributes:
        references: In all files together.
        images: Different pins that are asked about, each with its tag.
        registries: Different hosts that are asked. One that does not answer costs many seconds.
    """

    references: int = 20_000
    images: int = 1_000
    registries: int = 30

    def skip(self) -> Skip:
        """Why a file is not read that has more references than there is room for."""
        message = f"all files of the repo together have more than {self.references:,} references"
        return Skip(TOO_MANY_REFERENCES, message)


@dataclass(slots=True)
class _Room:
    bounds: Bounds
    images: set[tuple[Query, Digest | None]] = field(default_factory=set)
    registries: set[str] = field(default_factory=set)

    def lacks(self, occurrence: Occurrence, query: Query) -> Skip | None:
        """Take the room that a question needs, or say of what there is too much."""
        reference, registry = occurrence.reference, query.image.registry.lower()
        image = (query, reference.digest if reference else None)
        if image not in self.images and len(self.images) >= self.bounds.images:
            message = f"the repo has more than {self.bounds.images:,} different images"
            return Skip(TOO_MANY_IMAGES, message)
        if registry not in self.registries and len(self.registries) >= self.bounds.registries:
            message = f"the repo names more than {self.bounds.registries} registries"
            return Skip(TOO_MANY_REGISTRIES, message)
        self.images.add(image)
        self.registries.add(registry)
        return None


def bounded(
    asked: Mapping[Occurrence, Query | Finding], bounds: Bounds
) -> dict[Occurrence, Query | Finding]:
    """The questions as far as there is room for them, and findings in place of the others."""
    room, kept = _Room(bounds), dict(asked)
    for occurrence, query in asked.items():
        skip = room.lacks(occurrence, query) if isinstance(query, Query) else None
        if skip is not None:
            finding = Finding(occurrence, Status.SKIPPED, skip.reason, skip.message, hint=_HINT)
            kept[occurrence] = finding
    return kept


def problems_of(asked: Iterable[Query | Finding]) -> list[Problem]:
    """What was too much, once for each reason."""
    reasons = (TOO_MANY_REFERENCES, TOO_MANY_IMAGES, TOO_MANY_REGISTRIES)
    found: dict[str, Problem] = {}
    for one in asked:
        if isinstance(one, Finding) and one.reason in reasons:
            path = one.occurrence.path
            found.setdefault(one.reason, Problem("file", path, one.reason, one.message, _HINT))
    return list(found.values())
