"""Findings of several repos in formats that know one tree of files only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from digestbot.policy.finding import Finding
from digestbot.scan.result import Change, Problem, ScanResult


def repos_of(result: ScanResult) -> tuple[str, ...]:
    """The repos that something was found in, each once; empty for local files."""
    records: tuple[Iterable[Finding | Problem | Change], ...]
    records = (result.findings, result.problems, result.changes)
    return tuple(dict.fromkeys(one.repo for some in records for one in some if one.repo))


def in_one_tree(result: ScanResult) -> ScanResult:
    """The result with the repo at the beginning of each path, where there are several repos.

    The paths of one repo stay as they are in a checkout of it.
    """
    _first, *others = repos_of(result) or ("",)
    if not others:
        return result
    return replace(
        result,
        findings=tuple(map(_finding, result.findings)),
        problems=tuple(map(_problem, result.problems)),
        changes=tuple(map(_change, result.changes)),
    )


def _below(repo: str, path: str) -> str:
    return f"{repo}/{path}" if repo else path


def _finding(finding: Finding) -> Finding:
    occurrence = finding.occurrence
    path = _below(finding.repo, occurrence.path)
    edits = tuple(replace(edit, path=_below(finding.repo, edit.path)) for edit in finding.edits)
    return replace(finding, occurrence=replace(occurrence, path=path), edits=edits)


def _problem(problem: Problem) -> Problem:
    return replace(problem, subject=_below(problem.repo, problem.subject))


def _change(change: Change) -> Change:
    return replace(change, path=_below(change.repo, change.path))
