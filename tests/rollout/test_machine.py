from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digestbot.rollout.gates import Evidence, GateRules, Open, WaveCount, judge
from digestbot.rollout.machine import (
    BY_PEOPLE,
    STATES,
    TRANSITIONS,
    Course,
    Event,
    MachineError,
    Standing,
    State,
    Verb,
    apply,
    replay,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
COURSE = Course(GateRules(soak=timedelta(hours=1), needs_approval=False), waves=3)
GOOD = Evidence(WaveCount(merged=10), NOW, NOW - timedelta(hours=2))
BAD = Evidence(WaveCount(merged=5, failed=5), NOW, NOW - timedelta(hours=2))
FRESH = Evidence(WaveCount(merged=10), NOW, NOW)


def event(verb: Verb, **more: object) -> Event:
    told: dict[str, object] = {"repo": "acme/app"} if verb in (Verb.RETRY, Verb.SKIP) else {}
    return replace(Event(verb, NOW), **{**told, **more})  # type: ignore[arg-type]  # a table's


def after(*verbs: Verb, course: Course = COURSE) -> Standing:
    evidence = {Verb.ADVANCE: GOOD, Verb.FINISH: GOOD, Verb.HALT: BAD}
    return replay(course, [event(verb, evidence=evidence.get(verb)) for verb in verbs])


EVENTS = st.builds(
    Event,
    verb=st.sampled_from(Verb),
    at=st.datetimes(timezones=st.just(UTC), min_value=datetime(2026, 1, 1)),  # noqa: DTZ001 - the strategy adds the zone
    repo=st.sampled_from(["", "acme/app", "acme/lib"]),
    evidence=st.none()
    | st.builds(
        Evidence,
        st.builds(WaveCount, *[st.integers(0, 5)] * 8),
        st.just(NOW),
        st.none() | st.just(NOW) | st.just(NOW - timedelta(days=1)),
        st.booleans(),
        st.booleans(),
        st.none() | st.booleans(),
        st.integers(0, 9),
    ),
)
COURSES = st.builds(
    Course,
    st.builds(
        GateRules,
        passed=st.sampled_from([0.0, 0.5, 1.0]),
        failed=st.sampled_from([0.0, 0.2, 1.0]),
        needs_approval=st.booleans(),
        probe=st.booleans(),
    ),
    st.integers(1, 4),
    st.booleans(),
)


def histories(course: Course, tried: Iterable[Event]) -> tuple[list[Event], Standing]:
    """Those of the events that could happen, and where they lead."""
    happened: list[Event] = []
    standing = Standing()
    for one in tried:
        try:
            standing = apply(course, standing, one)
        except MachineError:
            continue
        happened.append(one)
    return happened, standing


def test_from_the_plan_to_the_end() -> None:
    standing = after(Verb.START, Verb.ADVANCE, Verb.ADVANCE, Verb.FINISH, Verb.CLOSE)

    assert (standing.state, standing.wave) == (State.CLOSED, 2)


def test_every_state_is_explained_and_led_to() -> None:
    reached = {State.PLANNED, *TRANSITIONS.values()}

    assert reached == set(State) == set(STATES)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize(
    "verb, led", [(Verb.ABORT, State.ABORTED), (Verb.ROLLBACK, State.ROLLING_BACK)]
)
def test_the_way_out_and_the_way_back_are_open_from_everywhere(
    state: State, verb: Verb, led: State
) -> None:
    assert apply(COURSE, Standing(state), event(verb)).state is led


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("verb", Verb)
def test_what_is_not_in_the_table_is_refused(state: State, verb: Verb) -> None:
    standing = Standing(state, wave=2 if verb is Verb.FINISH else 0)
    evidence = BAD if verb is Verb.HALT else GOOD

    def happens() -> Standing:
        return apply(COURSE, standing, event(verb, evidence=evidence))

    if (state, verb) in TRANSITIONS:
        assert happens().state is TRANSITIONS[state, verb]
    else:
        with pytest.raises(MachineError, match="cannot be told") as caught:
            happens()
        assert "abort" in caught.value.hint


def test_buttons_are_what_people_may_do_now() -> None:
    assert Standing().verbs() == (Verb.START, Verb.ABORT, Verb.ROLLBACK)
    assert Verb.RESUME in Standing(State.PAUSED).verbs()
    assert Verb.PAUSE not in Standing(State.PAUSED).verbs()
    assert set(Standing(State.RUNNING).verbs()) <= set(BY_PEOPLE)


@pytest.mark.parametrize(
    "verb, evidence",
    [
        pytest.param(Verb.ADVANCE, None, id="a wave without evidence"),
        pytest.param(Verb.ADVANCE, FRESH, id="a wave before the soak is over"),
        pytest.param(Verb.ADVANCE, BAD, id="a wave after failures"),
        pytest.param(
            Verb.ADVANCE, replace(FRESH, is_hurried=True), id="evidence that claims a promotion"
        ),
        pytest.param(
            Verb.ADVANCE,
            Evidence(WaveCount(unknown=3), NOW, is_approved=True),
            id="evidence that claims an approval",
        ),
        pytest.param(
            Verb.ADVANCE, replace(BAD, accepted=9), id="evidence that claims what was accepted"
        ),
        pytest.param(Verb.FINISH, GOOD, id="the end before the last wave"),
        pytest.param(Verb.HALT, GOOD, id="a halt without failures"),
    ],
)
def test_nothing_goes_on_that_its_gate_does_not_allow(
    verb: Verb, evidence: Evidence | None
) -> None:
    with pytest.raises(MachineError):
        apply(COURSE, after(Verb.START), event(verb, evidence=evidence))


def test_a_promotion_skips_the_soak_of_one_wave_only() -> None:
    standing = after(Verb.START, Verb.PROMOTE)

    second = apply(COURSE, standing, event(Verb.ADVANCE, evidence=FRESH))

    assert second.wave == 1
    with pytest.raises(MachineError):
        apply(COURSE, second, event(Verb.ADVANCE, evidence=FRESH))


def test_what_is_critical_never_soaks_and_still_halts() -> None:
    critical = replace(COURSE, is_critical=True)
    standing = after(Verb.START)

    assert apply(critical, standing, event(Verb.ADVANCE, evidence=FRESH)).wave == 1
    assert apply(critical, standing, event(Verb.HALT, evidence=BAD)).state is State.HALTED


def test_one_failure_halts_after_the_canary_and_not_later() -> None:
    one_fails = replace(GOOD, count=WaveCount(merged=4, failed=1))

    halted = apply(COURSE, after(Verb.START), event(Verb.HALT, evidence=one_fails))

    assert halted.state is State.HALTED
    with pytest.raises(MachineError):
        apply(COURSE, after(Verb.START, Verb.ADVANCE), event(Verb.HALT, evidence=one_fails))


def test_where_nothing_comes_after_it_there_is_no_canary() -> None:
    one_fails = replace(GOOD, count=WaveCount(merged=4, failed=1))
    alone = replace(COURSE, waves=1)
    standing = after(Verb.START, course=alone)

    with pytest.raises(MachineError):
        apply(alone, standing, event(Verb.HALT, evidence=one_fails))


def test_an_approval_is_for_one_wave_only() -> None:
    asked = replace(COURSE, gate=replace(COURSE.gate, needs_approval=True))
    standing = after(Verb.START, Verb.APPROVE, course=asked)

    second = apply(asked, standing, event(Verb.ADVANCE, evidence=GOOD))

    with pytest.raises(MachineError):
        apply(asked, second, event(Verb.ADVANCE, evidence=GOOD))


def test_whoever_resumes_after_a_halt_accepts_what_failed_then() -> None:
    resumed = after(Verb.START, Verb.HALT, Verb.RESUME)

    with pytest.raises(MachineError):
        apply(COURSE, resumed, event(Verb.HALT, evidence=BAD))
    worse = replace(BAD, count=replace(BAD.count, failed=9))
    assert apply(COURSE, resumed, event(Verb.HALT, evidence=worse)).state is State.HALTED


def test_what_failed_while_it_was_halted_is_accepted_too() -> None:
    halted = after(Verb.START, Verb.HALT)
    worse = replace(BAD, count=replace(BAD.count, failed=9))

    resumed = apply(COURSE, halted, event(Verb.RESUME, evidence=worse))

    with pytest.raises(MachineError):
        apply(COURSE, resumed, event(Verb.HALT, evidence=worse))


def test_what_was_mended_is_no_credit_for_the_next_wave() -> None:
    standing = after(Verb.START, Verb.HALT, Verb.RESUME, Verb.ADVANCE)

    assert standing.accepted == 0
    assert apply(COURSE, standing, event(Verb.HALT, evidence=BAD)).state is State.HALTED


def test_a_pause_accepts_nothing() -> None:
    standing = after(Verb.START, Verb.HALT, Verb.RESUME, Verb.ADVANCE, Verb.PAUSE, Verb.RESUME)

    assert standing.accepted == 0


def test_a_repo_that_is_tried_again_is_no_longer_skipped() -> None:
    skipped = after(Verb.START, Verb.SKIP)
    again = apply(COURSE, skipped, event(Verb.RETRY))

    assert skipped.skipped == {"acme/app"}
    assert again.skipped == frozenset()
    assert again.retried == {"acme/app": 1}


@pytest.mark.parametrize("verb", [Verb.RETRY, Verb.SKIP])
def test_a_repo_is_named(verb: Verb) -> None:
    with pytest.raises(MachineError, match="needs a repo"):
        apply(COURSE, after(Verb.START), event(verb, repo=""))


@settings(max_examples=500)
@given(COURSES, st.lists(EVENTS, max_size=30))
def test_no_path_reaches_a_wave_whose_gate_did_not_hold(course: Course, tried: list[Event]) -> None:
    standing, opened = Standing(), 0
    for one in histories(course, tried)[0]:
        if one.verb in (Verb.ADVANCE, Verb.FINISH):
            assert one.evidence is not None
            really = replace(
                one.evidence,
                is_hurried=standing.is_promoted or course.is_critical,
                is_approved=standing.is_approved,
                accepted=standing.accepted,
            )
            assert judge(course.gate, really) == Open()
            opened += one.verb is Verb.ADVANCE
        standing = apply(course, standing, one)

    assert standing.wave == opened < course.waves


@given(COURSES, st.lists(EVENTS, max_size=30), st.integers(0, 30))
def test_the_same_events_give_the_same_standing(
    course: Course, tried: list[Event], cut: int
) -> None:
    happened, standing = histories(course, tried)

    assert replay(course, happened) == standing
    halfway = replay(course, happened[:cut])
    for one in happened[cut:]:
        halfway = apply(course, halfway, one)
    assert halfway == standing


@given(COURSES, st.lists(EVENTS, max_size=30))
def test_nothing_is_opened_again_after_the_way_out(course: Course, tried: list[Event]) -> None:
    aborted = apply(course, histories(course, tried)[1], event(Verb.ABORT))

    for one in tried:
        try:
            led = apply(course, aborted, one)
        except MachineError:
            continue
        assert led.state in (State.ABORTED, State.ROLLING_BACK)
