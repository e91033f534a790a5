"""Rollouts as the state keeps them, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text

from digestbot.errors import UsageError
from digestbot.rollout.contract import plan_id
from digestbot.rollout.gates import Evidence, WaveCount
from digestbot.rollout.machine import Event, MachineError, State, Verb
from digestbot.rollout.pacing import Pace
from digestbot.rollout.plan import Plan
from digestbot.rollout.progress import Target, TargetState
from digestbot.store import rollouts
from digestbot.store.database import Database
from digestbot.store.errors import NewerError
from digestbot.store.rollouts import Rollout
from tests.rollout.shown import hostile, small

HOUR = timedelta(hours=1)
PLAN = small()
NOW = PLAN.made_at


def made(connection: Connection, plan: Plan = PLAN) -> Rollout:
    found = rollouts.get(connection, rollouts.create(connection, plan))
    assert found is not None
    return found


def told(
    connection: Connection, rollout: Rollout, *verbs: Verb, evidence: Evidence | None = None
) -> Rollout:
    for number, verb in enumerate(verbs, 1):
        event = Event(verb, NOW + number * HOUR, "ann", "because", evidence=evidence)
        rollout = rollouts.append(connection, rollout, event)
    return rollout


def other(hours: int, plan: Plan = PLAN) -> Plan:
    return replace(plan, made_at=NOW + hours * HOUR)


@pytest.mark.parametrize("plan", [small(), hostile()], ids=["small", "hostile"])
def test_a_plan_is_kept_as_it_is_with_its_repos_waiting(connection: Connection, plan: Plan) -> None:
    found = made(connection, plan)

    assert (found.plan, found.id) == (plan, plan_id(plan))
    assert (found.events, found.standing.state, found.pace) == ((), State.PLANNED, Pace())
    waiting = rollouts.targets(connection, found.id)
    assert sorted((one.repo, one.wave) for one in waiting) == sorted(
        (one.repo, one.wave) for one in plan.targets
    )
    assert {one.state for one in waiting} == {TargetState.WAITING}


def test_the_same_plan_is_kept_once_and_loses_nothing(connection: Connection) -> None:
    first = made(connection)
    told(connection, first, Verb.START)
    rollouts.note_targets(connection, first.id, [Target("acme/lab", 0, TargetState.MERGED)])

    again = made(connection)

    assert again.standing.state is State.RUNNING
    assert rollouts.count(connection) == 1
    assert rollouts.targets(connection, first.id)[0].state is TargetState.MERGED


def test_the_beginning_of_a_name_is_enough_where_there_is_one_such(connection: Connection) -> None:
    name = made(connection).id

    assert rollouts.find(connection, name) == name
    assert rollouts.find(connection, name[:3]) == name


@pytest.mark.parametrize("name", ["zz", "%", "_", "0" * 11], ids=repr)
def test_what_is_no_name_is_none(connection: Connection, name: str) -> None:
    made(connection)

    with pytest.raises(UsageError, match="no rollout is called"):
        rollouts.find(connection, name)


def test_no_name_is_not_the_beginning_of_all(connection: Connection) -> None:
    made(connection)

    with pytest.raises(UsageError, match="the id of the rollout is empty"):
        rollouts.find(connection, "")


def test_a_beginning_that_two_names_have_is_too_short(connection: Connection) -> None:
    names: dict[str, str] = {}
    for hours in range(17):
        name = rollouts.create(connection, other(hours))
        if name[0] in names:
            break
        names[name[0]] = name

    with pytest.raises(UsageError, match="more than one rollout is called"):
        rollouts.find(connection, name[0])


def test_what_happens_is_replayed(connection: Connection) -> None:
    evidence = Evidence(WaveCount(merged=1), NOW + HOUR, NOW, accepted=2)
    rollout = told(connection, made(connection), Verb.START, Verb.PROMOTE)
    rollout = told(connection, rollout, Verb.ADVANCE, evidence=evidence)
    told(connection, rollout, Verb.PAUSE)

    found = rollouts.get(connection, rollout.id)

    assert found is not None
    assert [event.verb for event in found.events] == ["start", "promote", "advance", "pause"]
    assert found.events[0] == Event(Verb.START, NOW + HOUR, "ann", "because")
    assert found.events[2].evidence == evidence
    assert (found.standing.state, found.standing.wave) == (State.PAUSED, 1)


def test_what_cannot_happen_is_not_written_down(connection: Connection) -> None:
    rollout = made(connection)

    with pytest.raises(MachineError, match="planned cannot be told to pause"):
        told(connection, rollout, Verb.PAUSE)

    assert made(connection).events == ()


def test_of_two_who_have_something_happen_at_once_one_is_told_to_look_again(
    database: Database,
) -> None:
    with database.begin() as connection:
        rollout = made(connection)
        told(connection, rollout, Verb.START)

    with (
        pytest.raises(UsageError, match="changed meanwhile"),
        database.begin() as connection,
    ):
        told(connection, rollout, Verb.START)

    with database.reading() as connection:
        found = rollouts.get(connection, rollout.id)
    assert found is not None
    assert len(found.events) == 1


def test_what_became_of_a_repo_is_kept_on_both_ways(connection: Connection) -> None:
    name = made(connection).id
    there = Target(
        "acme/lab",
        0,
        TargetState.MERGED,
        "why",
        7,
        "https://forge/7",
        ("build", "test"),
        is_adopted=True,
        opened_at=NOW,
        ended_at=NOW + HOUR,
    )
    back = Target("acme/lab", 0, TargetState.PENDING, number=8)

    rollouts.note_targets(connection, name, [there])
    rollouts.note_targets(connection, name, [back], is_back=True)

    assert rollouts.targets(connection, name)[0] == there
    assert rollouts.targets(connection, name, is_back=True) == [back]
    assert len(rollouts.targets(connection, name)) == len(PLAN.targets)


def test_many_repos_are_kept(connection: Connection) -> None:
    [first, *_] = PLAN.targets
    many = tuple(replace(first, repo=f"acme/{number:04}") for number in range(1201))

    name = rollouts.create(connection, replace(PLAN, targets=many))

    assert len(rollouts.targets(connection, name)) == 1201


def test_pace_issue_and_that_all_is_done_are_kept_until_something_happens(
    connection: Connection,
) -> None:
    rollout = told(connection, made(connection), Verb.START)
    rollouts.note_pace(connection, rollout.id, Pace(0.5, NOW))
    rollouts.note_issue(connection, rollout.id, 12)
    rollouts.note_settled(connection, rollout.id)

    settled = made(connection)
    told(connection, settled, Verb.PAUSE)

    assert (settled.pace, settled.issue, settled.is_settled) == (Pace(0.5, NOW), 12, True)
    assert not made(connection).is_settled


def test_those_with_something_left_to_do_are_told_the_oldest_first(connection: Connection) -> None:
    names = [made(connection, other(hours)) for hours in range(4)]
    for rollout in reversed(names[1:]):
        told(connection, rollout, Verb.START)
    rollouts.note_settled(connection, names[2].id)

    assert rollouts.unfinished(connection) == [names[1].id, names[3].id]


def test_a_repo_is_engaged_by_the_oldest_that_is_under_way(connection: Connection) -> None:
    planned, oldest, newest, ended = (made(connection, other(hours)) for hours in range(4))
    for rollout in (newest, oldest):
        told(connection, rollout, Verb.START)
    told(connection, ended, Verb.START, Verb.ABORT)

    engaged = rollouts.engaged(connection)

    assert engaged.keys() == {target.repo for target in PLAN.targets}
    assert set(engaged.values()) == {oldest.id}
    assert planned.id not in engaged.values()


def test_the_last_ones_are_listed_with_what_became_of_their_repos(connection: Connection) -> None:
    names = [made(connection, other(hours)) for hours in range(3)]
    rollouts.note_targets(connection, names[2].id, [Target("acme/lab", 0, TargetState.MERGED)])
    rollouts.note_targets(
        connection, names[2].id, [Target("acme/lab", 0, TargetState.PENDING)], is_back=True
    )

    [newest, second] = rollouts.latest(connection, limit=2)

    assert (newest.id, second.id) == (names[2].id, names[1].id)
    assert (newest.image, newest.by, newest.state) == (
        "docker.io/library/alpine:3.22",
        "ann",
        State.PLANNED,
    )
    assert newest.counts == {TargetState.MERGED: 1, TargetState.WAITING: 4}
    assert [one.id for one in rollouts.latest(connection, offset=2)] == [names[0].id]


def test_a_name_that_nobody_has_is_no_rollout(connection: Connection) -> None:
    assert rollouts.get(connection, "0123456789") is None
    assert (rollouts.latest(connection), rollouts.count(connection)) == ([], 0)


def get(connection: Connection, name: str) -> object:
    return rollouts.get(connection, name)


def listed(connection: Connection, _name: str) -> object:
    return rollouts.latest(connection)


@pytest.mark.parametrize(
    "change, ask",
    [
        pytest.param("update rollout_events set verb = 'retarget'", get, id="an event"),
        pytest.param("update rollout_targets set state = 'queued'", rollouts.targets, id="a repo"),
        pytest.param("update rollouts set state = 'merging'", listed, id="a state"),
        pytest.param("update rollouts set plan = '{}'", get, id="a plan"),
    ],
)
def test_words_of_a_newer_digestbot_are_said_to_be_such(
    connection: Connection, change: str, ask: Callable[[Connection, str], object]
) -> None:
    rollout = told(connection, made(connection), Verb.START)
    connection.execute(text(change))

    with pytest.raises(NewerError, match="newer digestbot"):
        ask(connection, rollout.id)


@pytest.mark.parametrize(
    "verbs, is_taken_back",
    [
        pytest.param((Verb.START,), False, id="under way"),
        pytest.param((Verb.START, Verb.ABORT), False, id="ended"),
        pytest.param((Verb.START, Verb.ROLLBACK), True, id="going back"),
        pytest.param((Verb.START, Verb.ROLLBACK, Verb.RETURNED), True, id="gone back"),
        pytest.param((Verb.START, Verb.ROLLBACK, Verb.ABORT), True, id="ended on its way back"),
    ],
)
def test_what_was_sent_back_is_not_brought_again(
    connection: Connection, verbs: tuple[Verb, ...], is_taken_back: bool
) -> None:
    told(connection, made(connection), *verbs)

    found = rollouts.taken_back_from(connection, PLAN.targets[0].repo)

    assert bool(found) is is_taken_back
