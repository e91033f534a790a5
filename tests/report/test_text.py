from __future__ import annotations

import re
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from digestbot.files.occurrence import Skip
from digestbot.policy.finding import Finding, Status
from digestbot.report import text
from digestbot.report.style import Style
from digestbot.scan.result import Problem, ScanResult
from tests.report.builders import HOSTILE, NEW, hostile_result, make_finding, make_result

COLOR = re.compile(r"\x1b\[[0-9;]*m")
LONG = "registry.corp.example:5000/platform/base-images/python-runtime/long:3.12-slim-bookworm"
MIXED = make_result(
    [
        make_finding(),
        make_finding("alpine:3.20", Status.UNPINNED, line=19, edited=False, hint="--pin"),
        make_finding("ghcr.io/acme/base:v2", Status.CURRENT, line=24),
        make_finding(
            None,
            Status.SKIPPED,
            line=130,
            written="${BASE}:1",
            reason="build-arg",
            message="BASE has no default, so nobody but the build knows the image",
            hint="give BASE a default",
        ),
        make_finding("node:20", Status.HELD, path="deploy/Dockerfile", line=7),
        make_finding("ghcr.io/acme/tool:v1", Status.FAILED, path="deploy/Dockerfile", line=21),
    ],
    [
        Problem("registry", "ghcr.io", "rate-limited", "ghcr.io asks to wait", "log in first"),
        Problem("registry", "quay.io", "rate-limited", "quay.io asks to wait", "log in first"),
        Problem("file", "x/Dockerfile", "unreadable", "Permission denied"),
    ],
    files=3,
    lookups=4,
)


def shown(result: ScanResult, *, width: int = 80, color: bool = False, verbosity: int = 0) -> str:
    return text.render(result, Style(width, color, verbosity))


def written_out(block: str) -> str:
    return textwrap.dedent(block).lstrip("\n")


def test_a_row_per_finding_then_problems_by_cause_then_the_summary_and_what_to_do() -> None:
    assert shown(MIXED) == written_out("""
        app/Dockerfile:3      ▲ stale     python:3.12           aaaaaaa → bbbbbbb
        app/Dockerfile:19     ○ unpinned  alpine:3.20           no-digest
        app/Dockerfile:130    · skipped   ${BASE}:1             build-arg
                                          BASE has no default, so nobody but the build
                                          knows the image
                                          hint: give BASE a default
        deploy/Dockerfile:7   ‖ held      node:20               settling
                                          node:20 moved two hours ago, and waits for
                                          three days
        deploy/Dockerfile:21  ✗ failed    ghcr.io/acme/tool:v1  rate-limited

        ✗ Incomplete: not everything could be found out
          rate-limited
            ghcr.io: ghcr.io asks to wait
            quay.io: quay.io asks to wait
            hint: log in first
          unreadable
            x/Dockerfile: Permission denied

        6 images in 3 files: 1 stale, 1 current, 1 unpinned, 1 held, 1 skipped,
        1 failed · 4 lookups in 0.4 s

        What to do next
          digestbot scan --diff         shows the change
          digestbot scan --write        updates 1 digest in 1 file
          digestbot scan --pin --write  pins 1 more image
        """)


@pytest.mark.parametrize(
    "result, expected",
    [
        pytest.param(make_result(), "no images in 2 files · 2 lookups in 0.4 s\n", id="nothing"),
        pytest.param(
            make_result([make_finding(status=Status.CURRENT)]),
            "✓ 1 image in 2 files: 1 current · 2 lookups in 0.4 s\n",
            id="all-current",
        ),
        pytest.param(
            make_result([make_finding()], written=["app/Dockerfile"]),
            "app/Dockerfile:3  ✓ updated   python:3.12  aaaaaaa → bbbbbbb\n"
            "\n"
            "✓ 1 image in 2 files: 1 updated · 2 lookups in 0.4 s\n",
            id="written",
        ),
        pytest.param(
            make_result([make_finding("alpine:3.20", Status.UNPINNED)]),
            "app/Dockerfile:3  ○ unpinned  alpine:3.20  → bbbbbbb\n"
            "\n"
            "1 image in 2 files: 1 unpinned · 2 lookups in 0.4 s\n"
            "\n"
            "What to do next\n"
            "  digestbot scan --pin --diff   shows the change\n"
            "  digestbot scan --pin --write  pins 1 image in 1 file\n",
            id="pin-planned",
        ),
    ],
)
def test_small_results_are_short(result: ScanResult, expected: str) -> None:
    assert shown(result) == expected


def test_a_stale_image_that_is_not_edited_says_why() -> None:
    finding = make_finding(
        refusal=Skip("platform-arg", ""),
        reason="platform-arg",
        message=f"python:3.12 moved to {NEW}; not edited: TARGETARCH decides",
    )

    rows = shown(make_result([finding])).splitlines()

    assert rows[:3] == [
        "app/Dockerfile:3  ▲ stale     python:3.12  aaaaaaa → bbbbbbb",
        "                              python:3.12 moved to bbbbbbb; not edited:",
        "                              TARGETARCH decides",
    ]


def test_a_failure_that_no_problem_explains_is_explained_in_its_row() -> None:
    result = make_result([make_finding(status=Status.FAILED)])

    assert "\n                              python:3.12: the registry asks to wait\n" in shown(
        result
    )


