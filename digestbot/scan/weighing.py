"""What the gate makes of the verdicts of a scan: each distinct pin is weighed once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from digestbot.files.occurrence import Occurrence
from digestbot.image import Digest
from digestbot.policy.finding import Finding, Status
from digestbot.policy.holding import Offer
from digestbot.policy.judge import denied, weighed
from digestbot.registry.resolution import Resolution
from digestbot.scan.gate import Gate
from digestbot.scan.in_order import in_order
from digestbot.scan.lookups import Answer

_Case: TypeAlias = tuple[Digest | None, Resolution]


def weighed_findings(
    verdicts: Mapping[Occurrence, Finding],
    answers: Mapping[Occurrence, Answer],
    gate: Gate,
    *,
    jobs: int,
) -> dict[Occurrence, Finding]:
    """The verdicts with what is held back; a pin that is denied is said to be, whatever it is.

    That holds for pins that nobody follows, too: an `ignore` in a repo hides none of them.
    """
    found = ((one, _case(finding, answers)) for one, finding in verdicts.items())
    cases = {one: case for one, case in found if case is not None}
    distinct = list(dict.fromkeys(cases.values()))
    opened = [case for case in distinct if _is_open(case, gate)]
    told = in_order(lambda case: gate.weigh(case[1].query, *case), opened, jobs=jobs)
    offers = dict(zip(opened, told, strict=True))
    # For the others no registry is asked.
    offers |= {case: gate.weigh(case[1].query, *case) for case in distinct if case not in offers}
    return {
        one: _finding(finding, cases.get(one), offers, gate) for one, finding in verdicts.items()
    }


def _finding(
    finding: Finding, case: _Case | None, offers: Mapping[_Case, Offer], gate: Gate
) -> Finding:
    if case is not None:
        finding = weighed(finding, case[1], offers[case])
    pinned = _pinned(finding)
    return denied(finding) if pinned is not None and gate.denies(pinned) else finding


def _case(finding: Finding, answers: Mapping[Occurrence, Answer]) -> _Case | None:
    """What there is to weigh: a pin, and what the tag has now."""
    is_judged = finding.status in {Status.CURRENT, Status.STALE} or finding.new_digest is not None
    if not is_judged:
        return None
    answer = answers.get(finding.occurrence)
    return (_pinned(finding), answer) if isinstance(answer, Resolution) else None


def _is_open(case: _Case, gate: Gate) -> bool:
    """Whether there is anything to hold back."""
    pinned, answer = case
    return pinned is None or pinned != answer.digest or gate.denies(pinned)


def _pinned(finding: Finding) -> Digest | None:
    reference = finding.occurrence.reference
    return reference.digest if reference else None
