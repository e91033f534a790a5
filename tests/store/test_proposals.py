"""What became of each proposal, as it was seen last."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection

from digestbot.proposals.outcome import Outcome, Verdict
from digestbot.store import proposals, repos
from digestbot.store.proposals import STATES, State, StoredProposal
from tests.service.state import DAY, HOUR, NOW, TARGET, add_proposal, add_repos

APP, WEB = "acme/app", "acme/web"
URL = "https://github.com/acme/app/pull/12"
OPENED = Verdict("digestbot/python", Outcome.OPENED, "it is new", "Update python", 12, URL)
UNCHANGED = replace(OPENED, outcome=Outcome.UNCHANGED, message="as it should be")


@pytest.fixture
def number(connection: Connection) -> int:
    (found,) = add_repos(connection, APP).values()
    return found


def states(connection: Connection) -> dict[str, int]:
    """Without those of which there are none."""
    return {state: count for state, count in proposals.counts(connection).items() if count}


def test_all_of_a_proposal_is_kept(connection: Connection, number: int) -> None:
    proposals.note(connection, number, [OPENED], NOW)

    assert proposals.open_ones(connection) == [
        StoredProposal(
            APP,
            "digestbot/python",
            12,
            URL,
            "Update python",
            Outcome.OPENED,
            "it is new",
            NOW,
        )
    ]


def test_a_proposal_was_opened_when_it_was_opened(connection: Connection, number: int) -> None:
    for hours, outcome in enumerate([Outcome.OPENED, Outcome.REFRESHED, Outcome.UNCHANGED]):
        verdict = replace(OPENED, outcome=outcome)
        proposals.note(connection, number, [verdict], NOW + hours * HOUR)

    (found,) = proposals.open_ones(connection)
    assert (found.opened_at, found.outcome) == (NOW, Outcome.UNCHANGED)


def test_what_was_open_before_anybody_looked_is_as_old_as_the_first_look(
    connection: Connection, number: int
) -> None:
    proposals.note(connection, number, [UNCHANGED], NOW)
    proposals.note(connection, number, [UNCHANGED], NOW + HOUR)

    (found,) = proposals.open_ones(connection)
    assert found.opened_at == NOW


def test_another_pull_request_on_the_same_branch_is_another_proposal(
    connection: Connection, number: int
) -> None:
    proposals.note(connection, number, [OPENED], NOW)
    proposals.note(connection, number, [replace(UNCHANGED, number=13)], NOW + HOUR)

    (found,) = proposals.open_ones(connection)
    assert (found.number, found.opened_at) == (13, NOW + HOUR)


def test_one_that_learns_its_number_later_is_the_same(connection: Connection, number: int) -> None:
    proposals.note(connection, number, [replace(OPENED, number=0, url="")], NOW)
    proposals.note(connection, number, [UNCHANGED], NOW + HOUR)

    (found,) = proposals.open_ones(connection)
    assert (found.number, found.url, found.opened_at) == (12, URL, NOW)


def test_a_title_is_not_forgotten_by_a_verdict_without(connection: Connection, number: int) -> None:
    proposals.note(connection, number, [OPENED], NOW)
    proposals.note(connection, number, [replace(UNCHANGED, title="", number=0)], NOW + HOUR)

    (found,) = proposals.open_ones(connection)
    assert (found.title, found.number) == ("Update python", 12)


def test_one_that_is_opened_again_counts_again(connection: Connection, number: int) -> None:
    proposals.note(connection, number, [OPENED], NOW)
    proposals.note(connection, number, [replace(OPENED, outcome=Outcome.CLOSED)], NOW + HOUR)
    proposals.note(connection, number, [replace(OPENED, number=13)], NOW + DAY)

    (found,) = proposals.open_ones(connection)
    assert (found.number, found.opened_at) == (13, NOW + DAY)
    assert states(connection) == {"open": 1}


@pytest.mark.parametrize(
    "outcome, state",
    [
        pytest.param(Outcome.OPENED, State.OPEN, id="opened"),
        pytest.param(Outcome.COMMITTED, State.OPEN, id="committed"),
        pytest.param(Outcome.HANDS_OFF, State.OPEN, id="hands-off"),
        pytest.param(Outcome.KEPT, State.OPEN, id="kept"),
        pytest.param(Outcome.LIMITED, State.WAITING, id="limited"),
        pytest.param(Outcome.MERGED, State.MERGED, id="merged"),
        pytest.param(Outcome.CLOSED, State.CLOSED, id="closed"),
        pytest.param(Outcome.REJECTED, State.REJECTED, id="rejected"),
        pytest.param(Outcome.ADOPTED, State.ADOPTED, id="adopted"),
    ],
)
def test_its_state_is_what_became_of_it(
    connection: Connection, number: int, outcome: Outcome, state: State
) -> None:
    proposals.note(connection, number, [replace(OPENED, outcome=outcome)], NOW)

    assert states(connection) == {state.value: 1}
    assert bool(proposals.open_ones(connection)) == (state is State.OPEN)


def test_every_outcome_has_a_state() -> None:
    assert set(STATES) == set(Outcome)


@pytest.mark.parametrize(
    "outcome, state",
    [
        pytest.param(Outcome.UNCHANGED, State.ENDED, id="open"),
        pytest.param(Outcome.LIMITED, State.ENDED, id="waiting"),
        pytest.param(Outcome.MERGED, State.MERGED, id="merged"),
        pytest.param(Outcome.CLOSED, State.CLOSED, id="closed"),
        pytest.param(Outcome.REJECTED, State.REJECTED, id="rejected"),
    ],
)
def test_what_nothing_is_said_of_any_more_has_ended(
    connection: Connection, number: int, outcome: Outcome, state: State
) -> None:
    proposals.note(connection, number, [replace(OPENED, outcome=outcome)], NOW)

    proposals.note(connection, number, [], NOW + HOUR)

    assert states(connection) == {state.value: 1}


def test_those_of_other_repos_stay_as_they_are(connection: Connection) -> None:
    ids = add_repos(connection, APP, WEB)
    for name, number in ids.items():
        add_proposal(connection, number, name)

    proposals.note(connection, ids[APP], [], NOW)

    assert [one.repo for one in proposals.open_ones(connection)] == [WEB]


def test_a_repo_may_have_several(connection: Connection, number: int) -> None:
    other = replace(OPENED, branch="digestbot/debian", number=13)
    proposals.note(connection, number, [OPENED, other], NOW)

    proposals.note(connection, number, [replace(other, outcome=Outcome.MERGED)], NOW + HOUR)

    assert states(connection) == {"merged": 1, "ended": 1}


def test_they_are_counted_by_when_they_were_opened_whatever_became_of_them(
    connection: Connection,
) -> None:
    names = [f"acme/{number}" for number in range(4)]
    for hours, (name, number) in enumerate(add_repos(connection, *names).items()):
        add_proposal(connection, number, name, at=NOW - hours * HOUR)
        add_proposal(connection, number, name, Outcome.MERGED, at=NOW)

    assert proposals.opened_since(connection, NOW - 2 * HOUR) == 2
    assert proposals.opened_since(connection, NOW) == 0


@pytest.mark.parametrize("outcome", [Outcome.LIMITED, Outcome.REJECTED, Outcome.ADOPTED])
def test_what_was_not_opened_does_not_count_as_opened(
    connection: Connection, number: int, outcome: Outcome
) -> None:
    proposals.note(connection, number, [replace(OPENED, outcome=outcome)], NOW)

    assert proposals.opened_since(connection, NOW - DAY) == 0


def test_a_proposal_that_waited_is_opened_when_there_is_room(
    connection: Connection, number: int
) -> None:
    proposals.note(connection, number, [replace(OPENED, outcome=Outcome.LIMITED, number=0)], NOW)
    proposals.note(connection, number, [OPENED], NOW + HOUR)

    (found,) = proposals.open_ones(connection)
    assert found.opened_at == NOW + HOUR
    assert states(connection) == {"open": 1}


def test_the_oldest_come_first_and_no_more_than_asked_for(connection: Connection) -> None:
    for hours, (name, number) in enumerate(add_repos(connection, APP, WEB, "acme/z").items()):
        add_proposal(connection, number, name, at=NOW - hours * HOUR)

    assert [one.repo for one in proposals.open_ones(connection, 2)] == ["acme/z", WEB]


def test_of_a_repo_that_is_gone_none_is_open(connection: Connection, number: int) -> None:
    proposals.note(connection, number, [OPENED], NOW)

    repos.note_gone(connection, TARGET, "another run", NOW)

    assert proposals.open_ones(connection) == []
    assert states(connection) == {}
    assert proposals.opened_since(connection, NOW - HOUR) == 1


def test_what_had_ended_before_its_repo_was_gone_still_counts(
    connection: Connection, number: int
) -> None:
    proposals.note(connection, number, [replace(OPENED, outcome=Outcome.MERGED)], NOW)

    repos.note_gone(connection, TARGET, "another run", NOW)

    assert states(connection) == {"merged": 1}
