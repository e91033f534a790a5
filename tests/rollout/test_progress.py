from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from digestbot.rollout.gates import WaveCount
from digestbot.rollout.progress import (
    OPEN,
    STATES,
    Target,
    TargetState,
    burndown,
    count,
    failing_checks,
    grouped,
    last_opened,
    stragglers,
    time_to_merge,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TARGETS = st.lists(
    st.builds(
        Target,
        st.uuids().map(str),
        st.integers(0, 3),
        st.sampled_from(TargetState),
        opened_at=st.none() | st.integers(0, 9).map(lambda hours: NOW - hours * HOUR),
        ended_at=st.none() | st.integers(0, 9).map(lambda hours: NOW - hours * HOUR),
    ),
    max_size=30,
)


def target(repo: str, state: TargetState, wave: int = 0, **more: object) -> Target:
    return replace(Target(repo, wave, state), **more)  # type: ignore[arg-type]  # a table's


def test_every_state_is_explained() -> None:
    assert set(STATES) == set(TargetState)


def test_each_repo_of_the_waves_so_far_is_counted_once() -> None:
    targets = [target(state.value, state) for state in TargetState]
    targets.append(target("later", TargetState.RED, wave=1))

    assert count(targets, 0) == WaveCount(
        waiting=1, pending=1, green=2, unknown=1, failed=2, merged=1, blocked=1, left=3
    )
    assert count(targets, 1).failed == 3


def test_without_checks_nothing_is_green() -> None:
    assert count([target("app", TargetState.UNKNOWN)], 0).passed == 0


@given(TARGETS)
def test_all_are_somewhere(targets: list[Target]) -> None:
    found = count(targets, 3)

    assert found.counted + found.left == len(targets) == sum(grouped(targets).values())


def test_a_wave_soaks_from_the_last_one_that_we_opened() -> None:
    targets = [
        target("first", TargetState.GREEN, opened_at=NOW - 5 * HOUR),
        target("second", TargetState.GREEN, opened_at=NOW - 3 * HOUR),
        target("others", TargetState.GREEN, opened_at=NOW - 2 * HOUR, is_adopted=True),
        target("next", TargetState.GREEN, wave=1, opened_at=NOW),
        target("none", TargetState.SKIPPED),
    ]

    assert last_opened(targets, 0) == NOW - 2 * HOUR
    assert last_opened(targets, 7) is None


def test_failing_checks_are_grouped_by_name() -> None:
    targets = [
        target("a", TargetState.RED, failing=("build", "lint")),
        target("b", TargetState.RED, failing=("build",)),
        target("c", TargetState.GREEN),
    ]

    assert failing_checks(targets) == [("build", ("a", "b")), ("lint", ("a",))]


def test_how_long_it_takes_until_they_are_merged() -> None:
    targets = [
        target(str(hours), TargetState.MERGED, opened_at=NOW - hours * HOUR, ended_at=NOW)
        for hours in range(1, 11)
    ]

    assert time_to_merge(targets, 0.5) == 6 * HOUR
    assert time_to_merge(targets, 0.9) == 10 * HOUR
    assert time_to_merge([target("open", TargetState.GREEN, opened_at=NOW)], 0.5) is None


def test_the_burndown_shows_how_it_went() -> None:
    targets = [
        target("early", TargetState.MERGED, opened_at=NOW - 4 * HOUR, ended_at=NOW - 2 * HOUR),
        target("late", TargetState.GREEN, opened_at=NOW - HOUR),
        target("left", TargetState.REJECTED, opened_at=NOW - 3 * HOUR, ended_at=NOW - HOUR),
        target("next", TargetState.WAITING),
    ]

    points = burndown(targets, NOW - 5 * HOUR, NOW)

    assert (points[0].waiting, points[0].open, points[0].merged) == (4, 0, 0)
    assert (points[-1].waiting, points[-1].open) == (1, 1)
    assert (points[-1].merged, points[-1].left) == (1, 1)
    assert points[-1].at == NOW


@given(TARGETS, st.integers(0, 20))
def test_a_burndown_always_adds_up(targets: list[Target], hours: int) -> None:
    for point in burndown(targets, NOW - hours * HOUR, NOW, most=12):
        assert point.waiting + point.open + point.merged + point.left == len(targets)
        assert min(point.waiting, point.open, point.merged, point.left) >= 0


def test_who_must_act_is_named_the_longest_first() -> None:
    targets = [
        target("new", TargetState.BLOCKED, opened_at=NOW - HOUR),
        target("old", TargetState.APPROVED, opened_at=NOW - 9 * HOUR),
        target("older", TargetState.RED, opened_at=NOW - 10 * HOUR),
        target("done", TargetState.MERGED, opened_at=NOW - 20 * HOUR, ended_at=NOW),
    ]

    assert [one.repo for one in stragglers(targets, NOW, 8 * HOUR)] == ["older", "old"]
    assert TargetState.MERGED not in OPEN
