from __future__ import annotations

from dataclasses import replace

from digestbot.image import ImageReference, ImageTag
from digestbot.policy.finding import Finding, Status
from digestbot.registry.resolution import Query, Resolution
from digestbot.scan.result import Change, Problem, ScanResult, merged
from tests.report.builders import NEW, make_finding, make_result

DOWN = Problem("registry", "ghcr.io", "unavailable", "ghcr.io answers 503")


def asked(image: str) -> Resolution:
    reference = ImageReference.parse(image).followed
    assert isinstance(reference, ImageTag)
    return Resolution(Query(reference), NEW)


def of_repo(name: str, *findings: Finding, image: str = "python:3.12") -> ScanResult:
    result = make_result(findings, [DOWN], files=1, lookups=1)
    return replace(result, resolutions=(asked(image),)).of_repo(name)


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
    both = merged([of_repo("acme/a"), of_repo("acme/b")], duration_s=1)

    assert both.lookups == 1
    assert both.problems == (DOWN,)


def test_lookups_that_failed_count_too() -> None:
    failed = make_finding("node:20", Status.FAILED)

    both = merged([of_repo("acme/a", failed), of_repo("acme/b", failed)], duration_s=1)

    assert both.lookups == 2


def test_what_went_wrong_with_whole_repos_comes_first() -> None:
    gone = Problem("repo", "acme/gone", "not-found-or-no-access", "GitHub answers 404")

    both = merged([of_repo("acme/a")], [gone], duration_s=1)

    assert both.problems == (gone, DOWN)
