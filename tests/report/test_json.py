from __future__ import annotations

import json
from datetime import timedelta, timezone
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from digestbot import __version__
from digestbot.files.occurrence import Steering
from digestbot.image import Platform
from digestbot.policy.finding import Status
from digestbot.report import json_v1
from digestbot.report.contract import scan_schema
from digestbot.report.style import Style
from digestbot.scan.result import Problem, ScanResult
from tests.report.builders import NEW, OLD, hostile_result, make_finding, make_result


def rendered(result: ScanResult) -> dict[str, Any]:
    """The report, once its own schema has accepted it."""
    report: dict[str, Any] = json.loads(json_v1.render(result, Style()))
    Draft202012Validator(scan_schema()).validate(report)
    return report


def test_the_report_is_the_contract_in_its_order() -> None:
    problem = Problem("registry", "ghcr.io", "rate-limited", "too often", "log in")
    result = make_result([make_finding()], [problem])

    text = json_v1.render(result, Style())

    assert [line[:9] for line in text.splitlines()] == [
        "{",
        *('  "schema', '  "versio', '  "starte', '  "durati', '  "summar'),
        *('  "findin', '    {"rep', "  ],", '  "errors', '    {"sco', "  ]"),
        "}",
    ]
    assert json.dumps(json.loads(text), indent=2) == (
        json.dumps(
            {
                "schema": "digestbot/scan/v1",
                "version": __version__,
                "started_at": "2026-11-21T03:04:05Z",
                "duration_s": 0.41,
                "summary": {
                    "files": 2,
                    "occurrences": 1,
                    "current": 0,
                    "stale": 1,
                    "unpinned": 0,
                    "held": 0,
                    "skipped": 0,
                    "failed": 0,
                    "lookups": 2,
                },
                "findings": [
                    {
                        "repo": None,
                        "path": "app/Dockerfile",
                        "line": 3,
                        "column": 6,
                        "format": "dockerfile",
                        "kind": "from",
                        "written": f"python:3.12@{OLD}",
                        "image": "docker.io/library/python",
                        "tag": "3.12",
                        "digest": str(OLD),
                        "platform": None,
                        "status": "stale",
                        "reason": "digest-moved",
                        "message": f"python:3.12 moved to {NEW}",
                        "new_tag": None,
                        "new_digest": str(NEW),
                        "edits": [
                            {
                                "path": "app/Dockerfile",
                                "start": 57,
                                "end": 121,
                                "old": OLD.hex,
                                "new": NEW.hex,
                            }
                        ],
                        "until": None,
                    }
                ],
                "errors": [
                    {
                        "scope": "registry",
                        "subject": "ghcr.io",
                        "code": "rate-limited",
                        "message": "too often",
                        "hint": "log in",
                        "repo": None,
                    }
                ],
            },
            indent=2,
        )
    )


@pytest.mark.parametrize("status", list(Status))
def test_every_status_is_counted_and_fits_the_schema(status: Status) -> None:
    report = rendered(make_result([make_finding(status=status)] * 3))

    assert report["summary"][status.value] == report["summary"]["occurrences"] == 3


def test_what_is_no_reference_has_neither_image_nor_tag() -> None:
    finding = rendered(make_result([make_finding(None, Status.SKIPPED)]))["findings"][0]

    assert [finding[key] for key in ("image", "tag", "digest")] == [None, None, None]


@pytest.mark.parametrize(
    "image, steering, expected",
    [
        pytest.param("python", Steering(), None, id="nothing-to-follow"),
        pytest.param("python", Steering(tag="3.12"), "3.12", id="the-comment-says"),
        pytest.param("python:3.12", Steering(), "3.12", id="written"),
    ],
)
def test_the_tag_is_the_one_that_is_followed(
    image: str, steering: Steering, expected: str | None
) -> None:
    report = rendered(make_result([make_finding(image, steering=steering)]))

    assert report["findings"][0]["tag"] == expected


def test_the_platform_of_a_comment_is_told() -> None:
    steering = Steering(platform=Platform.parse("linux/arm64"))

    report = rendered(make_result([make_finding(steering=steering)]))

    assert report["findings"][0]["platform"] == "linux/arm64"


def test_times_are_in_utc_whatever_the_zone() -> None:
    result = make_result()
    zone = timezone(timedelta(hours=5))
    elsewhere = ScanResult(result.started_at.astimezone(zone), 0.0, 0, 0)

    assert rendered(elsewhere)["started_at"] == "2026-11-21T03:04:05Z"


def test_hostile_text_is_kept_but_escaped() -> None:
    result = hostile_result()

    text = json_v1.render(result, Style())

    assert text.replace("\n", "").isprintable()
    assert text.isascii()
    assert rendered(result)["findings"][0]["message"].startswith("\x1b[2Jp|w`n*<b>@admin")


def test_the_delete_character_is_escaped_behind_a_backslash_too() -> None:
    text = json_v1.render(make_result([make_finding(message="\\\x7f")]), Style())

    assert "\x7f" not in text
    assert json.loads(text)["findings"][0]["message"] == "\\\x7f"


def test_no_lone_surrogate_is_left_for_other_parsers_to_stumble_over() -> None:
    report = rendered(make_result([make_finding(path="caf\udce9/Dockerfile")]))

    assert report["findings"][0]["path"] == "caf\\udce9/Dockerfile"
    assert report["findings"][0]["edits"][0]["path"] == "caf\\udce9/Dockerfile"


def test_the_schema_is_a_schema_and_explains_itself() -> None:
    schema = scan_schema()

    Draft202012Validator.check_schema(schema)
    fields = schema["$defs"]["ScanEdit"]["properties"]
    assert fields["start"]["description"] == "Offset in bytes of the first byte to replace."


def test_the_schema_takes_additions_and_refuses_omissions() -> None:
    validator = Draft202012Validator(scan_schema())
    report = rendered(make_result())

    assert validator.is_valid({**report, "added_later": 1})
    assert not validator.is_valid({key: report[key] for key in report if key != "errors"})
