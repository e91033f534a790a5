"""When a repo is to be looked at again, although nothing in it will have moved until then."""

from __future__ import annotations

from datetime import datetime, timedelta

from digestbot.proposals.outcome import Outcome, RepoOutcome

ADOPTED_FOR = timedelta(hours=3)
"""So long others are trusted to bring an update: no list of repos tells what becomes of theirs."""


def look_again_at(outcome: RepoOutcome, now: datetime) -> datetime | None:
    """The earliest time at which more can be done than now; None without one.

    `now` itself means the next cycle, whenever that is: something did not work, waits for
    room, or is to be merged once it is green.
    """
    times = [
        finding.until
        for finding in (outcome.result.findings if outcome.result else ())
        if finding.until is not None
    ]
    if any(problem.scope != "registry" for problem in outcome.problems) or outcome.is_merging:
        times.append(now)
    if any(verdict.outcome is Outcome.LIMITED for verdict in outcome.verdicts):
        times.append(outcome.opens_at or now)
    if any(verdict.outcome is Outcome.ADOPTED for verdict in outcome.verdicts):
        times.append(now + ADOPTED_FOR)
    return max(min(times), now) if times else None
