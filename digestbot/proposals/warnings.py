"""What a reviewer should know before merging an update."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from digestbot.files.occurrence import Occurrence
from digestbot.image import Platform
from digestbot.proposals.evidence import Evidence, Witness
from digestbot.proposals.update import Update
from digestbot.registry.image_facts import ImageFacts
from digestbot.registry.manifests import INDEX_TYPES

# Before there were images: reproducible builds set their clock to 0, 1970 or 1980.
_FIRST_YEAR = 2013
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Caution:
    """Something to look at: a stable slug, a sentence of plain text, and a line to copy."""

    slug: str
    sentence: str
    line: str = ""


def warnings_of(update: Update, evidence: Evidence) -> tuple[Caution, ...]:
    """Everything that is unusual about an update, each once."""
    found = [*_by_policy(update), *_build_argument(update)]
    for old in evidence.old:
        found += cautions(old, evidence.new, is_other_tag=bool(update.other_tags))
    return tuple(dict.fromkeys(found))


def cautions(old: Witness, new: Witness, *, is_other_tag: bool = False) -> tuple[Caution, ...]:
    """What is unusual about an image that takes the place of another, as far as it is known."""
    found = [*_gone(old)]
    if old.facts and new.facts:
        found += _compared(old, old.facts, new.facts)
        found += _older(old.facts, new.facts, is_other_tag=is_other_tag)
    return tuple(found)


def created_at(facts: ImageFacts | None) -> datetime | None:
    """When an image says it was created; None where that is unknown or made up."""
    if facts is None:
        return None
    try:
        moment = datetime.fromisoformat(facts.described.created)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year >= _FIRST_YEAR else None


def platforms_of(facts: ImageFacts) -> tuple[str, ...]:
    """What an image runs on, each once, sorted."""
    return tuple(sorted({str(platform) for platform in facts.platforms}))


def _by_policy(update: Update) -> Iterator[Caution]:
    """What policy says of the pins, and of a digest that is not the newest."""
    for finding in update.findings:
        if finding.is_denied:
            reference = finding.occurrence.reference
            pinned = reference.digest.short if reference and reference.digest else "The pin"
            yield Caution(
                "denied-pinned",
                f"The pinned digest {pinned} is on the deny list: it is not to be used any longer.",
            )
        elif finding.reason == "not-newest":
            yield Caution("not-newest", f"{finding.message}.")


def _build_argument(update: Update) -> Iterator[Caution]:
    count = sum(_is_in_variable(finding.occurrence) for finding in update.findings)
    if count:
        where = "one place" if count == 1 else f"{count:,} places"
        yield Caution(
            "build-argument",
            f"The digest stands in the default of a variable in {where}: a build that sets "
            "the variable does not see this update.",
        )


def _is_in_variable(occurrence: Occurrence) -> bool:
    """Whether the digest is elsewhere: what ends in one has it, wherever its tag is from."""
    reference = occurrence.reference
    digest = reference.digest if reference else None
    return "$" in occurrence.written and not (digest and occurrence.written.endswith(f"@{digest}"))


def _gone(old: Witness) -> Iterator[Caution]:
    if old.why_not == "not-found":
        yield Caution(
            "old-gone",
            f"The registry no longer has the pinned image {old.digest.short}: "
            "builds that need it fail until this is merged.",
        )


def _compared(old: Witness, before: ImageFacts, after: ImageFacts) -> Iterator[Caution]:
    was_index, is_index = before.media_type in INDEX_TYPES, after.media_type in INDEX_TYPES
    if was_index and not is_index:
        yield _single(before, after)
    elif is_index and not was_index:
        yield _index(old, before.described.platform)
    elif lost := sorted({*platforms_of(before)} - {*platforms_of(after)}):
        yield Caution("platform-lost", f"The new image no longer runs on {_listed(lost)}.")


def _older(before: ImageFacts, after: ImageFacts, *, is_other_tag: bool) -> Iterator[Caution]:
    created, previous = created_at(after), created_at(before)
    if created and previous and created < previous:
        why = "" if is_other_tag else ": the tag may have been set back"
        yield Caution(
            "older",
            f"The new image was created on {created:%Y-%m-%d}, before the pinned one "
            f"({previous:%Y-%m-%d}){why}.",
        )


def _single(before: ImageFacts, after: ImageFacts) -> Caution:
    now = _listed(platforms_of(after)) or "one platform"
    return Caution(
        "single-now",
        f"The pinned image ran on {_listed(platforms_of(before)) or 'several platforms'}; "
        f"the new one is a single image for {now}.",
    )


def _index(old: Witness, platform: Platform | None) -> Caution:
    named = str(platform) if platform else "one platform"
    stay = " To stay with it, write this on the line above:" if platform else ""
    return Caution(
        "index-now",
        f"{old.digest.short} pins the image for {named} alone; the new digest is that of all "
        f"platforms.{stay}",
        f"# digestbot: platform={platform}" if platform else "",
    )


def _listed(names: list[str] | tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
