from __future__ import annotations

from dataclasses import replace

from digestbot.report.style import Style
from digestbot.rollout.plan_markdown import render
from tests.rollout.shown import PROBLEM, hostile, shown, small
from tests.rollout.test_plan import NEW, place, plan_of

STYLE = Style()


def test_a_change_request_has_all_that_somebody_needs_to_decide() -> None:
    text = render(shown(), STYLE)

    assert text.startswith(
        "## Rollout `1f2e3d4c5b`\n\n"
        "Planned at 2026-11-21 12:00 UTC by ann, for `docker.io/library/alpine`.\n\n"
        "### `alpine:3.22`\n\n"
        f"- Digest: `{NEW}`\n"
        "- built 2026-11-20 08:00 UTC, for linux/amd64, linux/arm64\n"
        "- Pinned now: `bbbbbbb` in 4 repos, `aaaaaaa` in 1 repo\n"
        "- **Note:** The new image no longer runs on linux/arm/v7.\n\n"
        "### Waves\n\n"
        "| Wave | Repos | Edits | For example |\n"
        "| --- | ---: | ---: | --- |\n"
        "| canary | 1 | 1 | `acme/lab` |\n"
        "| wave 1 | 1 | 1 | `acme/older` |\n"
    )
    assert "\n- 5 of 100 repos (5.0%), 5 edits\n" in text
    assert "- `acme/busy`: rollout 1a2b3c is under way in it\n" in text
    assert "| `acme/older` | wave 1 | `Dockerfile:1` `aaaaaaa` → `ccccccc` |\n" in text
    assert text.endswith("Start it: `digestbot rollout start 1f2e3d4c5b`\n")


def test_owners_are_named_and_not_called() -> None:
    text = render(shown(plan_of(place("acme/a", owners=("@acme/web",)))), STYLE)

    assert "- by owner: " in text
    assert "@acme" not in text


def test_what_is_large_and_what_is_not_known_is_said() -> None:
    text = render(shown(plan_of(place("acme/a"), fleet=2), PROBLEM), STYLE)

    assert "**Note:** the plan reaches 1 of 2 repos; more than 30% of all is large" in text
    assert "### Incomplete\n\n- `ghcr.io` denied: ghcr.io refuses\n" in text


def test_hostile_names_stay_in_their_cell_and_bring_nothing_to_life() -> None:
    text = render(shown(hostile()), STYLE)

    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert {line.count("|") for line in rows} == {4, 5}
    assert "<img" not in text
    assert "<script" not in text
    assert "@everyone" not in text
    assert "@ann" not in text
    assert "\n# heading" not in text
    assert "\x1b" not in text


def test_a_long_plan_is_cut_so_that_a_forge_takes_it() -> None:
    plan = small()
    [first, *_] = plan.targets
    many = tuple(
        replace(first, repo=f"acme/{'x' * 40}-{number}", edits=first.edits * 9)
        for number in range(300)
    )

    text = render(shown(replace(plan, targets=many)), STYLE)

    assert "\n… and 100 repos more\n" in text
    assert "… and 4 more" in text
    assert len(text.encode()) < 65_536


def test_without_repos_there_is_nothing_to_start() -> None:
    text = render(shown(plan_of()), STYLE)

    assert "Start it" not in text
    assert "### Waves" not in text
