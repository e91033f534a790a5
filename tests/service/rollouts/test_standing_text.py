"""The page of a rollout, as a person sees it: pinned at the points that matter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from digestbot.forge.watching import ChecksOf
from digestbot.policy.holding import Sighting
from digestbot.report.style import Style
from digestbot.rollout.machine import Event, State, Verb
from digestbot.rollout.progress import TargetState
from digestbot.service.rollouts.backsliding import WENT_BACK
from digestbot.service.rollouts.standing_report import read_rollout, read_rollouts, report_of
from digestbot.service.rollouts.standing_text import render, render_list
from digestbot.service.rollouts.waiting import Scene
from tests.proposals.builders import digest
from tests.service.rollouts.arena import Arena, arena
from tests.service.rollouts.standing import DAY, HOUR, NOW, rollout, scene, target

INK = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Arena]:
    with arena(tmp_path, 10) as made:
        yield made


def shown(world: Arena, style: Style = Style()) -> str:  # noqa: B008 - it is frozen
    """The page, whatever the plan is called."""
    report = read_rollout(world.database, world.name, world.now())
    return render(report, style).replace(world.name, "0123456789")


def text_of(scene: Scene, style: Style = Style(), seen: Sighting | None = None) -> str:  # noqa: B008 - likewise
    return render(report_of(scene, [seen]), style)


PLANNED = """\
Rollout 0123456789  · planned for under a minute
  alpine:3.22 → 6b86b27
  10 of 40 repos (25 %), planned by ann at 2026-11-21 06:05 UTC
  Nothing was written yet.
  now: somebody has to start it

  Wave   repos waiting pending green unknown red blocked merged left
  canary     2       2       ·     ·       ·   ·       ·      ·    ·
  wave 1     2       2       ·     ·       ·   ·       ·      ·    ·
  wave 2     6       6       ·     ·       ·   ·       ·      ·    ·

What may be done
  digestbot rollout start 0123456789  Have the plan done, exactly.
  digestbot rollout abort 0123456789  End it: what is open is closed, what is
                                      merged stays.
"""
RUNNING = """\
Rollout 0123456789  ▸ running for 30 min
  alpine:3.22 → 6b86b27
  10 of 40 repos (25 %), planned by ann at 2026-11-21 06:05 UTC
  Pull requests are opened, wave by wave.
  now: it soaks until 2026-11-21 07:05 UTC

  Wave   repos waiting pending green unknown red blocked merged left
▸ canary     2       ·       ·     2       ·   ·       ·      ·    ·
  wave 1     2       2       ·     ·       ·   ·       ·      ·    ·
  wave 2     6       6       ·     ·       ·   ·       ·      ·    ·

Burndown
  10 ┤▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒
     ┤▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒
     ┤██████████████████████████████████████████████████████████████████
     ┤██████████████████████████████████████████████████████████████████
     ┤██████████████████████████████████████████████████████████████████
     ┤██████████████████████████████████████████████████████████████████
     ┤██████████████████████████████████████████████████████████████████
     ┤██████████████████████████████████████████████████████████████████
   0 └──────────────────────────────────────────────────────────────────
      06:05                                                    06:35 UTC
      █ waiting   ▒ open

What may be done
  digestbot rollout pause 0123456789             Open nothing new until it is
                                                 resumed.
  digestbot rollout promote 0123456789 --wave 0  Skip the soak of the wave that
                                                 is under way.
  digestbot rollout approve 0123456789 --wave 0  Say yes to what comes after the
                                                 wave that is under way.
  digestbot rollout retry 0123456789 REPO        Have one repo tried again.
  digestbot rollout skip 0123456789 REPO         Leave one repo out.
  digestbot rollout abort 0123456789             End it: what is open is closed,
                                                 what is merged stays.
  digestbot rollout rollback 0123456789          Offer each repo that was merged
                                                 the digest that it had.
