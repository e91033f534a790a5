"""An update's report on what is held back and what is denied."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from digestbot.policy.finding import Finding, Status
from digestbot.proposals import report_json, report_text
from digestbot.proposals.outcome import RepoOutcome
from digestbot.proposals.report_contract import UpdateReport, update_schema
from digestbot.report.style import Style
from digestbot.scan.result import Problem
from tests.proposals.outcomes import make_outcome, make_report, make_verdict
from tests.report.builders import HOSTILE, NEW, OLD, make_finding, make_result

UNTIL = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)
SETTLING = f"python:3.12 moved to {NEW}; held back: proposed from 2026-11-21 13:00 UTC on"
BAD = f"{OLD} is pinned and on the deny list; python:3.12 moved to {NEW}"


def held(message: str = SETTLING, **changes: Any) -> Finding:
    return make_finding(status=Status.HELD, message=message, until=UNTIL, **changes)


def denied(**changes: Any) -> Finding:
    return make_finding(reason="denied-pinned", message=BAD, **changes)


def outcome_of(name: str, *findings: Finding) -> RepoOutcome:
    return replace(make_outcome(name), result=make_result(findings).of_repo(name))


def rendered(report: UpdateReport) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(report_json.render(report, Style()))
    Draft202012Validator(update_schema()).validate(document)
    return document


def shown(report: UpdateReport, *, verbosity: int = 0) -> list[str]:
    style = Style(120, verbosity=verbosity, command="digestbot update github:acme")
    return report_text.render(report, style).splitlines()


def test_json_lists_what_is_held_with_reason_and_date() -> None:
    document = rendered(make_report(outcome_of("acme/app", held(), denied(line=9))))

    (repo,) = document["repos"]
    assert repo["held"] == [
        {
            "path": "app/Dockerfile",
            "line": 3,
            "image": "docker.io/library/python:3.12",
            "digest": str(OLD),
            "reason": "settling",
            "message": SETTLING,
            "until": "2026-11-21T13:00:00Z",
        }
    ]
    assert [(one["line"], one["reason"], one["until"]) for one in repo["denied"]] == [
        (9, "denied-pinned", None)
    ]
    assert [document["summary"][key] for key in ("held", "denied", "current")] == [1, 1, 0]


def test_a_denied_pin_that_waits_is_denied_and_not_held() -> None:
    finding = replace(denied(), status=Status.HELD)

    (repo,) = rendered(make_report(outcome_of("acme/app", finding)))["repos"]

    assert (len(repo["denied"]), repo["held"]) == (1, [])


def test_denied_pins_stand_first_and_all_of_them() -> None:
    repos = [outcome_of(f"acme/r{number}", denied()) for number in range(5)]
    opened = make_outcome("acme/app", make_verdict())

    lines = shown(make_report(opened, *repos))

    assert lines[0] == (
        "! denied  acme/r0   app/Dockerfile:3  aaaaaaa is pinned and on the deny list; "
        "python:3.12 moved to bbbbbbb"
    )
    assert [line.startswith("! denied") for line in lines[:6]] == [True] * 5 + [False]
    assert lines[-1] == "6 repos: 5 denied, 1 opened · 1 lookup in 40 s"


def test_what_is_held_is_said_once_in_each_repo_with_its_date() -> None:
    lines = shown(make_report(outcome_of("acme/app", held(), held(line=9))))

    told = "python:3.12 moved to bbbbbbb; held back: proposed from 2026-11-21 13:00 UTC on"
    assert lines == [
        f"‖ held  acme/app  settling: {told}",
        "",
        "✓ 1 repo: 2 held · 1 lookup in 40 s",
    ]


@pytest.mark.parametrize("verbosity, lines", [(0, 1), (1, 5)])
def test_many_repos_that_wait_for_the_same_are_one_line(verbosity: int, lines: int) -> None:
    report = make_report(*(outcome_of(f"acme/r{number}", held()) for number in range(5)))

    told = [line for line in shown(report, verbosity=verbosity) if line.startswith("‖ held")]

    assert len(told) == lines
    assert ("5 repos" in told[0]) == (verbosity == 0)


def test_a_repo_that_was_not_scanned_has_neither() -> None:
    problem = Problem("repo", "acme/bad", "no-permission", "GitHub answers 403")

    (repo,) = rendered(make_report(RepoOutcome("acme/bad", problems=(problem,))))["repos"]

    assert (repo["held"], repo["denied"]) == ([], [])


def test_what_a_repo_wrote_is_harmless_here_too() -> None:
    report = make_report(outcome_of("acme/app", held(HOSTILE, path=HOSTILE), denied(path=HOSTILE)))

    text = "\n".join(shown(report))

    assert rendered(report)["repos"]
    assert "\x1b" not in text
    assert "\n::error" not in text
