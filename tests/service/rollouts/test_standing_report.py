from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from digestbot.errors import NoInputError, UsageError
from digestbot.forge.watching import ChecksOf
from digestbot.image import Digest
from digestbot.policy.holding import Sighting
from digestbot.report.style import Style
from digestbot.rollout.machine import Event, State, Verb
from digestbot.rollout.pacing import Pace
from digestbot.rollout.progress import TargetState
from digestbot.service.rollouts import standing_json
from digestbot.service.rollouts.standing_contract import (
    RolloutReport,
    rollout_schema,
    rollouts_schema,
)
from digestbot.service.rollouts.standing_report import read_rollout, read_rollouts, report_of
from digestbot.service.rollouts.waiting import Scene
from digestbot.store.database import Database
from digestbot.store.location import Location
from tests.proposals.builders import digest
from tests.service.rollouts.arena import NEW, Arena, arena
from tests.service.rollouts.standing import HOUR, NOW, REPOS, rollout, scene, target
from tests.service.state import add_digest

MOVED = digest("moved")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Arena]:
    with arena(tmp_path) as made:
        yield made


def read(world: Arena) -> RolloutReport:
    return read_rollout(world.database, world.name, world.now())


def see(world: Arena, found: Digest) -> None:
    """The service sees that the tag has this."""
    with world.database.begin() as connection:
        add_digest(connection, "alpine:3.22", found, world.now())


def of(scene: Scene, seen: Sighting | None = None) -> RolloutReport:
    return report_of(scene, [seen])


def test_a_plan_says_what_it_is_about_and_that_nothing_was_done(world: Arena) -> None:
    report = read(world)

    assert (report.state, report.started_at, report.burndown) == (State.PLANNED, None, [])
    assert (report.repos, report.fleet, report.planned_by) == (20, 80, "ann")
    assert report.since == report.planned_at == "2026-11-21T06:05:00Z"
    assert [wave.repos for wave in report.waves] == [2, 6, 12]
    assert not any(wave.is_begun for wave in report.waves)
    assert report.counts[TargetState.WAITING] == 20


def test_what_is_under_way_is_counted_by_wave(world: Arena) -> None:
    world.tell(Verb.START)
    world.step(2)
    first, *_ = world.wave(0)
    world.merge(first)
    world.step()

    report = read(world)

    assert (report.wave, report.waits.reason) == (0, "soaking")
    assert [wave.is_begun for wave in report.waves] == [True, False, False]
    canary = report.waves[0]
    assert (canary.pending + canary.green, canary.merged, canary.waiting) == (1, 1, 0)
    assert report.p50_s is not None


def test_each_repo_of_a_wave_is_counted_once(world: Arena) -> None:
    world.tell(Verb.START)
    for _ in range(8):
        world.step(1, 20)
        world.merge(*world.wave(0))
        for wave in read(world).waves:
            parts = (wave.waiting, wave.pending, wave.green, wave.unknown, wave.red)
            assert sum((*parts, wave.blocked, wave.merged, wave.left)) == wave.repos


def test_what_halted_names_the_checks_and_who_must_act(world: Arena) -> None:
    world.ci.says = {name: ChecksOf(failing=("build",)) for name in world.wave(0)}
    world.tell(Verb.START)
    world.until(State.HALTED)

    report = read(world)

    (check,) = report.failing
    assert (check.name, sorted(check.repos)) == ("build", sorted(world.wave(0)))
    assert {one.repo for one in report.stragglers} == set(world.wave(0))
    assert {(one.who, one.act) for one in report.stragglers} == {("acme", "see to the checks")}
    assert all(one.url and one.number for one in report.stragglers)
    assert "somebody has to decide: 2 of 2 repos fail" in report.waits.message


def test_what_happened_is_told_in_order(world: Arena) -> None:
    world.tell(Verb.START)
    world.tell(Verb.PAUSE, reason="lunch")

    told = [(one.verb, one.by, one.reason) for one in read(world).events]

    assert told == [(Verb.START, "ann", ""), (Verb.PAUSE, "ann", "lunch")]


def test_verbs_are_commands_that_can_be_copied(world: Arena) -> None:
    commands = [one.command for one in read(world).verbs]

    assert commands == [f"digestbot rollout {verb} {world.name}" for verb in ("start", "abort")]


def test_the_way_back_is_told_repo_by_repo(world: Arena) -> None:
    world.tell(Verb.START)
    world.step(2)
    world.merge()
    world.step()
    world.tell(Verb.ROLLBACK)
    world.step(2)

    report = read(world)

    assert {one.repo for one in report.back} == set(world.wave(0))


