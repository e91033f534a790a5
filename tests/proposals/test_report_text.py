from __future__ import annotations

import textwrap
from dataclasses import replace

import pytest

from digestbot.forge.steps import EditPull, OpenPull
from digestbot.proposals.outcome import Outcome, RepoOutcome
from digestbot.proposals.report_contract import UpdateReport
from digestbot.proposals.report_text import render
from digestbot.report.style import Style
from digestbot.scan.result import Problem
from tests.proposals.outcomes import (
    BRANCH,
    TITLE,
    make_outcome,
    make_push,
    make_rehearsal,
    make_report,
    make_verdict,
)
from tests.report.builders import HOSTILE

REFUSED = Problem(
    "repo", "acme/bad", "no-permission", "GitHub answers 403", "give it contents: write"
)
MIXED = make_report(
    make_outcome("acme/app", make_verdict()),
    make_outcome(
        "acme/web",
        make_verdict(Outcome.HANDS_OFF, 3, repo="acme/web", message="ann pushed to the branch"),
    ),
    make_outcome("acme/fresh"),
    make_outcome("acme/open", make_verdict(Outcome.UNCHANGED, 4, repo="acme/open")),
    make_outcome("acme/bad", problems=(REFUSED,)),
    *(RepoOutcome(f"acme/f{n}", left_out=("fork", "it is a fork")) for n in range(4)),
    RepoOutcome("acme/old", left_out=("archived", "it is archived")),
    calls=1420,
)


def shown(report: UpdateReport, width: int = 80, verbosity: int = 0) -> str:
    return render(report, Style(width, verbosity=verbosity, command="digestbot update github:acme"))


def written_out(block: str) -> str:
    return textwrap.dedent(block).lstrip("\n")


def test_a_line_for_each_that_matters_then_problems_and_the_sum() -> None:
    assert shown(MIXED) == written_out("""
        ✓ opened     acme/app  #12 Update python:3.13-slim digest to 2452991
                               https://github.com/acme/app/pull/12
        ‖ hands-off  acme/web  #3 Update python:3.13-slim digest to 2452991
                               https://github.com/acme/web/pull/3
                               ann pushed to the branch
        · left out   4 repos   fork (-v lists them)
        · left out   acme/old  archived: it is archived

        ✗ Incomplete: not everything could be found out
          no-permission
            acme/bad: GitHub answers 403
            hint: give it contents: write

        10 repos: 1 opened, 1 unchanged, 1 hands-off, 1 current, 5 left out,
        1 incomplete · 1 lookup, 1,420 API calls in 40 s
        """)


def test_where_there_is_room_a_proposal_is_one_line() -> None:
    first = shown(MIXED, width=120).splitlines()[0]

    assert first == (
        "✓ opened     acme/app  #12 Update python:3.13-slim digest to 2452991"
        "  https://github.com/acme/app/pull/12"
    )


def test_a_notice_is_a_line_of_its_own() -> None:
    outcome = replace(make_outcome("acme/app"), notices=("`schedul` is no key",))

    assert shown(make_report(outcome)).startswith("! notice  acme/app  `schedul` is no key\n")


def test_verbose_tells_of_every_repo_and_why() -> None:
    text = shown(MIXED, verbosity=1)

    assert "✓ current    acme/fresh  1 image" in text
    assert "· unchanged  acme/open" in text
    assert "it is opened" in text
    assert [f"acme/f{n}" in text for n in range(4)] == [True] * 4
    assert "-v lists them" not in text


def test_quiet_leaves_explanations_away() -> None:
    text = shown(MIXED, verbosity=-1)

    assert "ann pushed" not in text
    assert "hint:" not in text
    assert "#3 " in text


