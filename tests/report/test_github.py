from __future__ import annotations

import re

import pytest

from digestbot.policy.finding import Status
from digestbot.report import github
from digestbot.report.style import Style
from digestbot.scan.result import Problem
from tests.report.builders import NEW, hostile_result, make_finding, make_result

COMMAND = re.compile(r"::(?:error|warning|notice) (?:[a-z]+=[^,:]*)(?:,[a-z]+=[^,:]*)*::[^\r\n]*")


def test_annotations_come_in_the_order_of_importance() -> None:
    result = make_result(
        [
            make_finding("a:1", Status.SKIPPED, line=1),
            make_finding("b:1", Status.CURRENT, line=2),
            make_finding("c:1", Status.UNPINNED, line=3, hint="--pin adds it"),
            make_finding("d:1", Status.STALE, line=4),
            make_finding("e:1", Status.HELD, line=5),
            make_finding("f:1", Status.FAILED, line=6),
        ],
        [Problem("registry", "ghcr.io", "rate-limited", "too often", "log in")],
    )

    assert github.render(result, Style()) == (
        "::error title=ghcr.io%3A rate-limited::too often%0Ahint: log in\n"
        "::error file=app/Dockerfile,line=6,col=6,title=failed%3A f%3A1"
        "::f:1: the registry asks to wait\n"
        f"::warning file=app/Dockerfile,line=4,col=6,title=stale%3A d%3A1::d:1 moved to {NEW}\n"
        "::warning file=app/Dockerfile,line=3,col=6,title=unpinned%3A c%3A1"
        "::c:1 names no digest%0Ahint: --pin adds it\n"
        "::notice file=app/Dockerfile,line=5,col=6,title=held%3A e%3A1"
        "::e:1 moved two hours ago, and waits for three days\n"
        "::notice file=app/Dockerfile,line=1,col=6,title=skipped%3A a%3A1"
        "::ignored by the comment above\n"
        "6 images in 2 files: 1 stale, 1 current, 1 unpinned, 1 held, 1 skipped, 1 failed"
        " · 2 lookups in 0.4 s\n"
    )


def test_a_problem_with_a_file_is_shown_at_the_file() -> None:
    problem = Problem("file", "a/Dockerfile", "unreadable", "Permission denied")

    text = github.render(make_result([], [problem]), Style())

    assert text.startswith(
        "::error file=a/Dockerfile,title=a/Dockerfile%3A unreadable::Permission denied\n"
    )


@pytest.mark.parametrize(
    "path, expected",
    [
        pytest.param("100%/f", "100%25/f", id="percent"),
        pytest.param("a:b,c/f", "a%3Ab%2Cc/f", id="colon-and-comma"),
        pytest.param("a\r\nb/f", r"a\r\nb/f", id="line-end"),
    ],
)
def test_properties_are_escaped(path: str, expected: str) -> None:
    text = github.render(make_result([make_finding(path=path)]), Style())

    assert f"file={expected},line=3," in text


def test_what_was_written_is_not_warned_about() -> None:
    result = make_result([make_finding()], written=["app/Dockerfile"])

    assert "::" not in github.render(result, Style())


def test_a_hostile_result_adds_no_command() -> None:
    result = hostile_result()

    *commands, summary = github.render(result, Style()).splitlines()

    assert len(commands) == len(result.findings) - 1 + len(result.problems)
    assert all(COMMAND.fullmatch(line) and line.isprintable() for line in commands)
    assert "::" not in summary


def test_the_step_summary_is_the_markdown_report_under_a_heading() -> None:
    text = github.step_summary(make_result([make_finding()]))

    assert text.startswith("## Container images\n\n1 image in 2 files: 1 stale")
    assert "| 🔺 stale | `python:3.12` |" in text