def test_the_same_explanation_is_not_given_twice_in_a_row() -> None:
    findings = [make_finding(status=Status.SKIPPED, line=line) for line in (1, 2, 3)]

    assert shown(make_result(findings)).count("ignored by the comment above") == 1


def test_more_verbosity_lists_what_is_current_and_then_explains_the_obvious() -> None:
    assert "ghcr.io/acme/base:v2  aaaaaaa\n" in shown(MIXED, verbosity=1, width=120)
    assert "is what the tag has now" not in shown(MIXED, verbosity=1)
    assert "is what the tag has now" in shown(MIXED, verbosity=2)


def test_less_verbosity_leaves_explanations_and_advice_away() -> None:
    quiet = shown(MIXED, verbosity=-1)

    assert "hint" not in quiet
    assert "BASE has no default" not in quiet
    assert "What to do next" not in quiet
    assert "quay.io: quay.io asks to wait" in quiet


def test_many_places_of_one_cause_are_counted() -> None:
    problems = [Problem("registry", f"h{n}.example", "down", "no answer") for n in range(14)]

    assert "    … and 4 more (-v lists them)\n" in shown(make_result([], problems))
    assert "h13.example" in shown(make_result([], problems), verbosity=1)


def test_a_long_name_is_folded_behind_a_slash_and_keeps_its_line_number() -> None:
    result = make_result([make_finding(), make_finding(LONG, line=1204)])

    assert shown(result).splitlines()[:4] == [
        "app/Dockerfile:3     ▲ stale     python:3.12  aaaaaaa → bbbbbbb",
        "app/Dockerfile:1204  ▲ stale     registry.corp.example:5000/platform/",
        "                                 base-images/python-runtime/",
        "                                 long:3.12-slim-bookworm",
    ]


def test_a_long_path_has_lines_of_its_own_and_leaves_the_columns_alone() -> None:
    findings = [make_finding(path="directory/" * 12 + "Dockerfile"), make_finding()]

    assert shown(make_result(findings)).splitlines()[:4] == [
        "directory/" * 8,
        "directory/" * 4 + "Dockerfile:3",
        "                  ▲ stale     python:3.12  aaaaaaa → bbbbbbb",
        "app/Dockerfile:3  ▲ stale     python:3.12  aaaaaaa → bbbbbbb",
    ]


def test_a_wide_terminal_leaves_room_for_the_name() -> None:
    result = make_result([make_finding(LONG)])

    assert f"app/Dockerfile:3  ▲ stale     {LONG}  aaaaaaa → bbbbbbb\n" in shown(result, width=150)


def test_advice_that_is_too_wide_goes_below_its_command() -> None:
    style = Style(command=f"digestbot scan {LONG}")

    assert text.render(make_result([make_finding()]), style).endswith(
        f"  digestbot scan {LONG} --write\n      updates 1 digest in 1 file\n"
    )


@pytest.mark.parametrize("width", [20, 60, 80, 200])
def test_no_line_is_wider_than_the_page_nor_ends_in_blanks(width: int) -> None:
    wide = make_finding(None, Status.SKIPPED, path="日本語/" * 40, written="é" * 90 + "漢字" * 90)
    result = make_result([*hostile_result().findings, wide, *MIXED.findings], MIXED.problems)

    page = shown(result, width=width)

    # What is written out to disarm a workflow command may stand out of the page.
    lines = page.replace(r"\x3a", ":").replace(r"\x23", "#").split("\n")
    assert max(cell_len(line) for line in lines) <= max(width, 60)
    assert all(line == line.rstrip() for line in lines)


def test_colour_adds_nothing_but_colour() -> None:
    colored = shown(MIXED, color=True)

    assert COLOR.sub("", colored) == shown(MIXED)
    assert "\x1b[33m▲ stale   \x1b[0m" in colored


def test_hostile_text_reaches_no_terminal_and_no_runner() -> None:
    for width in range(20, 120, 7):
        page = shown(hostile_result(), width=width, verbosity=2)

        assert page.replace("\n", "").isprintable()
        assert not re.search(r"^\s*::", page, re.MULTILINE)
        assert "##[" not in page


def test_rich_markup_and_emoji_codes_are_plain_text() -> None:
    finding = make_finding(None, Status.SKIPPED, written="[red]x[/red]:smile:")

    assert "[red]x[/red]:smile:" in shown(make_result([finding]))


@given(st.text(max_size=60), st.text(max_size=60), st.integers(0, 130))
def test_whatever_is_found_can_be_shown(written: str, path: str, width: int) -> None:
    finding = make_finding(None, Status.SKIPPED, written=written, path=path, message=written)
    problem = Problem(path, written, path, written, path)

    page = shown(make_result([finding], [problem]), width=width)

    assert page.replace("\n", "").isprintable()
    assert "  · skipped   " in page
    assert ":3" in re.sub(r"\s", "", page)


def test_five_hundred_findings_are_five_hundred_rows() -> None:
    def find(number: int) -> Finding:
        return make_finding(f"acme/tool:{number}", path=f"{number // 10:02}/Dockerfile")

    page = shown(make_result(map(find, range(500)), files=50))

    assert page.count("▲ stale") == 500
    assert page.count("/Dockerfile:3  ▲") == 500


def test_a_message_without_end_is_cut() -> None:
    finding = make_finding(status=Status.FAILED, message=HOSTILE * 1000)

    assert len(shown(make_result([finding]))) < 3_000