"""
HALTED = """\
Rollout 0123456789  ✗ halted for 10 min
  alpine:3.22 → 6b86b27
  10 of 40 repos (25 %), planned by ann at 2026-11-21 06:05 UTC
  Too much failed: nothing new is opened, nothing is merged by itself.
  now: somebody has to decide: 2 of 4 repos fail; 20% may at most
  merged: 2 of 10; half within 20 min, nine in ten within 20 min of being opened

  Wave   repos waiting pending green unknown red blocked merged left
  canary     2       ·       ·     ·       ·   ·       ·      2    ·
  wave 1     2       ·       ·     ·       ·   2       ·      ·    ·
  wave 2     6       6       ·     ·       ·   ·       ·      ·    ·

Burndown
  10 ┤▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒
     ┤▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒
     ┤█████████████████████████████████████████████████████▒▒▒▒▒▒▒▒▒▒▒▒▒
     ┤██████████████████████████████████████████████████████████████████
     ┤██████████████████████████████████████████████████████████████████
     ┤██████████████████████████████████████████████████████████████████
     ┤██████████████████████████████████████████████████████████████████
     ┤██████████████████████████████████████████████████████████████████
   0 └──────────────────────────────────────────────────────────────────
      06:05                                                    07:35 UTC
      █ waiting   ▒ open

Failing checks
  ✗ build: 2 repos
    acme/app004, acme/app008
  ✗ lint: 2 repos
    acme/app004, acme/app008

Needs somebody
  ✗ acme/app004 red, open for 20 min: fails: build, lint
    acme: see to the checks
    https://forge.example/acme/app004/pull/1
  ✗ acme/app008 red, open for 20 min: fails: build, lint
    acme: see to the checks
    https://forge.example/acme/app008/pull/1

What may be done
  digestbot rollout resume 0123456789            Go on, knowing what failed so
                                                 far.
  digestbot rollout promote 0123456789 --wave 1  Skip the soak of the wave that
                                                 is under way.
  digestbot rollout approve 0123456789 --wave 1  Say yes to what comes after the
                                                 wave that is under way.
  digestbot rollout retry 0123456789 REPO        Have one repo tried again.
  digestbot rollout skip 0123456789 REPO         Leave one repo out.
  digestbot rollout abort 0123456789             End it: what is open is closed,
                                                 what is merged stays.
  digestbot rollout rollback 0123456789          Offer each repo that was merged
                                                 the digest that it had.
"""
FINISHED = """\
Rollout 0123456789  ✓ watching for 30 min
  alpine:3.22 → 6b86b27
  10 of 40 repos (25 %), planned by ann at 2026-11-21 06:05 UTC
  All waves are through; whoever goes back is noticed.
  now: it watches whether a repo goes back, until 2026-11-28 10:05 UTC (in 6
  days)
  merged: 10 of 10; half within 30 min, nine in ten within 30 min of being
  opened

  Wave   repos waiting pending green unknown red blocked merged left
  canary     2       ·       ·     ·       ·   ·       ·      2    ·
  wave 1     2       ·       ·     ·       ·   ·       ·      2    ·
  wave 2     6       ·       ·     ·       ·   ·       ·      6    ·

Burndown
  10 ┤▒▒▒▒▒▒▒▒▒▒
     ┤▒▒▒▒▒▒▒▒▒▒
     ┤████████████████████████████▒▒▒▒▒▒▒▒▒▒
     ┤████████████████████████████████████████████████████████▒▒▒▒▒▒▒▒▒
     ┤████████████████████████████████████████████████████████▒▒▒▒▒▒▒▒▒
     ┤████████████████████████████████████████████████████████▒▒▒▒▒▒▒▒▒
     ┤████████████████████████████████████████████████████████▒▒▒▒▒▒▒▒▒
     ┤████████████████████████████████████████████████████████▒▒▒▒▒▒▒▒▒
   0 └──────────────────────────────────────────────────────────────────
      06:05                                                    09:35 UTC
      █ waiting   ▒ open

