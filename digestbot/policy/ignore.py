"""Which occurrences are to be left alone: by the comment above them, or by the configuration."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Protocol

from digestbot.files.occurrence import Occurrence
from digestbot.globs import matches
from digestbot.image import ImageTag


class IgnoreRule(Protocol):
    """A rule: image glob, path glob, until when, why, and who says so."""

    @property
    def image(self) -> str:
        """A glob on `registry/repository`, or on `registry/repository:tag`."""

    @property
    def path(self) -> str | None:
        """A glob on the file's path; None is any."""

    @property
    def until(self) -> date | None:
        """The last day on which the rule holds; None is for ever."""

    @property
    def reason(self) -> str | None:
        """Why, in the words of whoever wrote the rule."""

    @property
    def by(self) -> str:
        """Whose rule it is, as the end of a sentence."""


def why_ignored(occurrence: Occurrence, rules: Iterable[IgnoreRule], *, today: date) -> str | None:
    """The sentence that says why the occurrence is ignored today; None where it is not."""
    comment = occurrence.steering.ignore
    if comment is not None and (comment.until is None or today <= comment.until):
        return _sentence("ignored by the comment above", comment.until, comment.why)
    for rule in rules:
        if _applies(rule, occurrence) and (rule.until is None or today <= rule.until):
            return _sentence(f"ignored by {rule.by}", rule.until, rule.reason or "")
    return None


def _applies(rule: IgnoreRule, occurrence: Occurrence) -> bool:
    reference = occurrence.reference
    if reference is None or (rule.path and not matches(occurrence.path, rule.path)):
        return False
    names, tag = [reference.image], reference.followed
    if tag is None and occurrence.steering.tag is not None:
        tag = ImageTag(reference.registry, reference.repository, occurrence.steering.tag)
    if tag is not None:
        names.append(str(tag))
    return any(matches(name, rule.image) for name in names)


def _sentence(who: str, until: date | None, why: str) -> str:
    limit = f" until {until.isoformat()}" if until else ""
    return f"{who}{limit}: {why}" if why else f"{who}{limit}"
