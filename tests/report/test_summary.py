from __future__ import annotations

import pytest

from digestbot.policy.finding import Status
from digestbot.report.advice import Step, next_steps
from digestbot.report.summary import by_importance, plural, sentence
from digestbot.scan.result import ScanResult
from tests.report.builders import make_finding, make_result

STALE = make_finding()
UNPINNED = make_finding("alpine:3.20", Status.UNPINNED, line=9, edited=False)
PINNED_NOW = make_finding("alpine:3.20", Status.UNPINNED, line=9, start=200)
CURRENT = make_finding(status=Status.CURRENT)


@pytest.mark.parametrize(
    "result, expected",
    [
        pytest.param(
            make_result([STALE, CURRENT, UNPINNED]),
            "3 images in 2 files: 1 stale, 1 current, 1 unpinned · 2 lookups in 0.4 s",
            id="a-bit-of-everything",
        ),
        pytest.param(
            make_result([STALE, PINNED_NOW], written=["app/Dockerfile"]),
            "2 images in 2 files: 2 updated · 2 lookups in 0.4 s",
            id="written",
        ),
        pytest.param(
            make_result([CURRENT], files=1, lookups=1, duration_s=12.4),
            "1 image in 1 file: 1 current · 1 lookup in 12 s",
            id="one-of-each",
        ),
        pytest.param(
            make_result(files=1200, lookups=0, duration_s=125),
            "no images in 1,200 files · 0 lookups in 2 min 5 s",
            id="nothing",
        ),
    ],
)
def test_one_sentence_says_it_all(result: ScanResult, expected: str) -> None:
    assert sentence(result) == expected


def test_plurals() -> None:
    assert [plural(n, "file") for n in (0, 1, 2, 1000)] == [
        "0 files",
        "1 file",
        "2 files",
        "1,000 files",
    ]


def test_what_is_unknown_or_old_comes_first_and_what_is_done_not_at_all() -> None:
    findings = [make_finding(status=status) for status in Status]
    written = make_finding(path="done/Dockerfile")

    ordered = by_importance(make_result([*findings, written], written=["done/Dockerfile"]))

    assert [finding.status.value for finding in ordered] == [
        "failed",
        "stale",
        "unpinned",
        "held",
        "skipped",
    ]


@pytest.mark.parametrize(
    "result, expected",
    [
        pytest.param(make_result([CURRENT]), [], id="all-is-current"),
        pytest.param(
            make_result([STALE, STALE, make_finding(path="b/Dockerfile")]),
            [
                Step("digestbot scan --diff", "shows the change"),
                Step("digestbot scan --write", "updates 2 digests in 2 files"),
            ],
            id="one-span-that-feeds-two-references-counts-once",
        ),
        pytest.param(
            make_result([UNPINNED]),
            [Step("digestbot scan --pin --write", "pins 1 image")],
            id="only-unpinned",
        ),
        pytest.param(
            make_result([STALE, UNPINNED]),
            [
                Step("digestbot scan --diff", "shows the change"),
                Step("digestbot scan --write", "updates 1 digest in 1 file"),
                Step("digestbot scan --pin --write", "pins 1 more image"),
            ],
            id="stale-and-unpinned",
        ),
        pytest.param(
            make_result([STALE, PINNED_NOW]),
            [
                Step("digestbot scan --pin --diff", "shows the change"),
                Step("digestbot scan --pin --write", "updates 1 digest and pins 1 image in 1 file"),
            ],
            id="pins-already-planned",
        ),
        pytest.param(make_result([STALE], written=["app/Dockerfile"]), [], id="written"),
    ],
)
def test_advice_names_the_commands_that_put_things_right(
    result: ScanResult, expected: list[Step]
) -> None:
    assert list(next_steps(result, "digestbot scan")) == expected
