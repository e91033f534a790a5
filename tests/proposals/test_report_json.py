from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from digestbot import __version__
from digestbot.forge.steps import OpenPull
from digestbot.policy.finding import Status
from digestbot.proposals.outcome import Outcome, RepoOutcome
from digestbot.proposals.report_contract import UpdateReport, update_schema
from digestbot.proposals.report_json import render
from digestbot.report.style import Style
from digestbot.scan.result import Problem
from tests.proposals.outcomes import (
    AFTER,
    BODY,
    BRANCH,
    TITLE,
    make_outcome,
    make_push,
    make_rehearsal,
    make_report,
    make_verdict,
)
from tests.report.builders import HOSTILE, make_finding, make_result

DOWN = Problem("registry", "ghcr.io", "unavailable", "ghcr.io answers 503", "run again")


def rendered(report: UpdateReport) -> dict[str, Any]:
    """The report, once its own schema has accepted it."""
    document: dict[str, Any] = json.loads(render(report, Style()))
    Draft202012Validator(update_schema()).validate(document)
    return document


def test_the_report_is_the_contract_in_its_order() -> None:
    outcome = make_outcome("acme/app", make_verdict(), problems=(DOWN,))
    outcome = replace(outcome, notices=("`schedul` is no key",))
    report = make_report(outcome, calls=7)

    document = rendered(report)

    assert json.dumps(document, indent=1) == json.dumps(
        {
            "schema": "digestbot/update/v1",
            "version": __version__,
            "started_at": "2026-11-21T03:04:05Z",
            "duration_s": 40,
            "dry_run": False,
            "summary": {
                "repos": 1,
                "left_out": 0,
                "current": 0,
                "incomplete": 1,
                "outcomes": {"opened": 1},
                "lookups": 1,
                "calls": 7,
                "denied": 0,
                "held": 0,
            },
            "repos": [
                {
                    "repo": "acme/app",
                    "url": "https://github.com/acme/app",
                    "left_out": None,
                    "incomplete": True,
                    "occurrences": 1,
                    "stale": 1,
                    "failed": 0,
                    "writes": 0,
                    "notices": ["`schedul` is no key"],
                    "skipped": [],
                    "proposals": [
                        {
                            "branch": BRANCH,
                            "outcome": "opened",
                            "message": "it is opened",
                            "title": TITLE,
                            "number": 12,
                            "url": "https://github.com/acme/app/pull/12",
                            "preview": None,
                        }
                    ],
                    "denied": [],
                    "held": [],
                }
            ],
            "errors": [
                {
                    "scope": "registry",
                    "subject": "ghcr.io",
                    "code": "unavailable",
                    "message": "ghcr.io answers 503",
                    "hint": "run again",
                    "repo": None,
                }
            ],
        },
        indent=1,
    )


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_fits_the_schema_and_is_counted(outcome: Outcome) -> None:
    document = rendered(make_report(make_outcome("acme/app", make_verdict(outcome))))

    assert document["summary"]["outcomes"] == {outcome.value: 1}


def test_a_repo_is_left_out_current_or_worked_on() -> None:
    left_out = RepoOutcome("acme/old", left_out=("archived", "it is archived"))

    document = rendered(make_report(left_out, make_outcome("acme/app")))

    assert document["repos"][0]["left_out"] == {"reason": "archived", "message": "it is archived"}
    assert document["repos"][0]["url"] is None
    assert [document["summary"][key] for key in ("repos", "left_out", "current")] == [2, 1, 1]


def test_a_rehearsal_holds_what_would_be_written() -> None:
    document = rendered(make_report(make_rehearsal(), is_rehearsal=True))

    repo = document["repos"][0]
    assert (document["dry_run"], repo["writes"]) == (True, 2)
    assert repo["proposals"][0]["preview"]["title"] == TITLE
    assert repo["proposals"][0]["preview"]["body"] == BODY
    assert f"+{AFTER.decode()}" in repo["proposals"][0]["preview"]["diff"]


def test_what_a_registry_did_not_answer_is_said_once() -> None:
    outcomes = [make_outcome(name, problems=(DOWN,)) for name in ("acme/a", "acme/b")]

    document = rendered(make_report(*outcomes))

    assert len(document["errors"]) == 1
    assert document["summary"]["incomplete"] == 2


def test_problems_of_files_name_their_repo() -> None:
    problem = Problem("file", "Dockerfile", "unreadable", "no bytes")

    document = rendered(make_report(make_outcome("acme/app", problems=(problem,))))

    assert [document["errors"][0][key] for key in ("repo", "subject")] == ["acme/app", "Dockerfile"]


def test_what_could_not_be_known_is_an_error_even_if_no_problem_says_so() -> None:
    result = make_result([make_finding(status=Status.FAILED, reason="unreadable", message="gone")])
    outcome = replace(make_outcome("acme/app"), result=result)

    document = rendered(make_report(outcome))

    assert document["summary"]["incomplete"] == 1
    assert [one["code"] for one in document["errors"]] == ["unreadable"]


def test_what_goes_wrong_with_a_target_is_an_error() -> None:
    problem = Problem("target", "github:acme", "unauthorized", "GitHub answers 401")

    document = rendered(make_report(problems=(problem,)))

    assert document["errors"][0]["subject"] == "github:acme"


def test_whatever_a_repo_says_is_escaped() -> None:
    step = OpenPull(BRANCH, "main", HOSTILE, HOSTILE)
    rehearsal = make_rehearsal(HOSTILE, make_push(HOSTILE, b"\xff\n"), step, title=HOSTILE)

    text = render(make_report(rehearsal, is_rehearsal=True), Style())

    assert text.isascii()
    assert "\x1b" not in text
    rendered(make_report(rehearsal, is_rehearsal=True))
