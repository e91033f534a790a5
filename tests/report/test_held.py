"""What is held back and what is denied, in every report: the date, the reason, the order."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from digestbot.policy.finding import Finding, Status
from digestbot.report import github, json_v1, markdown, sarif, text
from digestbot.report.style import Style
from digestbot.report.summary import by_importance, denied_first, sentence, word_for
from digestbot.scan.result import Problem, ScanResult
from tests.report.builders import NEW, OLD, make_finding, make_result

UNTIL = datetime(2026, 11, 21, 14, 0, tzinfo=timezone(timedelta(hours=1)))
SAID = f"python:3.12 moved to {NEW}; held back: proposed from 2026-11-21 13:00 UTC on, if it stays"
BAD = f"{OLD} is pinned and on the deny list; python:3.12 moved to {NEW}"


def held(**changes: Any) -> Finding:
    return make_finding(status=Status.HELD, message=SAID, until=UNTIL, **changes)


def denied(status: Status = Status.STALE, **changes: Any) -> Finding:
    return make_finding(status=status, reason="denied-pinned", message=BAD, **changes)


MIXED = make_result(
    [
        make_finding("alpine:3", Status.FAILED, line=1),
        make_finding(line=2, edited=False),
        held(line=3),
        denied(line=4),
        denied(Status.HELD, line=5),
    ]
)


def in_repos(**findings: list[Finding]) -> ScanResult:
    return make_result(
        [replace(one, repo=f"acme/{repo}") for repo, some in findings.items() for one in some]
    )


def shown(result: ScanResult, verbosity: int = 0) -> str:
    return text.render(result, Style(80, verbosity=verbosity))


def test_denied_pins_stand_first_whatever_their_status() -> None:
    lines = [finding.occurrence.line for finding in by_importance(MIXED)]

    assert lines == [4, 5, 1, 2, 3]


def test_the_sum_counts_denied_pins_apart_and_first() -> None:
    assert sentence(MIXED) == (
        "5 images in 2 files: 2 denied, 1 stale, 1 held, 1 failed · 2 lookups in 0.4 s"
    )


def test_a_denied_pin_that_was_replaced_is_updated() -> None:
    finding = denied()
    result = make_result([finding], written=["app/Dockerfile"])

    assert word_for(result, finding) == "updated"


def test_the_text_begins_with_what_is_denied_and_says_until_when_the_rest_is_held() -> None:
    rows = shown(MIXED).split("\n\n", maxsplit=1)[0]

    assert rows + "\n" == textwrap.dedent("""\
        app/Dockerfile:4  ! denied    python:3.12  aaaaaaa → bbbbbbb
                                      aaaaaaa is pinned and on the deny list;
                                      python:3.12 moved to bbbbbbb
        app/Dockerfile:5  ! denied    python:3.12  denied-pinned
        app/Dockerfile:1  ✗ failed    alpine:3     rate-limited
                                      alpine:3: the registry asks to wait
        app/Dockerfile:2  ▲ stale     python:3.12  digest-moved
        app/Dockerfile:3  ‖ held      python:3.12  settling
                                      python:3.12 moved to bbbbbbb; held back: proposed
                                      from 2026-11-21 13:00 UTC on, if it stays
        """)


def test_a_repo_that_pins_what_is_denied_is_shown_first_and_in_one_piece() -> None:
    result = in_repos(a=[make_finding()], b=[make_finding(), denied(line=9)], c=[denied()])

    order = [(one.repo, one.reason) for one in denied_first(result.findings)]

    assert order == [
        ("acme/b", "denied-pinned"),
        ("acme/b", "digest-moved"),
        ("acme/c", "denied-pinned"),
        ("acme/a", "digest-moved"),
    ]
    assert shown(result).startswith("acme/b\n")


def test_what_is_not_the_newest_says_so_although_it_has_an_edit() -> None:
    result = make_result([make_finding(reason="not-newest", message="it is not the newest")])

    assert "it is not the newest" in shown(result)
    assert "not-newest: it is not the newest |" in markdown.render(result, Style())


def test_markdown_tells_denied_from_stale() -> None:
    rows = markdown.render(MIXED, Style()).splitlines()[4:]

    assert rows[0].startswith("| ⛔ denied | `python:3.12` | `aaaaaaa` → `bbbbbbb` |")
    assert rows[0].endswith(
        "| denied-pinned: aaaaaaa is pinned and on the deny list; python:3.12 moved to bbbbbbb |"
    )
    assert rows[1].startswith("| ⛔ denied |")
    assert rows[4].startswith("| ⏸️ held | `python:3.12` | `aaaaaaa` |")
    assert "settling: " in rows[4]
    assert "2026-11-21 13:00 UTC" in rows[4]


def test_github_shows_denied_pins_before_everything_even_problems() -> None:
    problem = Problem("registry", "ghcr.io", "rate-limited", "too often")
    lines = github.render(replace(MIXED, problems=(problem,)), Style()).splitlines()

    assert [line.partition(" ")[0] for line in lines[:6]] == [
        *("::error", "::error"),
        *("::error", "::error", "::warning", "::notice"),
    ]
    assert "title=denied%3A python%3A3.12::" in lines[0]
    assert "ghcr.io" in lines[2]
    assert "2026-11-21 13:00 UTC" in lines[5]


def sarif_results(result: ScanResult) -> list[dict[str, Any]]:
    run = json.loads(sarif.render(result, Style()))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])
    results: list[dict[str, Any]] = run["results"]
    return results


def test_in_code_scanning_a_denied_pin_is_an_error_of_its_own() -> None:
    results = sarif_results(MIXED)

    assert [(one["ruleId"], one["level"]) for one in results[3:]] == [
        ("digestbot/denied", "error"),
        ("digestbot/denied", "error"),
    ]
    assert "fixes" in results[3]
    assert "fixes" not in results[4]


def test_in_code_scanning_what_is_held_has_its_date() -> None:
    (result,) = sarif_results(make_result([held()]))

    assert result["ruleId"] == "digestbot/held"
    assert result["properties"] == {"reason": "settling", "until": "2026-11-21T13:00:00Z"}
    assert "2026-11-21 13:00 UTC" in result["message"]["text"]


@pytest.mark.parametrize(
    "finding, expected",
    [
        pytest.param(
            held(),
            {
                "status": "held",
                "reason": "settling",
                "new_digest": None,
                "edits": [],
                "until": "2026-11-21T13:00:00Z",
            },
            id="held",
        ),
        pytest.param(
            denied(), {"status": "stale", "reason": "denied-pinned", "until": None}, id="denied"
        ),
        pytest.param(
            replace(make_finding(reason="not-newest"), until=UNTIL.astimezone(UTC)),
            {"status": "stale", "new_digest": str(NEW), "until": "2026-11-21T13:00:00Z"},
            id="not-newest",
        ),
    ],
)
def test_json_has_the_date(finding: Finding, expected: Mapping[str, object]) -> None:
    document = json.loads(json_v1.render(make_result([finding]), Style()))

    (found,) = document["findings"]
    assert {key: found[key] for key in expected} == expected
