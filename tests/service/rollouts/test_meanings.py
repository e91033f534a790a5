from __future__ import annotations

import pytest

from digestbot.rollout.machine import BY_PEOPLE, Standing, State, Verb
from digestbot.service.rollouts.meanings import MEANINGS, command, helpful


def test_each_thing_that_people_can_say_has_its_sentence() -> None:
    assert list(MEANINGS) == list(BY_PEOPLE)
    assert all(sentence.endswith(".") for sentence in MEANINGS.values())


@pytest.mark.parametrize(
    "standing, verbs",
    [
        pytest.param(Standing(), (Verb.START, Verb.ABORT), id="planned"),
        pytest.param(Standing(State.WATCHING), (Verb.ABORT, Verb.ROLLBACK), id="watching"),
        pytest.param(Standing(State.CLOSED), (Verb.ROLLBACK,), id="closed"),
        pytest.param(Standing(State.ABORTED), (Verb.ROLLBACK,), id="aborted"),
        pytest.param(Standing(State.ROLLING_BACK), (Verb.ABORT,), id="rolling-back"),
        pytest.param(Standing(State.ROLLED_BACK), (), id="rolled-back"),
    ],
)
def test_what_leads_nowhere_is_not_offered(standing: Standing, verbs: tuple[Verb, ...]) -> None:
    assert helpful(standing) == verbs


def test_what_was_said_of_a_wave_is_not_offered_again() -> None:
    before = helpful(Standing(State.RUNNING))
    after = helpful(Standing(State.RUNNING, is_promoted=True, is_approved=True))

    assert set(before) - set(after) == {Verb.PROMOTE, Verb.APPROVE}


@pytest.mark.parametrize("state", State)
def test_nothing_is_offered_that_cannot_be(state: State) -> None:
    standing = Standing(state)

    assert set(helpful(standing)) <= set(standing.verbs())


def test_commands_name_a_repo_or_a_wave_where_they_are_about_one() -> None:
    assert command(Verb.PAUSE, "0a1b", 2) == "digestbot rollout pause 0a1b"
    assert command(Verb.SKIP, "0a1b", 2) == "digestbot rollout skip 0a1b REPO"
    assert command(Verb.APPROVE, "0a1b", 2) == "digestbot rollout approve 0a1b --wave 2"
    assert command(Verb.PROMOTE, "0a1b", 0) == "digestbot rollout promote 0a1b --wave 0"
