from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from digestbot.image import Digest, ImageReference, ImageTag, Platform
from digestbot.rollout.contract import plan_id, plan_schema, read, report_of, written
from digestbot.rollout.gates import GateRules
from digestbot.rollout.pacing import PaceRules
from digestbot.rollout.plan import Deadlines, Edit, Move, Plan, Planned, RolloutRules
from digestbot.rollout.selection import Selection
from digestbot.rollout.waves import WaveRules


def tag(text: str) -> ImageTag:
    followed = ImageReference.parse(text).followed
    assert followed is not None
    return followed


SPANS = st.integers(0, 10**6).map(lambda seconds: timedelta(seconds=seconds))
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
LISTS = st.lists(TEXTS, max_size=3).map(tuple)
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64).map(
    lambda hexes: Digest.parse(f"sha256:{hexes}")
)
TAGS = st.sampled_from([tag("alpine:3.22"), tag("harbor.corp/hub/debian:13-slim")])
MOMENTS = st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1))  # noqa: DTZ001 - the strategy adds the zone
RULES = st.builds(
    RolloutRules,
    st.builds(WaveRules, LISTS, TEXTS, st.integers(0, 9), st.just((0.25, 1.0)), st.integers(0, 9)),
    st.builds(
        GateRules,
        SPANS,
        st.floats(0, 1),
        st.floats(0, 1),
        st.integers(0, 9),
        st.booleans(),
        st.booleans(),
    ),
    st.builds(PaceRules, *[st.integers(1, 999)] * 4, SPANS),
    st.builds(Deadlines, *[st.none() | SPANS] * 3),
    st.booleans(),
    SPANS,
)
PLANS = st.builds(
    Plan,
    MOMENTS,
    TEXTS,
    st.builds(
        Selection,
        TEXTS,
        st.frozensets(DIGESTS, max_size=2),
        st.none() | SPANS,
        *[LISTS] * 5,
    ),
    st.lists(
        st.builds(
            Move,
            TAGS,
            DIGESTS,
            st.none() | st.just(Platform.parse("linux/arm64/v8")),
            st.none() | TAGS,
            LISTS,
            st.none() | MOMENTS,
            LISTS,
        ),
        max_size=2,
    ).map(tuple),
    RULES,
    st.lists(
        st.builds(
            Planned,
            TEXTS,
            st.integers(0, 3),
            TEXTS,
            st.lists(
                st.builds(
                    Edit,
                    TEXTS,
                    st.integers(1, 99),
                    TAGS,
                    DIGESTS,
                    DIGESTS,
                    st.none() | st.just(Platform.parse("linux/amd64")),
                    st.none() | TAGS,
                ),
                max_size=2,
            ).map(tuple),
            LISTS,
        ),
        max_size=3,
    ).map(tuple),
    st.integers(0, 9999),
    st.dictionaries(TEXTS, TEXTS, max_size=2),
)
PLAN = Plan(
    datetime(2026, 11, 21, tzinfo=UTC),
    "ann",
    Selection("*/alpine"),
    (Move(tag("alpine:3.22"), Digest.parse("sha256:" + "a" * 64)),),
    RolloutRules(),
    (),
    10,
)


@settings(max_examples=25)
@given(PLANS)
def test_a_plan_that_was_written_is_read_as_it_was(plan: Plan) -> None:
    assert read(written(plan)) == plan


@settings(max_examples=25)
@given(PLANS)
def test_what_is_written_matches_the_schema(plan: Plan) -> None:
    Draft202012Validator(plan_schema()).validate(json.loads(written(plan)))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(plan_schema())


@settings(max_examples=15)
@given(PLANS, PLANS)
def test_another_plan_has_another_name(one: Plan, other: Plan) -> None:
    assert (plan_id(one) == plan_id(other)) == (one == other)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(PLAN, by="bob"), id="somebody else's"),
        pytest.param(replace(PLAN, fleet=11), id="for another fleet"),
        pytest.param(replace(PLAN, rules=RolloutRules(is_critical=True)), id="by other rules"),
    ],
)
def test_whatever_differs_is_in_the_name(other: Plan) -> None:
    assert plan_id(other) != plan_id(PLAN)


def test_a_plan_from_before_owners_were_known_is_read() -> None:
    target = Planned("acme/app", 0, "acme", ())
    report = json.loads(written(replace(PLAN, targets=(target,))))
    del report["targets"][0]["owners"]

    assert read(json.dumps(report)).targets == (target,)


def test_keys_that_came_later_are_left_alone() -> None:
    told = {**json.loads(written(PLAN)), "mood": "good"}

    assert read(json.dumps(told)) == PLAN


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("{}", id="no plan"),
        pytest.param(written(PLAN).replace("sha256:", "md5:"), id="a digest that is none"),
        pytest.param(written(PLAN).replace("rollout-plan/v1", "rollout-plan/v2"), id="a later one"),
        pytest.param(written(PLAN).replace('"shares":[0.1', '"shares":[7.0'), id="wrong rules"),
    ],
)
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        read(text)


def test_it_names_the_version_that_made_it() -> None:
    assert report_of(PLAN).version
