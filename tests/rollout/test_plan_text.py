from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from rich.cells import cell_len

from digestbot.report.style import Style
from digestbot.rollout.gates import GateRules
from digestbot.rollout.plan import Deadlines
from digestbot.rollout.plan_text import render
from digestbot.rollout.plan_words import Shown, about, span, waves_of
from tests.rollout.shown import MOVE, PROBLEM, hostile, shown, small
from tests.rollout.test_plan import NEW, place, plan_of

STYLE = Style()


def lines(told: Shown, style: Style = STYLE) -> list[str]:
    return render(told, style).splitlines()


def test_a_plan_is_all_that_somebody_needs_to_decide() -> None:
    assert render(shown(), STYLE) == (
        "Rollout 1f2e3d4c5b\n"
        "\n"
        "Images\n"
        "  alpine:3.22 gets\n"
        f"    {NEW}\n"
        "    built 2026-11-20 08:00 UTC, for linux/amd64, linux/arm64\n"
        "    pinned now: bbbbbbb in 4 repos, aaaaaaa in 1 repo\n"
        "    ! The new image no longer runs on linux/arm/v7.\n"
        "\n"
        "Waves\n"
        "  canary   1 repo   1 edit  acme/lab\n"
        "  wave 1   1 repo   1 edit  acme/older\n"
        "  wave 2  3 repos  3 edits  acme/app-0, acme/app-1, acme/app-2\n"
        "\n"
        "Edits\n"
        "  acme/lab  Dockerfile:1  alpine:3.22  bbbbbbb → ccccccc\n"
        "  acme/older  Dockerfile:1  alpine:3.22  aaaaaaa → ccccccc\n"
        "  acme/app-0  Dockerfile:1  alpine:3.22  bbbbbbb → ccccccc\n"
        "  acme/app-1  Dockerfile:1  alpine:3.22  bbbbbbb → ccccccc\n"
        "  acme/app-2  Dockerfile:1  alpine:3.22  bbbbbbb → ccccccc\n"
        "\n"
        "Reach\n"
        "  5 of 100 repos (5.0%), 5 edits\n"
        "  it takes 2 h 1 min at least, with 2 waits of 1 h\n"
        "\n"
        "Rules\n"
        "  between waves: soak 1 h; 90% merged or green; 10% may fail\n"
        "  450 writes an hour and 50 pull requests in CI at most\n"
        "  who goes back is noticed for 7 days\n"
        "\n"
        "Left out: 1 repo\n"
        "  acme/busy\n"
        "    rollout 1a2b3c is under way in it\n"
        "\n"
        "Next\n"
        "  digestbot rollout start 1f2e3d4c5b\n"
    )


def test_who_looks_after_the_repos_is_told_where_it_is_known() -> None:
    owners = [("@acme/web",)] * 2 + [(f"@acme/t{number}",) for number in range(6)] + [()]
    plan = plan_of(*(place(f"acme/{n}", owners=one) for n, one in enumerate(owners)))

    assert (
        "by owner: @acme/web (2), @acme/t0 (1), @acme/t1 (1), @acme/t2 (1), @acme/t3 (1), 3 more"
        in (" ".join(" ".join(lines(shown(plan))).split()))
    )
    assert not any("by owner" in line for line in lines(shown()))


def test_a_plan_that_reaches_far_says_so_and_how_it_is_started() -> None:
    told = lines(shown(plan_of(place("acme/a"), fleet=2)))

    assert "  ! the plan reaches 1 of 2 repos; more than 30% of all is large" in told
    assert told[-1] == "  digestbot rollout start 1f2e3d4c5b --large --reason 'WHY'"


