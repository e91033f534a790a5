"""Findings of repos on a forge: each report says whose they are."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from digestbot.policy.finding import Status
from digestbot.report import github, json_v1, markdown, sarif, text
from digestbot.report.contract import scan_schema
from digestbot.report.repos import in_one_tree, repos_of
from digestbot.report.style import Style
from digestbot.scan.result import Change, Problem, ScanResult, merged
from tests.report.builders import HOSTILE, make_finding, make_result

STYLE = Style(command="digestbot scan github:acme")
UNREADABLE = Problem("file", "x/Dockerfile", "unreadable", "no bytes")


def scanned(repo: str) -> ScanResult:
    result = make_result([make_finding(), make_finding("node:20", line=9)], [UNREADABLE], files=1)
    return replace(result, changes=(Change("app/Dockerfile", b"a\n", b"b\n"),)).of_repo(repo)


ONE = scanned("acme/app")
TWO = merged([ONE, scanned("acme/web")], duration_s=0.4)
LOCAL = make_result([make_finding()], [UNREADABLE])


def test_the_text_has_a_heading_for_each_repo_and_advises_to_propose() -> None:
    shown = text.render(TWO, STYLE)

    assert shown == (
        "acme/app\n"
        "app/Dockerfile:3  ▲ stale     python:3.12  aaaaaaa → bbbbbbb\n"
        "app/Dockerfile:9  ▲ stale     node:20      aaaaaaa → bbbbbbb\n"
        "\n"
        "acme/web\n"
        "app/Dockerfile:3  ▲ stale     python:3.12  aaaaaaa → bbbbbbb\n"
        "app/Dockerfile:9  ▲ stale     node:20      aaaaaaa → bbbbbbb\n"
        "\n"
        "✗ Incomplete: not everything could be found out\n"
        "  unreadable\n"
        "    acme/app x/Dockerfile: no bytes\n"
        "    acme/web x/Dockerfile: no bytes\n"
        "\n"
        "4 images in 2 files of 2 repos: 4 stale · 2 lookups in 0.4 s\n"
        "\n"
        "What to do next\n"
        "  digestbot scan github:acme --diff  shows the change\n"
        "  digestbot update github:acme       proposes 2 digests in 2 repos\n"
    )


def test_nothing_is_advised_where_nothing_can_be_proposed() -> None:
    failed = make_result([make_finding(status=Status.FAILED)]).of_repo("acme/app")

    assert "What to do next" not in text.render(failed, STYLE)


def test_json_names_the_repo_of_findings_and_errors() -> None:
    report = json.loads(json_v1.render(TWO, STYLE))

    Draft202012Validator(scan_schema()).validate(report)
    assert [one["repo"] for one in report["findings"]] == ["acme/app"] * 2 + ["acme/web"] * 2
    assert [one["repo"] for one in report["errors"]] == ["acme/app", "acme/web"]
    assert {one["path"] for one in report["findings"]} == {"app/Dockerfile"}


def test_markdown_names_the_repo_before_the_path() -> None:
    shown = markdown.render(TWO, STYLE)

    assert "`acme/app app/Dockerfile:3`" in shown
    assert "`acme/web x/Dockerfile`" in shown


def uris(result: ScanResult) -> set[str]:
    run: dict[str, Any] = json.loads(sarif.render(result, STYLE))["runs"][0]
    places = [one["locations"][0]["physicalLocation"] for one in run["results"]]
    return {place["artifactLocation"]["uri"] for place in places}


@pytest.mark.parametrize(
    "result, expected",
    [
        pytest.param(LOCAL, {"app/Dockerfile"}, id="local"),
        pytest.param(ONE, {"app/Dockerfile"}, id="one-repo"),
        pytest.param(TWO, {"acme/app/app/Dockerfile", "acme/web/app/Dockerfile"}, id="two-repos"),
    ],
)
def test_paths_of_one_repo_stay_and_those_of_several_are_told_apart(
    result: ScanResult, expected: set[str]
) -> None:
    annotations = github.render(result, STYLE)

    assert uris(result) == expected
    assert all(f"file={path}," in annotations for path in expected)


def test_fingerprints_of_two_repos_differ() -> None:
    run = json.loads(sarif.render(TWO, STYLE))["runs"][0]

    prints = [tuple(one["partialFingerprints"].values()) for one in run["results"]]
    assert len(set(prints)) == 4


def test_one_tree_holds_edits_problems_and_changes() -> None:
    placed = in_one_tree(TWO)

    assert repos_of(TWO) == ("acme/app", "acme/web")
    assert [edit.path for one in placed.findings for edit in one.edits][::2] == [
        "acme/app/app/Dockerfile",
        "acme/web/app/Dockerfile",
    ]
    assert [one.subject for one in placed.problems] == [
        "acme/app/x/Dockerfile",
        "acme/web/x/Dockerfile",
    ]
    assert [one.path for one in placed.changes] == [
        "acme/app/app/Dockerfile",
        "acme/web/app/Dockerfile",
    ]


@pytest.mark.parametrize("report", [text, markdown, github], ids=["text", "markdown", "github"])
def test_a_repo_of_any_name_does_no_harm(report: Any) -> None:
    result = merged([scanned(HOSTILE), scanned("acme/app")], duration_s=1)

    shown = report.render(result, STYLE)

    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert not [line for line in shown.splitlines() if line.startswith("::error::")]
