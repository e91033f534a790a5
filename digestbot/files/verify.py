"""Edits that are proven: a copy of the file is edited and read again before anyone writes.

After the edits the same occurrences must stand there, in the same order, each the same but
for the digest, and the tag, that were meant; otherwise the edit is refused. A refusal takes
away only the edits concerned.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from digestbot.errors import EditRefusedError
from digestbot.files.edit import Edit, apply_edits
from digestbot.files.formats import Format
from digestbot.files.occurrence import Gap, Occurrence, Pin, Skip
from digestbot.image import Digest
from digestbot.image.reference import DEFAULT_TAG

_MAX_READS = 64
_LINES_NAMED = 5
_Identity: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an occurrence is to become: its digest, and its tag where that is to be another."""

    digest: Digest
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class EditPlan:
    """What came of a wish, by the index of the occurrence: its edits, or why there are none.

    Occurrences that share one place share one equal edit.
    """

    edits: dict[int, tuple[Edit, ...]] = field(default_factory=dict)
    refusals: dict[int, Skip] = field(default_factory=dict)


def plan_edits(
    reader: Format,
    path: str,
    data: bytes,
    occurrences: Sequence[Occurrence],
    wanted: Mapping[int, Wanted],
) -> EditPlan:
    """The edits that give some occurrences of a file a new digest, and maybe a new tag.

    Args:
        reader: The format that read the file, and reads the copy.
        path: The file's path, for the edits.
        data: The file's bytes.
        occurrences: All occurrences that `reader` finds in them.
        wanted: What each occurrence that is to be changed becomes, by its index.
    """
    plan = EditPlan()
    candidates = _Candidates(reader, path, data, occurrences)
    for place, indices in _by_place(occurrences, wanted, plan.refusals).items():
        refusal = _refusal(occurrences, indices, wanted) or _tag_refusal(
            data, place, (occurrences[index] for index in indices), wanted[indices[0]]
        )
        if refusal is None:
            candidates.add(place, indices, wanted[indices[0]])
        else:
            plan.refusals.update({index: refusal for index in indices if index in wanted})
    proven = candidates.proven()
    for edit, indices in candidates.edits.items():
        for index in indices:
            if edit in proven:
                plan.edits[index] = (edit,)
            else:
                plan.refusals[index] = _NOT_REPRODUCIBLE
    return plan


def _by_place(
    occurrences: Sequence[Occurrence], wanted: Mapping[int, Wanted], refusals: dict[int, Skip]
) -> dict[Pin | Gap, list[int]]:
    """The places that are to change, each with every occurrence it feeds."""
    fed: defaultdict[Pin | Gap, list[int]] = defaultdict(list)
    for index, occurrence in enumerate(occurrences):
        if occurrence.place is not None:
            fed[occurrence.place].append(index)
        elif index in wanted:
            refusals[index] = occurrence.refusal or occurrence.skip or _NO_PLACE
    return {place: indices for place, indices in fed.items() if any(i in wanted for i in indices)}


def _refusal(
    occurrences: Sequence[Occurrence], indices: Sequence[int], wanted: Mapping[int, Wanted]
) -> Skip | None:
    if len({wanted.get(index) for index in indices}) > 1:
        lines = ", ".join(str(occurrences[index].line) for index in indices[:_LINES_NAMED])
        lines += ", …" if len(indices) > _LINES_NAMED else ""
        message = f"lines {lines} share one digest in the file, and do not all get the same new one"
        return Skip("shared-span", message)
    for index in indices:
        reference, digest = occurrences[index].reference, wanted[index].digest
        old = reference.digest if reference is not None else None
        if old is not None and old.algorithm != digest.algorithm:
            return Skip("other-algorithm", f"{old.algorithm} cannot become {digest.algorithm}")
    return None


def _tag_refusal(
    data: bytes, place: Pin | Gap, occurrences: Iterable[Occurrence], wanted: Wanted
) -> Skip | None:
    """Why the tag cannot be replaced together with the digest; None where it can, or need not."""
    if wanted.tag is None:
        return None
    for occurrence in occurrences:
        before = _before_pin(occurrence)
        if not (before and isinstance(place, Pin) and data.endswith(before, 0, place.start)):
            return _TAG_ELSEWHERE
        if occurrence.steering.tag is not None:
            return _TAG_IN_COMMENT
    return None


