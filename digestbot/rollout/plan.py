"""The plan of a rollout: which repos get which digest, in which wave. Made once, then only read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from digestbot.files.codeowners import MOST_OWNERS
from digestbot.image import Digest, ImageTag, Platform
from digestbot.rollout.gates import GateRules
from digestbot.rollout.machine import Course
from digestbot.rollout.pacing import PaceRules
from digestbot.rollout.selection import Place, Selection
from digestbot.rollout.waves import Member, WaveRules, assign


@dataclass(frozen=True, slots=True)
class Move:
    """One image, and the digest that it gets; asked for once, when the plan was made.

    Attributes:
        image: The tag that pins follow now.
        digest: What they get, whatever becomes of the tag.
        to: The tag that they follow afterwards; None for the same.
        platforms: What the digest runs on, where it is an index.
        created: When the image was built, where it tells.
        remarks: What whoever decides should know: platforms that are lost, and the like.
    """

    image: ImageTag
    digest: Digest
    platform: Platform | None = None
    to: ImageTag | None = None
    platforms: tuple[str, ...] = ()
    created: datetime | None = None
    remarks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What moves, and to which other tag, if so: `docker.io/library/alpine:3.20 → 3.22`."""
        return f"{self.image} → {self.to.tag}" if self.to else str(self.image)


@dataclass(frozen=True, slots=True)
class Edit:
    """One pin, and what it becomes.

    `to` is the tag that it follows afterwards; None for the same.
    """

    path: str
    line: int
    image: ImageTag
    before: Digest
    after: Digest
    platform: Platform | None = None
    to: ImageTag | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A repo of the plan.

    Attributes:
        owner: Whom caps count it to: the first who looks after a file of its, or its organisation.
        owners: All who look after the files.
    """

    repo: str
    wave: int
    owner: str
    edits: tuple[Edit, ...]
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deadlines:
    """What is done about pull requests that stay open, after how long; None for never.

    Attributes:
        comment: Say in the pull request that it waits.
        reviewers: Ask the owners of the files for a review.
        merge: Merge it by the API, past what it waits for. Only where somebody said so.
    """

    comment: timedelta | None = None
    reviewers: timedelta | None = None
    merge: timedelta | None = None


@dataclass(frozen=True, slots=True)
class RolloutRules:
    """How a rollout goes about it.

    Attributes:
        is_critical: Nothing soaks; caps hold all the same.
        watch: How long it looks for repos that go back, once all waves are through.
    """

    waves: WaveRules = field(default_factory=WaveRules)
    gate: GateRules = field(default_factory=GateRules)
    pace: PaceRules = field(default_factory=PaceRules)
    deadlines: Deadlines = field(default_factory=Deadlines)
    is_critical: bool = False
    watch: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Plan:
    """What exactly is to be done.

    Attributes:
        fleet: How many repos there are in all.
        left_out: Repos that were chosen and are not asked, with the reason.
    """

    made_at: datetime
    by: str
    selection: Selection
    moves: tuple[Move, ...]
    rules: RolloutRules
    targets: tuple[Planned, ...]
    fleet: int
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def waves(self) -> int:
        """How many waves there are; at least one."""
        return max((target.wave for target in self.targets), default=0) + 1

    @property
    def share(self) -> float:
        """The part of the fleet that it reaches, from 0 to 1."""
        return len(self.targets) / self.fleet if self.fleet else 0.0

    @property
    def course(self) -> Course:
        """What the state machine needs of it."""
        return Course(self.rules.gate, self.waves, self.rules.is_critical)

    @property
    def at_least(self) -> timedelta:
        """How long it takes at least: writing within the limits, and soaking between waves."""
        pace = self.rules.pace
        writes = len(self.targets) * pace.writes_per_pull
        writing = timedelta(hours=writes / pace.per_hour) if pace.per_hour else timedelta()
        is_short = writes <= pace.per_hour
        if is_short and pace.per_minute:
            writing = timedelta(minutes=writes / pace.per_minute)
        soaking = timedelta() if self.rules.is_critical else self.rules.gate.soak * (self.waves - 1)
        return writing + soaking


def make_plan(
    places: Iterable[Place],
    moves: Sequence[Move],
    selection: Selection,
    rules: RolloutRules,
    *,
    fleet: int,
    now: datetime,
    by: str = "",
    left_out: Mapping[str, str] | None = None,
) -> Plan:
    """The plan for these places.

    Args:
        places: All pins there are; those that are chosen, and do not have the digest, get it.
        moves: One for each image and platform that may be chosen.
        selection: Which places are meant.
        rules: How it is gone about.
        fleet: How many repos there are in all.
        now: When this is.
        by: Who makes it.
        left_out: Repos that are not to be asked, with the reason.
    """
    away = left_out or {}
    by_image = {(move.image, move.platform): move for move in moves}
    chosen = [
        (place, move)
        for place in places
        if (move := by_image.get((place.image, place.platform))) is not None
        and selection.chooses(place, now)
        and (place.digest != move.digest or move.to is not None)
    ]
    asked = [(place, move) for place, move in chosen if place.repo not in away]
    by_repo: dict[str, list[tuple[Place, Move]]] = {}
    for place, move in asked:
        by_repo.setdefault(place.repo, []).append((place, move))
    key = " ".join(sorted({move.image.image for move in moves}))
    waves = assign(map(_member, by_repo.values()), rules.waves, key)
    targets = tuple(
        _planned(member, number, by_repo[member.repo])
        for number, wave in enumerate(waves)
        for member in sorted(wave, key=lambda one: one.repo)
    )
    used = {(move.image, move.platform) for _, move in asked}
    kept = tuple(move for move in moves if (move.image, move.platform) in used)
    gone = {place.repo: away[place.repo] for place, _ in chosen if place.repo in away}
    return Plan(now, by, selection, kept, rules, targets, fleet, gone)


def _member(found: Sequence[tuple[Place, Move]]) -> Member:
    place, _ = found[0]
    return Member(place.repo, next(iter(_owners(found)), place.org), place.topics)


def _planned(member: Member, wave: int, found: Sequence[tuple[Place, Move]]) -> Planned:
    in_order = sorted(found, key=lambda pair: _position(pair[0]))
    edits = tuple(_edit(place, move) for place, move in in_order)
    return Planned(member.repo, wave, member.owner, edits, _owners(found))


def _owners(found: Iterable[tuple[Place, Move]]) -> tuple[str, ...]:
    """All who look after these places, each once, as far as a review is asked of them."""
    named = dict.fromkeys(owner for place, _ in found for owner in place.owners)
    return tuple(named)[:MOST_OWNERS]


def _edit(place: Place, move: Move) -> Edit:
    before, after = place.digest, move.digest
    return Edit(place.path, place.line, place.image, before, after, place.platform, move.to)


def _position(place: Place) -> tuple[str, int, int]:
    """Where it stands: by that, pins are told apart later that became the same."""
    return place.path, place.line, place.column
