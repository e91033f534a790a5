"""What a rollout brings to the pins of one repo, and what it takes them back to: pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from digestbot.files.occurrence import Occurrence, Skip
from digestbot.files.verify import Wanted
from digestbot.image import Digest, ImageTag, Platform
from digestbot.policy.judge import followed_tag
from digestbot.registry.resolution import Query
from digestbot.rollout.plan import Edit, Move

_File: TypeAlias = tuple[str, Platform | None]
"""A path; what is pinned for one platform there has nothing to do with the others."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """What a pin follows, and what it is pinned to."""

    image: ImageTag
    digest: Digest


@dataclass(frozen=True, slots=True)
class Goal:
    """What one pin becomes; `line` is where it stood when the plan was made."""

    line: int
    has: Pinned
    gets: Pinned


@dataclass(frozen=True, slots=True)
class Frozen:
    """Knows the digests that a rollout brings to a repo, and in place of what; asks nobody.

    Attributes:
        digests: What is brought to an image, where no tag moves.
        pins: What it knows the places by then, and what is pinned there; whoever moved on since,
            to whatever it is, is not moved back.
        goals: Where tags move, or one image had several digests, what becomes of the pins of a
            file, in the order they stand.
        is_back: It is the way back: pins of one tag may have come from several.
    """

    digests: Mapping[Query, Digest] = field(default_factory=dict)
    pins: frozenset[tuple[str, Query, Digest]] = frozenset()
    goals: Mapping[_File, Sequence[Goal]] = field(default_factory=dict)
    is_back: bool = False

    @classmethod
    def forward(cls, moves: Collection[Move], edits: Iterable[Edit]) -> Frozen:
        """What a plan brings to a repo with these edits."""
        if any(move.to is not None for move in moves):
            return cls(goals=_goals(edits, is_back=False))
        digests = {Query(move.image, move.platform): move.digest for move in moves}
        pins = ((one.path, Query(one.image, one.platform), one.before) for one in edits)
        return cls(digests, frozenset(pins))

    @classmethod
    def back(cls, edits: Collection[Edit]) -> Frozen:
        """What a repo had; where that was not the same for all pins of an image, each its own.

        Where it was, a pin beside them that had the digest of the rollout before goes with them.
        """
        had = {(Query(one.image, one.platform), one.before) for one in edits}
        found = dict(had)
        if len(found) < len(had) or any(edit.to is not None for edit in edits):
            return cls(goals=_goals(edits, is_back=True), is_back=True)
        pins = ((one.path, Query(one.image, one.platform), one.after) for one in edits)
        return cls(found, frozenset(pins), is_back=True)

    @property
    def is_whole(self) -> bool:
        """Whether no pin moves to another tag without the others; whatever can goes back."""
        return not self.is_back

    @property
    def tags(self) -> Sequence[str]:
        """The tags that pins are brought to, sorted; none where only digests move."""
        goals = (one for found in self.goals.values() for one in found)
        return sorted({one.gets.image.tag for one in goals if one.gets.image != one.has.image})

    def knows(self, occurrence: Occurrence) -> bool:
        """Whether this pins an image that it is about, at whatever digest, wherever."""
        pinned, platform = _pinned(occurrence), occurrence.steering.platform
        if pinned is None:
            return False
        return Query(pinned.image, platform) in self.digests or any(
            platform == wanted and pinned.image in (goal.has.image, goal.gets.image)
            for (_, wanted), goals in self.goals.items()
            for goal in goals
        )

    def means(self, occurrence: Occurrence) -> bool:
        """Whether it is about this pin: one that it replaces, or that has what it brings."""
        pinned, platform = _pinned(occurrence), occurrence.steering.platform
        if pinned is None:
            return False
        query = Query(pinned.image, platform)
        if query in self.digests:
            is_there = pinned.digest == self.digests[query]
            return is_there or (occurrence.path, query, pinned.digest) in self.pins
        goals = self.goals.get((occurrence.path, platform), ())
        return any(pinned in (goal.has, goal.gets) for goal in goals)

    def of(self, asked: Mapping[Occurrence, Query]) -> Mapping[Occurrence, Wanted | Skip]:
        """See `Aims.of`."""
        found: dict[Occurrence, Wanted | Skip] = {}
        files: dict[_File, list[Occurrence]] = {}
        for occurrence, query in asked.items():
            if not self.means(occurrence):
                continue
            if query in self.digests:
                found[occurrence] = Wanted(self.digests[query])
            else:
                files.setdefault((occurrence.path, query.platform), []).append(occurrence)
        for file, pins in files.items():
            goals = self.goals[file]
            found |= _back(goals, pins) if self.is_back else _forward(goals, pins)
        return found


def _goals(edits: Iterable[Edit], *, is_back: bool) -> Mapping[_File, Sequence[Goal]]:
    found: dict[_File, list[Goal]] = {}
    for edit in edits:
        old, new = Pinned(edit.image, edit.before), Pinned(edit.to or edit.image, edit.after)
        goal = Goal(edit.line, new, old) if is_back else Goal(edit.line, old, new)
        found.setdefault((edit.path, edit.platform), []).append(goal)
    return found


def _forward(goals: Sequence[Goal], pins: Sequence[Occurrence]) -> dict[Occurrence, Wanted | Skip]:
    """All pins of a tag become the same, and what has become that stays so."""
    there = goals[0].gets
    return dict.fromkeys(pins, Wanted(there.digest, there.image.tag))


def _back(goals: Sequence[Goal], pins: Sequence[Occurrence]) -> dict[Occurrence, Wanted | Skip]:
    """Which of the pins of a file gets what; what is back already is among them."""
    paired = _paired(goals, pins)
    if paired is not None:
        return {pin: _kept_or(pin, goal) for pin, goal in paired}
    if len(pins) < len(goals) and len({goal.gets for goal in goals}) == 1:
        return {pin: _kept_or(pin, goals[0]) for pin in pins}
    return dict.fromkeys(pins, _UNKNOWN)


def _paired(
    goals: Sequence[Goal], pins: Sequence[Occurrence]
) -> Sequence[tuple[Occurrence, Goal]] | None:
    """The pins with their goals: in order where none came or went, and else line by line."""
    if len(pins) != len(goals):
        lines = [goal.line for goal in goals]
        pins = [pin for pin in pins if pin.line in lines]
        if [pin.line for pin in pins] != lines:
            return None
    return list(zip(pins, goals, strict=True))


def _kept_or(pin: Occurrence, goal: Goal) -> Wanted:
    """What a pin gets; one that left the tag of the rollout stays what it is."""
    pinned = _pinned(pin)
    stays = pinned is not None and pinned.image != goal.has.image
    gets = pinned if pinned is not None and stays else goal.gets
    return Wanted(gets.digest, gets.image.tag)


def _pinned(occurrence: Occurrence) -> Pinned | None:
    tag, reference = followed_tag(occurrence), occurrence.reference
    if tag is None or reference is None or reference.digest is None:
        return None
    return Pinned(tag, reference.digest)


UNKNOWN_ORIGIN: Final = "unknown-origin"
_UNKNOWN = Skip(
    UNKNOWN_ORIGIN,
    "pins of this tag came or went since, and nobody can tell which of them had which tag before",
)
