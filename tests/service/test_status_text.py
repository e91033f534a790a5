from __future__ import annotations

import re
import textwrap
from dataclasses import replace

import pytest
from rich.cells import cell_len

from digestbot.policy.finding import Status
from digestbot.report.contract import ScanError
from digestbot.report.style import Style
from digestbot.service.status_contract import (
    StatusDenied,
    StatusFailing,
    StatusFreshness,
    StatusHeld,
    StatusProposal,
    StatusReport,
    StatusRun,
    StatusSummary,
    StatusTotals,
    StatusTroubled,
)
from digestbot.service.status_text import render
from tests.report.builders import HOSTILE

NOTHING = StatusTotals(denied=0, failing=0, troubled=0, held=0, open_proposals=0)
QUIET = StatusReport(
    schema="digestbot/status/v1",
    version="1",
    at="2026-11-21T09:30:00Z",
    summary=StatusSummary(
        repos=10_000,
        left_out=120,
        gone=3,
        images=300,
        last_success="2026-11-21T09:00:12Z",
        next_cycle="2026-11-21T10:00:00Z",
    ),
    freshness=StatusFreshness(38_000, 0, 0, None),
    findings={Status.CURRENT: 38_000, Status.SKIPPED: 12},
    proposals={"open": 0, "merged": 340},
    totals=NOTHING,
    runs=[
        StatusRun(
            id="a1",
            kind="cycle",
            state="done",
            started_at="2026-11-21T09:00:00Z",
            finished_at="2026-11-21T09:00:12Z",
            duration_s=12.0,
            counts={"listed": 10_120, "lookups": 300, "updated": 1},
            errors=[],
        )
    ],
    denied=[],
    failing=[],
    troubled=[],
    held=[],
    open_proposals=[],
)
BROKEN = ScanError("repo", "acme/bad", "invalid-config", "line 3: no such key", "mend it")
BUSY = replace(
    QUIET,
    freshness=StatusFreshness(900, 95, 5, "2026-11-01T09:00:00Z"),
    proposals={"open": 1, "waiting": 2, "merged": 0},
    totals=StatusTotals(denied=1, failing=1, troubled=1, held=2, open_proposals=1),
    runs=[
        replace(QUIET.runs[0], state="running", finished_at=None, duration_s=None, counts={}),
        replace(QUIET.runs[0], state="incomplete", counts={"listed": 5, "problems": 3}),
    ],
    denied=[StatusDenied(f"sha256:{'ab' * 32}", 7, 2, ["acme/app Dockerfile:3"])],
    failing=[
        StatusFailing(
            "ghcr.io",
            "rate-limited",
            12,
            "ghcr.io/acme/a:1",
            "ghcr.io answers 429",
            "2026-11-20T09:30:00Z",
        )
    ],
    troubled=[StatusTroubled("acme/bad", [BROKEN, BROKEN])],
    held=[
        StatusHeld("docker.io/library/node:22", "platform-lost", "no arm64", 41, 12, None, True),
        StatusHeld(
            "docker.io/library/redis:7",
            "settling",
            "the tag has it since 09:00",
            1,
            1,
            "2026-11-21T12:00:00Z",
            needs_somebody=False,
        ),
    ],
    open_proposals=[
        StatusProposal(
            "acme/app",
            "digestbot/images",
            "Update python:3.13",
            12,
            "https://github.com/acme/app/pull/12",
            "2026-10-10T09:30:00Z",
        )
    ],
)


def shown(report: StatusReport, width: int = 80, verbosity: int = 0) -> str:
    return render(report, Style(width, verbosity=verbosity))


def written_out(block: str) -> str:
    return textwrap.dedent(block).lstrip("\n")


def test_where_all_is_well_it_says_so_first() -> None:
    assert shown(QUIET) == written_out("""
        ✓ Nothing needs you

        Last runs
          ✓ done  2026-11-21 09:00 UTC, 12 s: 10,120 repos listed, 300 lookups, 1 repo
                  worked on

        Fleet
          10,000 repos, 300 images, 120 repos left out
          100 % fresh: 38,000 of 38,000 pins current, 0 stale, 0 held
          references: 38,000 current, 12 skipped
          proposals: 340 merged

        Next cycle
          2026-11-21 10:00 UTC (in 30 min)
          the last one came to its end 2026-11-21 09:00 UTC (29 min ago)
    """)


def test_what_needs_somebody_comes_first() -> None:
    assert shown(BUSY) == written_out("""
        Needs attention
          ✗ denied    abababa is pinned at 7 places in 2 repos
                      acme/app Dockerfile:3 and 6 more
          ✗ lookups   ghcr.io  rate-limited for 24 h: 12 images
                      since 2026-11-20 09:30 UTC: ghcr.io answers 429
          ✗ repo      acme/bad  invalid-config: line 3: no such key (and 1 more)
                      hint: mend it
          ‖ held      node:22  platform-lost: 41 places in 12 repos
                      no arm64
          ‖ held      redis:7  settling: 1 place in 1 repo, until 2026-11-21 12:00 UTC
                      the tag has it since 09:00
          · proposal  acme/app  #12 Update python:3.13, open for 42 days
                      https://github.com/acme/app/pull/12

        Last runs
          ▸ running     2026-11-21 09:00 UTC, not finished
          ✗ incomplete  2026-11-21 09:00 UTC, 12 s: 5 repos listed, 3 problems

        Fleet
          10,000 repos, 300 images, 120 repos left out, 1 repo with problems
          90 % fresh: 900 of 1,000 pins current, 95 stale, 5 held
          the oldest stale pin: 2026-11-01 09:00 UTC (20 days ago)
          references: 38,000 current, 12 skipped
          proposals: 1 open, 2 waiting

        Next cycle
          2026-11-21 10:00 UTC (in 30 min)
          the last one came to its end 2026-11-21 09:00 UTC (29 min ago)
    """)


