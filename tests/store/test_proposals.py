"""What became of each proposal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pytest
from sqlalchemy import Connection

from digestbot.proposals.outcome import Outcome, Verdict
from digestbot.store import proposals, repos
from digestbot.store.proposals import STATES, State
from tests.service.state import DAY, HOUR, NOW, TARGET, add_repos
from tests.store.statements import counted

BRANCH, URL = "digestbot/python", "https://github.com/acme/a/pull/7"


def verdict(outcome: Outcome, branch: str = BRANCH, number: int = 7) -> Verdict:
    return Verdict(branch, outcome, "so it is", "Update python", number, URL)


def note(connection: Connection, *verdicts: Verdict, repo: int = 1, at: datetime = NOW) -> None:
    proposals.note(connection, repo, verdicts, at)


def some(connection: Connection) -> Mapping[str, int]:
    return {state: count for state, count in proposals.counts(connection).items() if count}


@pytest.fixture(autouse=True)
def repo(connection: Connection) -> None:
    add_repos(connection, "acme/a", "acme/b")


def test_every_outcome_has_a_state() -> None:
    assert set(STATES) == set(Outcome)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_state_is_that_of_the_outcome(connection: Connection, outcome: Outcome) -> None:
    note(connection, verdict(outcome))

    assert some(connection) == {STATES[outcome].value: 1}


def test_states_without_proposals_are_counted_too(connection: Connection) -> None:
    assert proposals.counts(connection) == {state.value: 0 for state in State}


def test_an_open_one_is_told_as_it_is(connection: Connection) -> None:
    note(connection, verdict(Outcome.OPENED))

    (found,) = proposals.open_ones(connection)

    assert (found.repo, found.branch, found.number, found.url) == ("acme/a", BRANCH, 7, URL)
    assert (found.title, found.message) == ("Update python", "so it is")
    assert (found.outcome, found.opened_at) == (Outcome.OPENED, NOW)


def test_it_was_opened_when_it_was_first(connection: Connection) -> None:
    note(connection, verdict(Outcome.OPENED), at=NOW - DAY)
    note(connection, verdict(Outcome.REFRESHED), at=NOW - HOUR)
    note(connection, verdict(Outcome.UNCHANGED))

    (found,) = proposals.open_ones(connection)

    assert (found.outcome, found.opened_at) == (Outcome.UNCHANGED, NOW - DAY)


def test_what_was_opened_lately_counts_whatever_became_of_it(connection: Connection) -> None:
    note(connection, verdict(Outcome.OPENED), at=NOW - 2 * HOUR)
    note(connection, verdict(Outcome.OPENED), repo=2, at=NOW - HOUR / 2)
    note(connection, verdict(Outcome.CLOSED), repo=2)

    assert proposals.opened_since(connection, NOW - HOUR) == 1
    assert proposals.opened_since(connection, NOW - DAY) == 2
    assert proposals.opened_since(connection, NOW) == 0


def test_one_of_which_nothing_is_said_any_more_has_ended(connection: Connection) -> None:
    note(connection, verdict(Outcome.OPENED), verdict(Outcome.LIMITED, "digestbot/node", 0))

    note(connection)

    assert some(connection) == {"ended": 2}
    assert proposals.open_ones(connection) == []


def test_a_repo_without_any_costs_one_question(connection: Connection) -> None:
    with counted(connection) as statements:
        note(connection)

    assert len(statements) == 1


def test_what_it_came_to_is_not_forgotten(connection: Connection) -> None:
    note(connection, verdict(Outcome.MERGED))

    note(connection)

    assert some(connection) == {"merged": 1}


def test_the_branches_of_other_repos_are_theirs(connection: Connection) -> None:
    note(connection, verdict(Outcome.OPENED))
    note(connection, verdict(Outcome.OPENED), repo=2)

    note(connection, repo=2)

    assert some(connection) == {"open": 1, "ended": 1}


def test_a_new_pull_request_from_the_same_branch_is_a_new_proposal(connection: Connection) -> None:
    note(connection, verdict(Outcome.OPENED), at=NOW - DAY)
    note(connection, verdict(Outcome.MERGED), at=NOW - HOUR)
    note(connection, verdict(Outcome.OPENED, number=8))

    (found,) = proposals.open_ones(connection)

    assert (found.number, found.opened_at) == (8, NOW)
    assert proposals.opened_since(connection, NOW - HOUR) == 1


def test_the_oldest_is_told_first(connection: Connection) -> None:
    note(connection, verdict(Outcome.OPENED))
    note(connection, verdict(Outcome.OPENED), repo=2, at=NOW - DAY)

    assert [one.repo for one in proposals.open_ones(connection)] == ["acme/b", "acme/a"]
    assert [one.repo for one in proposals.open_ones(connection, limit=1)] == ["acme/b"]


def test_open_ones_of_a_repo_that_is_gone_are_unknown(connection: Connection) -> None:
    note(connection, verdict(Outcome.OPENED), verdict(Outcome.MERGED, "digestbot/node"))

    repos.note_gone(connection, TARGET, "later", NOW)

    assert some(connection) == {"merged": 1}
    assert proposals.open_ones(connection) == []


def test_one_that_was_open_before_anybody_looked_is_as_old_as_the_first_look(
    connection: Connection,
) -> None:
    note(connection, verdict(Outcome.UNCHANGED), at=NOW - HOUR)
    note(connection, verdict(Outcome.UNCHANGED))

    (found,) = proposals.open_ones(connection)

    assert found.opened_at == NOW - HOUR


def test_one_that_learns_its_number_later_is_the_same(connection: Connection) -> None:
    note(connection, verdict(Outcome.OPENED, number=0), at=NOW - HOUR)
    note(connection, verdict(Outcome.UNCHANGED))

    (found,) = proposals.open_ones(connection)

    assert (found.number, found.opened_at) == (7, NOW - HOUR)


def test_what_a_verdict_does_not_say_is_not_forgotten(connection: Connection) -> None:
    note(connection, verdict(Outcome.OPENED))
    note(connection, Verdict(BRANCH, Outcome.KEPT, "it is held back", url=URL))

    (found,) = proposals.open_ones(connection)

    assert (found.title, found.number, found.message) == ("Update python", 7, "it is held back")


def test_one_that_waited_is_opened_when_there_is_room(connection: Connection) -> None:
    note(connection, verdict(Outcome.LIMITED, number=0), at=NOW - HOUR)
    note(connection, verdict(Outcome.OPENED))

    (found,) = proposals.open_ones(connection)

    assert found.opened_at == NOW
    assert some(connection) == {"open": 1}


@pytest.mark.parametrize("outcome", [Outcome.LIMITED, Outcome.REJECTED, Outcome.ADOPTED])
def test_what_was_not_opened_does_not_count_as_opened(
    connection: Connection, outcome: Outcome
) -> None:
    note(connection, verdict(outcome))

    assert proposals.opened_since(connection, NOW - DAY) == 0


def test_what_was_opened_in_a_repo_that_is_gone_still_was(connection: Connection) -> None:
    note(connection, verdict(Outcome.OPENED))

    repos.note_gone(connection, TARGET, "later", NOW)

    assert proposals.opened_since(connection, NOW - HOUR) == 1