def _before_pin(occurrence: Occurrence) -> bytes:
    """What stands before the hex digits where the tag is written there; empty without a tag."""
    reference = occurrence.reference
    if reference is None or reference.tag is None or reference.digest is None:
        return b""
    return f":{reference.tag}@{reference.digest.algorithm}:".encode()


class _Candidates:
    """Edits of one file, and the proof that they do what they are meant to do."""

    def __init__(
        self, reader: Format, path: str, data: bytes, occurrences: Sequence[Occurrence]
    ) -> None:
        self.edits: dict[Edit, list[int]] = {}
        self._wanted: dict[int, Wanted] = {}
        self._reader = reader
        self._path = path
        self._data = data
        self._occurrences = occurrences
        self._reads = 0

    def add(self, place: Pin | Gap, indices: list[int], wanted: Wanted) -> None:
        if isinstance(place, Gap):
            new = f"{place.before}@{wanted.digest}"
            edit = Edit(self._path, place.start, place.start, "", new)
        elif wanted.tag is None:
            edit = self._replacing(place.start, place.end, wanted.digest.hex)
        else:
            start = place.start - len(_before_pin(self._occurrences[indices[0]])) + 1
            edit = self._replacing(start, place.end, f"{wanted.tag}@{wanted.digest}")
        self.edits[edit] = indices
        self._wanted.update(dict.fromkeys(indices, wanted))

    def _replacing(self, start: int, end: int, new: str) -> Edit:
        return Edit(self._path, start, end, self._data[start:end].decode("latin-1"), new)

    def proven(self) -> set[Edit]:
        """The edits that hold, each by itself and all together."""
        everything = list(self.edits)
        if self._holds(everything):
            return set(everything)
        good = self._halved(everything)
        return set(good) if self._holds(good) else set()

    def _halved(self, edits: list[Edit]) -> list[Edit]:
        """The good ones of some edits that do not hold together."""
        if len(edits) == 1 or self._reads >= _MAX_READS:
            return []
        middle = len(edits) // 2
        good: list[Edit] = []
        for half in (edits[:middle], edits[middle:]):
            good += half if self._holds(half) else self._halved(half)
        return good

    def _holds(self, edits: Sequence[Edit]) -> bool:
        if not edits:
            return True
        self._reads += 1
        try:
            copy = apply_edits(self._data, edits)
        except EditRefusedError:
            return False
        found = self._reader.read(self._path, copy)
        changed = {index for edit in edits for index in self.edits[edit]}
        return _identities(found) == self._expected(changed) and _is_settled(copy, found, changed)

    def _expected(self, changed: Iterable[int]) -> list[_Identity]:
        identities = _identities(self._occurrences)
        for index in changed:
            occurrence = self._occurrences[index]
            identities[index] = _identity(occurrence, self._wanted[index])
        return identities


def _identities(occurrences: Sequence[Occurrence]) -> list[_Identity]:
    return [_identity(occurrence) for occurrence in occurrences]


def _identity(occurrence: Occurrence, wanted: Wanted | None = None) -> _Identity:
    """What must not change; with `wanted`, as if the occurrence had become that."""
    reason = occurrence.skip.reason if occurrence.skip else None
    where = (occurrence.kind, occurrence.line, reason, occurrence.steering)
    reference = occurrence.reference
    if reference is None:
        return where
    if wanted is None:
        return (*where, reference.image, reference.tag, reference.digest)
    tag = reference.tag if reference.digest is not None else reference.tag or DEFAULT_TAG
    return (*where, reference.image, wanted.tag or tag, wanted.digest)


def _is_settled(copy: bytes, found: Sequence[Occurrence], changed: Iterable[int]) -> bool:
    """Whether a second run would find each new digest in a place of its own, and leave it."""
    for index in changed:
        reference, place = found[index].reference, found[index].place
        if reference is None or reference.digest is None or not isinstance(place, Pin):
            return False
        if copy[place.start : place.end] != reference.digest.hex.encode():
            return False
    return True


_NO_PLACE = Skip("no-place", "there is no place in the file where a digest could stand")
_NOT_REPRODUCIBLE = Skip(
    "not-reproducible", "reading the edited file again gives something else than was meant"
)
_TAG_ELSEWHERE = Skip(
    "tag-elsewhere", "its tag does not stand right before its digest, so it cannot be replaced"
)
_TAG_IN_COMMENT = Skip(
    "tag-elsewhere", "the comment above it names its tag, too, so it cannot be replaced"
)
