from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from digestbot.policy.holding import Sighting
from digestbot.report.style import Style
from digestbot.rollout.machine import State, Verb
from digestbot.rollout.progress import TargetState
from digestbot.service.rollouts.standing_markdown import render, render_list
from digestbot.service.rollouts.standing_report import read_rollouts, report_of
from tests.proposals.builders import digest
from tests.service.rollouts.arena import NEW, Arena, arena
from tests.service.rollouts.standing import DAY, HOUR, NOW, rollout, scene, target

IMAGE = "docker.io/library/alpine:3.22"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Arena]:
    with arena(tmp_path, 10) as made:
        yield made


def test_it_says_what_is_waited_for_and_where_all_is() -> None:
    targets = [
        target(0, TargetState.MERGED),
        target(1, TargetState.RED, failing=("build",), number=7, why="fails: build"),
        target(2, wave=1),
        target(3, TargetState.SKIPPED, wave=1, why="it opted out"),
    ]

    page = render(report_of(scene(rollout(), *targets), [None]), Style())

    assert page == (
        "**Rollout `0123456789`: running** since 2026-11-21T06:30:00Z\n"
        "\n"
        f"- `{IMAGE}` → `{NEW}`\n"
        "- 10 of 40 repos\n"
        "- now: 1 of 2 repos fail; 20% may at most; it halts at the next step\n"
        "- merged: 1 of 10\n"
        "\n"
        "| Wave | Repos | Waiting | Pending | Green | Unknown | Red | Blocked | Merged | Left |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        "| canary | 2 | 0 | 0 | 0 | 0 | 1 | 0 | 1 | 0 |\n"
        "| wave 1 | 2 | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 1 |\n"
        "| wave 2 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |\n"
        "\n"
        "**Failing checks**\n"
        "\n"
        "| Check | Repos |\n"
        "| --- | --- |\n"
        "| `build` | `acme/app1` |\n"
        "\n"
        "**Needs somebody**\n"
        "\n"
        "| Repo | State | Why | Who |\n"
        "| --- | --- | --- | --- |\n"
        "| `acme/app1 #7` | red | fails: build | acme: see to the checks |\n"
        "\n"
        "**Not asked**\n"
        "\n"
        "| Why | Repos |\n"
        "| --- | --- |\n"
        "| it opted out | `acme/app3` |\n"
    )


def test_a_tag_that_moved_is_told_below_its_image() -> None:
    moved = digest("moved")

    page = render(
        report_of(scene(rollout(), target(0)), [Sighting(moved, NOW - HOUR, NOW)]), Style()
    )

    assert f"\n  - the tag moved to `{moved}` after the plan was made" in page


def test_a_moment_is_told_once() -> None:
    soaking = render(
        report_of(scene(rollout(), target(0, TargetState.GREEN, opened_at=NOW)), [None]), Style()
    )
    watching = render(report_of(scene(rollout(State.WATCHING), target(0)), [None]), Style())

    assert "- now: it soaks until 2026-11-21 10:30 UTC\n" in soaking
    assert "goes back, until 2026-11-28T06:30:00Z\n" in watching


def test_what_others_wrote_is_shown_and_never_rendered() -> None:
    evil = target(
        0,
        TargetState.RED,
        why="@acme/all <img src=x> | [click](http://evil.example)\n# heading",
        failing=("`|` ![x](y)",),
    )

    page = render(report_of(scene(rollout(), evil), [None]), Style())

    assert "@acme" not in page
    assert "<img" not in page
    assert "](" not in page
    assert "\n# " not in page


def test_owners_are_named_and_not_called() -> None:
    found = rollout()
    planned = [replace(one, owner="@acme/platform") for one in found.plan.targets]
    found = replace(found, plan=replace(found.plan, targets=tuple(planned)))

    page = render(report_of(scene(found, target(0, TargetState.RED)), [None]), Style())

    assert "platform: see to the checks" in page
    assert "@acme/platform" not in page


def test_long_tables_are_cut() -> None:
    late = [
        replace(target(0, TargetState.GREEN, opened_at=NOW - 2 * DAY), repo=f"acme/a{number}")
        for number in range(3000)
    ]

    page = render(report_of(scene(rollout(), *late), [None]), Style())

    assert "… and 2,950 more" in page
    assert len(page) < 60_000


def test_who_is_held_up_and_who_went_back_have_tables() -> None:
    held = target(0, why="it is frozen")
    back = target(1, TargetState.MERGED, why="it went back to abc (x:1)")

    page = render(report_of(scene(rollout(), held, back), [None]), Style())

    assert "**Held up**\n\n| Why | Repos |\n| --- | --- |\n| it is frozen | `acme/app0` |" in page
    assert "**Went back**\n\n| Why | Repos |\n| --- | --- |\n| it went back" in page


def test_many_repos_of_one_reason_are_cut() -> None:
    left = [
        replace(target(0, TargetState.SKIPPED, why="it opted out"), repo=f"acme/a{number}")
        for number in range(30)
    ]

    page = render(report_of(scene(rollout(), *left), [None]), Style())

    assert "`acme/a9` and 20 more |" in page


def test_the_list_is_a_table(world: Arena) -> None:
    world.tell(Verb.START)

    page = render_list(read_rollouts(world.database, world.now()), Style())

    assert page == (
        "| Id | State | Wave | Merged | Since | Image |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        f"| `{world.name}` | running | 1/3 | 0/10 | 2026-11-21T06:05:00Z | `{IMAGE}` |\n"
    )