What may be done
  digestbot rollout abort 0123456789     End it: what is open is closed, what is
                                         merged stays.
  digestbot rollout rollback 0123456789  Offer each repo that was merged the
                                         digest that it had.
"""


def test_what_is_planned(world: Arena) -> None:
    assert shown(world) == PLANNED


def test_what_is_running(world: Arena) -> None:
    world.tell(Verb.START)
    world.step(3, 10)

    assert shown(world) == RUNNING


def test_what_is_halted(world: Arena) -> None:
    _halt(world)

    assert shown(world) == HALTED


def test_what_is_finished(world: Arena) -> None:
    world.tell(Verb.START)
    while world.step(1, 30).state is State.RUNNING:
        world.merge()

    assert shown(world) == FINISHED


def _halt(world: Arena) -> None:
    world.tell(Verb.START)
    world.step(2, 10)
    world.merge(*world.wave(0))
    world.ci.says = {name: ChecksOf(failing=("build", "lint")) for name in world.wave(1)}
    world.until(State.HALTED)


def test_every_page_fits_80_columns_and_others_that_are_narrow(world: Arena) -> None:
    _halt(world)

    for width in (48, 60, 80, 120):
        lines = [line for line in shown(world, Style(width)).splitlines() if "https" not in line]
        # The table of waves is as wide as it is.
        assert max(map(len, lines)) <= max(width, 70)


def test_colours_say_nothing_that_is_not_said_without(world: Arena) -> None:
    _halt(world)

    plain, inked = shown(world), shown(world, Style(color=True))

    assert "\x1b" not in plain
    assert "\x1b[1;31m✗ halted\x1b[0m" in inked
    assert INK.sub("", inked) == plain


@pytest.mark.parametrize("state", State)
def test_every_state_has_its_page(state: State) -> None:
    page = text_of(scene(rollout(state, Event(Verb.START, NOW - HOUR)), target(0)))

    assert f" {state} for " in page.splitlines()[0]


def test_a_tag_that_moved_is_a_warning_and_no_more() -> None:
    seen = Sighting(digest("moved"), NOW - HOUR, NOW)

    page = text_of(scene(rollout(), target(0)), seen=seen)

    assert (
        "! moved  alpine:3.22 moved to f94d0c7 after the plan was made (2026-11-21 08:30\n"
        "         UTC); this rollout goes on with 6b86b27\n"
    ) in page.replace(digest("moved").short[:7], "f94d0c7")


def test_a_pace_that_was_halved_is_said() -> None:
    slow = replace(rollout(), pace=replace(rollout().pace, share=0.25))

    page = text_of(scene(slow, target(0)))

    assert "at 25% of its pace: the forge said that it was too much" in page


def test_who_is_open_for_long_must_act_and_what_they_can_do_is_said() -> None:
    late = target(
        0,
        TargetState.APPROVED,
        opened_at=NOW - 3 * DAY,
        url="https://forge.example/acme/app0/pull/7",
    )

    page = text_of(scene(rollout(), late))

    assert (
        "Needs somebody\n"
        "  · acme/app0 approved, open for 3 days\n"
        "    acme: merge it\n"
        "    https://forge.example/acme/app0/pull/7\n"
    ) in page


def test_who_is_not_asked_is_shown_with_the_reason() -> None:
    page = text_of(scene(rollout(), target(0, TargetState.SKIPPED, why="it opted out"), target(1)))

    assert "Not asked\n  1 repo: it opted out\n    acme/app0\n" in page


def test_what_keeps_repos_whose_turn_has_come_is_shown() -> None:
    why = "it is frozen until 2026-12-24"
    held = [target(0, why=why), target(1, why=why), target(2, wave=1, why="not yet")]

    page = text_of(scene(rollout(), *held))

    assert f"Held up\n  2 repos: {why}\n    acme/app0, acme/app1\n" in page
    assert "not yet" not in page


def test_who_went_back_is_shown() -> None:
    page = text_of(
        scene(rollout(State.WATCHING), target(0, TargetState.MERGED, why=f"{WENT_BACK}abc (x:1)"))
    )

    assert "Went back\n  1 repo: it went back to abc (x:1)\n    acme/app0\n" in page


def test_the_way_back_has_its_own_lines() -> None:
    back = [target(0, TargetState.PENDING), target(1, TargetState.MERGED)]

    page = text_of(scene(rollout(State.ROLLED_BACK), *back, back=back))

    assert "The way back\n  1 repo pending\n    acme/app0\n  1 repo merged\n    acme/app1\n" in page


def test_long_lists_are_cut_unless_all_is_wanted() -> None:
    def many() -> Scene:
        reds = [target(n, TargetState.RED, failing=(f"check-{n}",)) for n in range(10)]
        more = [replace(one, repo=f"{one.repo}b", failing=("check-x",)) for one in reds]
        return scene(rollout(), *reds, *more)

    short, whole = text_of(many()), text_of(many(), Style(verbosity=1))

    assert "… and 1 more (-v lists them)" in short
    assert "… and 10 more (-v lists them)" in short
    assert "acme/app3b, acme/app4b and 5 more" in short
    assert "more" not in whole.replace("no more", "")
    assert whole.count("see to the checks") == 20


def test_what_others_wrote_stays_on_its_line_and_commands_no_terminal() -> None:
    evil = target(
        0,
        TargetState.RED,
        why="\x1b[2J\n::error::pwned",
        failing=("\x1b]0;owned\x07", "##[error]x"),
        url="https://forge.example/\x1b[31m",
    )

    page = text_of(scene(rollout(), evil))

    assert "\x1b" not in page
    assert "\x07" not in page
    assert not any(line.lstrip().startswith(("::", "##[")) for line in page.splitlines())


def test_with_a_long_configuration_commands_stay_whole() -> None:
    report = report_of(scene(rollout(), target(0)), [None])
    option = " --config /etc/digestbot/of/the/whole/org/digestbot.yaml"
    verbs = [replace(one, command=one.command + option) for one in report.verbs]

    lines = render(replace(report, verbs=verbs), Style()).splitlines()

    assert f"  digestbot rollout pause 0123456789{option}" in lines
    assert "    Open nothing new until it is resumed." in lines


def test_the_list_is_a_table(world: Arena) -> None:
    world.tell(Verb.START)
    world.step(2)
    world.merge()
    world.step()

    page = _list(world, Style())

    assert page == (
        "id          state      wave  merged  for    image\n"
        "0123456789  ▸ running  1/3   2/10    3 min  alpine:3.22\n"
    )


def test_a_plan_in_the_list_is_in_no_wave(world: Arena) -> None:
    page = _list(world, Style())

    assert (
        page.splitlines()[1] == "0123456789  · planned        0/10    under a minute  alpine:3.22"
    )


@pytest.mark.parametrize("width", [48, 60, 80])
def test_the_list_fits_and_loses_the_end_of_images_alone(world: Arena, width: int) -> None:
    report = read_rollouts(world.database, world.now())
    items = [replace(one, image=f"ghcr.io/acme/{'x' * 200}:1") for one in report.rollouts]

    page = render_list(replace(report, rollouts=items, total=60), Style(width))

    assert max(map(len, page.splitlines())) <= width
    assert page.splitlines()[1].endswith("…")
    assert page.splitlines()[-1] == "… and 59 more"


def test_the_list_has_the_same_words_in_colour(world: Arena) -> None:
    plain, inked = _list(world, Style()), _list(world, Style(color=True))

    assert "\x1b" in inked
    assert INK.sub("", inked) == plain


def _list(world: Arena, style: Style) -> str:
    report = read_rollouts(world.database, world.now())
    return render_list(report, style).replace(world.name, "0123456789")
