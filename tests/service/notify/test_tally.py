from __future__ import annotations

import pytest

from digestbot.proposals.outcome import Outcome
from digestbot.service.notify.tally import ProposalTally
from tests.proposals.outcomes import make_outcome, make_verdict
from tests.service.notify.builders import NOW

TOLD = {Outcome.OPENED, Outcome.MERGED, Outcome.CLOSED}


def test_nothing_is_no_news() -> None:
    tally = ProposalTally()

    tally.note(make_outcome())

    assert tally.news("r1", NOW) == ()


@pytest.mark.parametrize("outcome", Outcome)
def test_only_what_opened_or_ended_is_told(outcome: Outcome) -> None:
    tally = ProposalTally()

    tally.note(make_outcome("acme/app", make_verdict(outcome)))

    assert bool(tally.news("r1", NOW)) == (outcome in TOLD)


def test_many_are_counted_and_a_few_are_named() -> None:
    tally = ProposalTally()

    for number in range(1200):
        verdict = make_verdict(Outcome.OPENED, number + 1)
        tally.note(make_outcome(f"acme/r{number}", verdict))

    (news,) = tally.news("r1", NOW)
    assert news.message == (
        "proposals: 1,200 opened (acme/r0 #1, acme/r1 #2, acme/r2 #3, acme/r3 #4, acme/r4 #5 "
        "and 1,195 more)"
    )
    assert (news.event, news.subject, news.since) == ("proposals", "run:r1", NOW)
    assert len(tally.names) == 5
