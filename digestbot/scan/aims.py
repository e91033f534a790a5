"""Who says what pins are to become, so that no registry is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, Protocol

from digestbot.files.occurrence import Occurrence, Skip
from digestbot.files.verify import Wanted
from digestbot.policy.finding import Finding, Status
from digestbot.registry.resolution import Query

NOT_CHOSEN: Final = "not-chosen"
NOT_WHOLE: Final = "not-whole"
_NOT_CHOSEN: Final = Skip(NOT_CHOSEN, "it is not what this is about")


class Aims(Protocol):
    """Someone who knows what the pins of a repo are to become. Safe to use from many threads."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is to be edited where one tag that is to be another cannot be."""

    def of(self, asked: Mapping[Occurrence, Query]) -> Mapping[Occurrence, Wanted | Skip]:
        """What each of these becomes, or why it is not known; what is not meant is left out.

        Those of one file are in the order they stand.
        """


def aimed(
    asked: Mapping[Occurrence, Query | Finding], aims: Aims
) -> tuple[dict[Occurrence, Query | Finding], dict[Occurrence, Wanted]]:
    """The questions that are left, with findings in place of the others; and what pins become."""
    told = aims.of({found: one for found, one in asked.items() if isinstance(one, Query)})
    left, wanted = dict(asked), {}
    for occurrence, query in asked.items():
        aim = told.get(occurrence, _NOT_CHOSEN)
        if isinstance(aim, Wanted):
            wanted[occurrence] = aim
        elif isinstance(query, Query):
            message = f"{query}: {aim.message}"
            left[occurrence] = Finding(occurrence, Status.SKIPPED, aim.reason, message)
    return left, wanted


def is_whole(findings: Iterable[Finding]) -> bool:
    """Whether each tag that is to be another one can be edited."""
    return all(one.new_tag is None or one.edits for one in findings)


def left_alone(findings: Iterable[Finding]) -> list[Finding]:
    """The findings without their edits."""
    why = "not edited: another place, which belongs to it, cannot be"
    return [
        replace(one, reason=NOT_WHOLE, message=f"{one.message}; {why}", edits=())
        if one.edits
        else one
        for one in findings
    ]