@pytest.mark.parametrize(
    "state, words",
    [
        ("done", None),
        ("incomplete", None),
        ("stopped", None),
        ("failed", "✗ run  an error ended the last run"),
        ("lost", "✗ run  the last run ended without a word"),
    ],
)
def test_a_last_run_that_broke_needs_somebody(state: str, words: str | None) -> None:
    running = replace(BUSY.runs[0], id="a2")
    report = replace(QUIET, runs=[running, replace(QUIET.runs[0], state=state)])

    first, second, *_ = shown(report).splitlines()

    assert first == ("Needs attention" if words else "✓ Nothing needs you")
    assert (second.strip() or None) == words


def test_a_target_that_cannot_be_listed_needs_somebody() -> None:
    error = ScanError("target", "github:acme", "no-permission", "GitHub answers 403", "ask ann")
    run = replace(QUIET.runs[0], state="incomplete", errors=[error, BROKEN])

    lines = shown(replace(QUIET, runs=[run])).splitlines()

    assert lines[:3] == [
        "Needs attention",
        "  ✗ target  github:acme  no-permission: GitHub answers 403",
        "            hint: ask ann",
    ]


def many(count: int, total: int) -> StatusReport:
    repos = [replace(BUSY.troubled[0], repo=f"acme/r{n:03}") for n in range(count)]
    return replace(QUIET, troubled=repos, totals=replace(NOTHING, troubled=total))


@pytest.mark.parametrize(
    "report, verbosity, last",
    [
        pytest.param(many(10, 10), 0, "              hint: mend it", id="all are shown"),
        pytest.param(many(40, 40), 0, "  … and 30 more (-v lists them)", id="more in the report"),
        pytest.param(many(40, 40), 1, "              hint: mend it", id="-v"),
        pytest.param(many(100, 10_000), 0, "  … and 9,990 more (-v lists more)", id="very many"),
        pytest.param(many(100, 10_000), 1, "  … and 9,900 more", id="very many, -v"),
    ],
)
def test_lists_are_bounded_and_say_what_is_left(
    report: StatusReport, verbosity: int, last: str
) -> None:
    attention = shown(report, verbosity=verbosity).split("\n\n")[0].splitlines()

    assert attention[-1].rstrip() == last.replace("              ", "          ")
    assert len(attention) <= 2 + 2 * 100


def test_a_share_is_never_rounded_up_to_all() -> None:
    report = replace(QUIET, freshness=StatusFreshness(99_999, 1, 0, None))

    assert "99 % fresh: 99,999 of 100,000 pins" in shown(report)


def test_a_fleet_without_pins_has_no_share() -> None:
    report = replace(QUIET, freshness=StatusFreshness(0, 0, 0, None), findings={}, proposals={})

    assert "no pin is followed" in shown(report)


def test_a_service_that_never_ended_a_run_says_so() -> None:
    summary = replace(QUIET.summary, next_cycle=None, last_success=None)

    text = shown(replace(QUIET, summary=summary))

    assert text.endswith("Next cycle\n  none is due\n  none has ended yet\n")


@pytest.mark.parametrize("width", [48, 60, 80, 120, 200])
def test_lines_fit_the_terminal(width: int) -> None:
    lines = shown(BUSY, width).splitlines()

    assert [line for line in lines if cell_len(line) > width and "https://" not in line] == []


def test_colours_are_all_that_a_terminal_adds() -> None:
    colorful = render(BUSY, Style(80, color=True))

    assert "\x1b[1;31m✗ denied\x1b[0m" in colorful
    assert re.sub(r"\x1b\[[0-9;]*m", "", colorful) == shown(BUSY)
    assert "\x1b" not in shown(BUSY)


def test_hostile_texts_are_harmless() -> None:
    bad = ScanError(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    report = replace(
        BUSY,
        denied=[replace(BUSY.denied[0], examples=[HOSTILE])],
        failing=[replace(BUSY.failing[0], host=HOSTILE, message=HOSTILE)],
        troubled=[StatusTroubled(HOSTILE, [bad])],
        held=[replace(BUSY.held[0], image=HOSTILE, message=HOSTILE)],
        open_proposals=[replace(BUSY.open_proposals[0], repo=HOSTILE, title=HOSTILE, url=HOSTILE)],
    )

    text = shown(report)

    assert "\x1b" not in text
    assert "\u202e" not in text
    assert re.search(r"^\s*::|##\[", text, re.MULTILINE) is None