def test_rules_that_somebody_chose_are_said() -> None:
    plan = small()
    rules = replace(
        plan.rules,
        gate=GateRules(needs_approval=True, probe=True),
        waves=replace(plan.rules.waves, most_per_owner=3),
        deadlines=Deadlines(timedelta(days=2), timedelta(days=3), timedelta(days=9)),
        is_critical=True,
    )

    text = " ".join(render(shown(replace(plan, rules=rules)), STYLE).split())

    assert "between waves: nothing soaks, as it is critical; 90% merged or green" in text
    assert "somebody approves what comes after each wave" in text
    assert "an address of yours is asked after each wave" in text
    assert "3 repos of one owner in a wave at most" in text
    assert (
        "what stays open is commented on after 2 days; is up for review by the owners after "
        "3 days; is merged, past what it waits for after 9 days" in text
    )
    assert "it takes 1 min at least" in text


def test_many_edits_are_counted_and_listed_where_somebody_wants_them() -> None:
    told = shown(plan_of(*(place(f"acme/{number}") for number in range(9))))

    assert "  … and 4 more (-v lists them)" in lines(told)
    assert sum("→" in line for line in lines(told, Style(verbosity=1))) == 9


def test_examples_of_a_wave_end_where_the_line_does() -> None:
    plan = plan_of(*(place(f"acme/app-{number:03}") for number in range(60)))

    told = [line for line in lines(shown(plan)) if line.startswith("  wave ")]

    assert all(line.endswith(", …") and cell_len(line) <= 80 for line in told)


@pytest.mark.parametrize("width", [48, 80, 200])
@pytest.mark.parametrize("make", [small, hostile])
def test_no_line_is_wider_than_the_terminal_but_what_is_copied(width: int, make: object) -> None:
    assert callable(make)

    told = lines(shown(make(), PROBLEM), Style(width=width))

    wide = [line for line in told if cell_len(line) > width]
    assert all("sha256:" in line or "rollout start" in line for line in wide)


def test_hostile_names_are_shown_and_do_nothing() -> None:
    text = render(shown(hostile()), STYLE)

    assert text.replace("\n", "").isprintable()
    assert "\\x1b[31mred\\u202e|x" in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


def test_a_plan_without_repos_is_why_there_are_none() -> None:
    plan = plan_of(place("acme/busy"), left_out={"acme/busy": "rollout 1a2b3c is under way in it"})

    told = lines(shown(plan, PROBLEM))

    assert told[:3] == ["Left out: 1 repo", "  acme/busy", "    rollout 1a2b3c is under way in it"]
    assert "✗ Incomplete: not everything could be found out" in told
    assert not any("rollout start" in line for line in told)
    assert render(shown(plan_of()), STYLE) == ""


def test_colours_are_for_those_who_want_them() -> None:
    assert "\x1b" in render(shown(), Style(color=True))
    assert "\x1b" not in render(shown(), STYLE)


def test_the_first_wave_is_the_canary() -> None:
    plan = plan_of(*(place(f"acme/{number}") for number in range(8)))
    targets = tuple(
        replace(target, wave=min(number, 2)) for number, target in enumerate(plan.targets)
    )

    names = [wave.name for wave in waves_of(replace(plan, targets=targets))]

    assert names == ["canary", "wave 1", "wave 2"]


def test_a_few_platforms_are_enough() -> None:
    move = replace(MOVE, platforms=tuple(f"linux/{number}" for number in range(15)))

    assert about(move).endswith("linux/11, 3 more")


@pytest.mark.parametrize(
    "length, text",
    [
        pytest.param(timedelta(), "no time", id="nothing"),
        pytest.param(timedelta(seconds=1), "1 min", id="a-second"),
        pytest.param(timedelta(minutes=90), "1 h 30 min", id="minutes"),
        pytest.param(timedelta(days=1, hours=2, minutes=3), "1 day 2 h", id="two-units"),
        pytest.param(timedelta(days=7), "7 days", id="days"),
        pytest.param(timedelta(minutes=59, seconds=59), "1 h", id="rounded"),
    ],
)
def test_lengths_of_time_read_well(length: timedelta, text: str) -> None:
    assert span(length) == text
