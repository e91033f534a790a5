from __future__ import annotations

from dataclasses import replace

import pytest

from digestbot.policy.finding import Finding, Status
from digestbot.scan.result import Change, Problem, ScanResult, merged
from tests.report.builders import make_finding, make_result

DOWN = Problem("registry", "ghcr.io", "unavailable", "ghcr.io answers 503")


def of_repo(name: str, *findings: Finding) -> ScanResult:
    return make_result(findings, [DOWN], files=1, lookups=1).of_repo(name)


def test_a_scan_says_of_which_repo_it_is() -> None:
    result = make_result([make_finding()], [DOWN, Problem("file", "Dockerfile", "unreadable", "?")])
    result = replace(result, changes=(Change("Dockerfile", b"a", b"b"),))

    said = result.of_repo("acme/app")

    assert [finding.repo for finding in said.findings] == ["acme/app"]
    assert [problem.repo for problem in said.problems] == ["", "acme/app"]
    assert [change.repo for change in said.changes] == ["acme/app"]
    assert result.findings[0].repo == ""


def test_scans_add_up_in_their_order() -> None:
    first, second = of_repo("acme/a", make_finding()), of_repo("acme/b", make_finding())

    both = merged([first, second], duration_s=3.5)

    assert [finding.repo for finding in both.findings] == ["acme/a", "acme/b"]
    assert (both.files, both.duration_s, both.started_at) == (2, 3.5, first.started_at)


def test_what_several_scans_asked_is_one_lookup_and_one_problem() -> None:
    both = merged(
        [of_repo("acme/a", make_finding()), of_repo("acme/b", make_finding())], duration_s=1
    )

    assert both.lookups == 1
    assert both.problems == (DOWN,)


@pytest.mark.parametrize(
    "finding, lookups",
    [
        *((make_finding(status=status), 1) for status in (Status.CURRENT, Status.STALE)),
        (make_finding(status=Status.FAILED), 1),
        (make_finding(status=Status.SKIPPED), 0),
        (make_finding(status=Status.UNPINNED), 1),
        (make_finding(status=Status.UNPINNED, edited=False), 0),
        (make_finding(None, Status.FAILED), 0),
    ],
    ids=["current", "stale", "failed", "skipped", "to-be-pinned", "unpinned", "whole-file"],
)
def test_questions_are_those_that_a_finding_took(finding: Finding, lookups: int) -> None:
    assert merged([make_result([finding])], duration_s=1).lookups == lookups


def test_what_went_wrong_with_whole_repos_comes_first() -> None:
    gone = Problem("repo", "acme/gone", "not-found-or-no-access", "GitHub answers 404")

    both = merged([of_repo("acme/a")], [gone], duration_s=1)

    assert both.problems == (gone, DOWN)