def test_a_tag_that_moved_since_is_told_with_what_it_has(world: Arena) -> None:
    see(world, NEW)
    world.clock.advance(600)
    see(world, MOVED)

    (move,) = read(world).moves

    assert (move.digest, move.moved_to) == (str(NEW), str(MOVED))
    assert move.moved_at == "2026-11-21T06:15:00Z"


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(None, id="nobody-looked"),
        pytest.param(Sighting(NEW, NOW, NOW), id="it-has-the-digest"),
        pytest.param(
            Sighting(MOVED, NOW - 9 * HOUR, NOW), id="another-was-chosen-when-it-was-planned"
        ),
    ],
)
def test_a_tag_that_did_not_move_since_is_not_told(seen: Sighting | None) -> None:
    (move,) = of(scene(rollout(), target(0)), seen).moves

    assert (move.moved_to, move.moved_at) == (None, None)


def test_who_is_not_asked_is_grouped_by_reason_and_shown() -> None:
    found = rollout()
    found = replace(found, plan=replace(found.plan, left_out={"acme/apart": "it opted out"}))
    targets = [
        target(0, TargetState.SKIPPED, why="it opted out"),
        target(1, TargetState.REJECTED),
        target(2, TargetState.MERGED),
    ]

    left = of(scene(found, *targets)).left

    assert [(one.why, one.repos) for one in left] == [
        ("it opted out", [REPOS[0], "acme/apart"]),
        ("somebody closed the pull request", [REPOS[1]]),
    ]


def test_a_burndown_ends_where_nothing_is_left_to_become_of_any_repo() -> None:
    start = Event(Verb.START, NOW - 3 * HOUR)
    running = rollout(State.RUNNING, start)

    over = of(scene(running, target(0, TargetState.MERGED))).burndown
    open_still = of(scene(running, target(0, TargetState.GREEN))).burndown

    assert (over[0].at, over[-1].at) == ("2026-11-21T06:30:00Z", "2026-11-21T08:30:00Z")
    assert open_still[-1].at == "2026-11-21T09:30:00Z"


@pytest.mark.parametrize("state", [State.CLOSED, State.ABORTED, State.ROLLED_BACK])
def test_what_is_over_needs_nobody(state: State) -> None:
    report = of(scene(rollout(state), target(0, TargetState.RED)))

    assert report.stragglers == []


def test_the_pace_is_that_of_now() -> None:
    slowed = replace(rollout(), pace=Pace(0.5, NOW - timedelta(minutes=21)))

    assert of(scene(slowed, target(0))).pace == pytest.approx(0.7)


def test_names_may_be_cut_short_as_long_as_they_name_one(world: Arena) -> None:
    assert read_rollout(world.database, world.name[:4], world.now()).id == world.name
    with pytest.raises(UsageError, match="no rollout is called zzz"):
        read_rollout(world.database, "zzz", world.now())


def test_the_list_has_the_newest_first_and_counts_what_is_merged(world: Arena) -> None:
    world.tell(Verb.START)
    world.step(2)
    world.merge()
    world.step()

    report = read_rollouts(world.database, world.now())

    (item,) = report.rollouts
    assert (report.total, item.id, item.state) == (1, world.name, State.RUNNING)
    assert (item.merged, item.repos, item.wave, item.waves) == (2, 20, 0, 3)
    assert item.since == "2026-11-21T06:05:00Z"


def test_without_any_it_says_how_to_plan_one(tmp_path: Path) -> None:
    database = Database.open(Location(folder=tmp_path))

    with pytest.raises(NoInputError, match="the state has no rollout yet") as caught:
        read_rollouts(database, NOW)

    database.close()
    assert caught.value.hint == "plan one: digestbot rollout plan IMAGE"


def test_json_is_what_the_contract_says_wherever_it_stands(world: Arena) -> None:
    world.ci.says = {world.wave(1)[0]: ChecksOf(failing=("build\x1b[31m\udcff",), pending=1)}

    def check() -> None:
        one = json.loads(standing_json.render(read(world), Style()))
        all_of_them = standing_json.render(read_rollouts(world.database, world.now()), Style())
        jsonschema.validate(one, rollout_schema())
        jsonschema.validate(json.loads(all_of_them), rollouts_schema())

    check()
    world.tell(Verb.START)
    for _ in range(12):
        world.step(1, 40)
        check()
        world.merge()
    world.tell(Verb.ROLLBACK)
    world.step(2)
    check()


def test_json_shows_no_control_character() -> None:
    target_ = target(0, TargetState.RED, failing=("\x1b]0;owned\x07",), why="\u202e\x7f")

    text = standing_json.render(of(scene(rollout(), target_)), Style())

    assert text.isascii()
    assert text.replace("\n", "").isprintable()