@pytest.mark.parametrize(
    "report, expected",
    [
        pytest.param(
            make_report(make_outcome("acme/app")),
            "✓ 1 repo: 1 current · 1 lookup in 40 s\n",
            id="all-is-well",
        ),
        pytest.param(make_report(), "0 repos · 0 lookups in 40 s\n", id="nothing"),
        pytest.param(
            make_report(make_outcome(".", make_verdict(number=0))),
            "✓ opened  .  Update python:3.13-slim digest to 2452991"
            "  branch digestbot/images\n"
            "\n"
            "✓ 1 repo: 1 opened · 1 lookup in 40 s\n",
            id="no-pull-request",
        ),
    ],
)
def test_short_reports(report: UpdateReport, expected: str) -> None:
    assert shown(report) == expected


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_its_line_and_its_count(outcome: Outcome) -> None:
    text = shown(make_report(make_outcome("acme/app", make_verdict(outcome))), verbosity=1)

    assert f" {outcome}  acme/app" in text
    assert f"1 repo: 1 {outcome} ·" in text


def test_a_rehearsal_shows_title_body_and_diff() -> None:
    report = make_report(make_rehearsal(), make_outcome("acme/web"), is_rehearsal=True)

    assert shown(report) == written_out("""
        ▲ to open  acme/app  Update python:3.13-slim digest to 2452991
                             branch digestbot/images

            Update python:3.13-slim digest to 2452991

            | file | image |
            | --- | --- |
            | `Dockerfile` | `python:3.13-slim` |

            diff --git a/Dockerfile b/Dockerfile
            --- a/Dockerfile
            +++ b/Dockerfile
            @@ -1,1 +1,1 @@
            -FROM python@sha256:a
            +FROM python@sha256:b

        2 repos: 1 to open, 1 current · 1 lookup in 40 s

        What to do next
          digestbot update github:acme  does it
        """)


def test_a_rehearsal_of_other_words_shows_those() -> None:
    edited = make_rehearsal("acme/app", EditPull(0, "Other title", "Other body"))

    text = shown(make_report(edited, is_rehearsal=True))

    assert "    Other title\n\n    Other body\n" in text
    assert "diff --git" not in text


def test_a_branch_without_pull_request_is_rehearsed_too() -> None:
    text = shown(make_report(make_rehearsal("app", make_push()), is_rehearsal=True))

    assert "    +FROM python@sha256:b\n" in text


def test_colour_says_nothing_that_words_do_not() -> None:
    report = make_report(make_rehearsal(), is_rehearsal=True)
    colored = render(report, Style(color=True))

    assert "\x1b[32m+FROM" in colored
    assert "\x1b[" not in render(report, Style())


def test_whatever_a_repo_says_stays_text() -> None:
    verdict = make_verdict(Outcome.ADOPTED, message=HOSTILE, title=HOSTILE, repo=HOSTILE)
    problem = Problem("file", HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    steps = (make_push(HOSTILE, HOSTILE.encode("utf-8", "replace")),)
    rehearsal = make_rehearsal(
        HOSTILE, *steps, OpenPull(BRANCH, "main", HOSTILE, f"::x\n{HOSTILE}")
    )
    left_out = RepoOutcome(HOSTILE, left_out=(HOSTILE, HOSTILE))
    done = make_outcome(HOSTILE, verdict, problems=(problem,))

    text = shown(make_report(done, left_out)) + shown(make_report(rehearsal, is_rehearsal=True))

    assert not {"\x1b", "\r", "\u202e", "\ud800"} & set(text)
    assert "##[error]" not in text
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]


def test_endless_names_keep_the_lines_of_others_in_place() -> None:
    report = make_report(
        make_outcome("o" * 70, make_verdict()), make_outcome("acme/app", make_verdict())
    )

    lines = shown(report).splitlines()

    assert lines[0] == f"✓ opened  {'o' * 70}"
    assert lines[3] == f"✓ opened  acme/app  #12 {TITLE}"


@pytest.mark.parametrize("outcome", [Outcome.UNCHANGED, Outcome.REJECTED, Outcome.ADOPTED])
def test_what_stays_as_it_is_is_counted_and_listed_only_when_asked(outcome: Outcome) -> None:
    report = make_report(make_outcome("acme/open", make_verdict(outcome, 4, repo="acme/open")))

    assert "acme/open" not in shown(report)
    assert f"1 {outcome.value}" in shown(report)
    assert "acme/open" in shown(report, verbosity=1)
