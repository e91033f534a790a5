from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.rollout.waves import Member, WaveRules, assign

FLEET = [Member(f"acme/app{number:04}", f"team{number % 20}") for number in range(1000)]
NAMES = st.lists(st.integers(0, 999), unique=True, max_size=60).map(
    lambda numbers: [FLEET[number] for number in numbers]
)


def names(wave: list[Member]) -> set[str]:
    return {member.repo for member in wave}


def test_waves_reach_about_the_shares_that_were_asked_for() -> None:
    canary, *waves = assign(FLEET, WaveRules(canary_count=5, shares=(0.1, 0.5, 1.0)), "alpine")

    assert len(canary) == 5
    assert [round(len(wave) / 995, 1) for wave in waves] == [0.1, 0.4, 0.5]


def test_named_repos_and_those_with_the_topic_come_first() -> None:
    fleet = [*FLEET[:50], Member("acme/lab", "team1", frozenset({"canary"}))]
    rules = WaveRules(canary=("acme/app000[01]",), canary_topic="canary", canary_count=9)

    canary, *_ = assign(fleet, rules, "alpine")

    assert names(canary) == {"acme/app0000", "acme/app0001", "acme/lab"}


def test_another_image_has_another_order() -> None:
    rules = WaveRules(shares=(0.1, 1.0))

    one, other = (names(assign(FLEET, rules, key)[1]) for key in ("alpine", "debian"))

    assert len(one & other) < len(one) / 2


@given(NAMES, st.integers(0, 3), st.integers(0, 4))
def test_each_repo_is_in_one_wave(fleet: list[Member], first: int, most: int) -> None:
    waves = assign(fleet, WaveRules(canary_count=first, most_per_owner=most), "alpine")

    assert Counter(one.repo for wave in waves for one in wave) == Counter(one.repo for one in fleet)
    assert all(waves)


@given(NAMES, NAMES)
def test_a_second_plan_with_other_repos_keeps_each_in_its_wave(
    one: list[Member], other: list[Member]
) -> None:
    rules = WaveRules(canary_count=0, shares=(0.3, 1.0))
    both = list({member.repo: member for member in [*one, *other]}.values())
    early = names(assign([*FLEET], rules, "k")[0])

    def is_early(fleet: list[Member]) -> set[str]:
        return {name for wave in assign(fleet, rules, "k")[:1] for name in names(wave)} & early

    assert is_early(one) <= early
    assert is_early(both) & names(one) == early & names(one)


def test_no_owner_has_more_in_a_wave_than_the_cap_until_the_last_one() -> None:
    rules = WaveRules(canary_count=0, shares=(0.2, 0.5, 1.0), most_per_owner=3)

    *waves, last = assign(FLEET, rules, "alpine")

    for wave in waves:
        assert max(Counter(one.owner for one in wave).values()) <= 3
    assert sum(map(len, waves)) + len(last) == 1000


@pytest.mark.parametrize(
    "shares",
    [
        pytest.param((), id="none"),
        pytest.param((0.5,), id="not all"),
        pytest.param((0.0, 1.0), id="nothing"),
        pytest.param((0.5, 0.5, 1.0), id="the same twice"),
        pytest.param((0.5, 0.2, 1.0), id="back"),
        pytest.param((0.5, 2.0), id="more than all"),
    ],
)
def test_shares_rise_to_all(shares: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="shares rise"):
        WaveRules(shares=shares)


def test_nobody_is_in_no_wave() -> None:
    assert assign([], WaveRules(), "alpine") == []
