"""The bytes of a proposal: what the edits of some updates make of the files of a repo."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from digestbot.files.edit import Edit, apply_edits
from digestbot.files.formats import FORMATS
from digestbot.files.verify import Wanted, plan_edits
from digestbot.forge.repo import Mode
from digestbot.forge.steps import FileChange
from digestbot.policy.finding import Finding
from digestbot.proposals.update import Update
from digestbot.scan.result import Change, ScanResult


def files_of(
    updates: Iterable[Update], result: ScanResult, modes: Mapping[str, Mode]
) -> tuple[FileChange, ...]:
    """What these updates make of the files that were scanned, in order of path.

    A part of the edits of a file is proven anew, since only all of them together were; a file
    in which none of them holds is left out.
    """
    taken: dict[str, list[Finding]] = {}
    for update in updates:
        for finding in update.findings:
            taken.setdefault(finding.occurrence.path, []).append(finding)
    files = []
    for change in sorted(result.changes, key=lambda one: one.path):
        content = _content(change, taken.get(change.path, ()), result)
        if content != change.before:
            mode = modes.get(change.path, Mode.FILE)
            files.append(FileChange(change.path, mode, content))
    return tuple(files)


def _content(change: Change, findings: Iterable[Finding], result: ScanResult) -> bytes:
    some = list(findings)
    edits = _edits(some)
    if not edits:
        return change.before
    everything = _edits(one for one in result.findings if one.occurrence.path == change.path)
    return change.after if edits == everything else _partly(change, some)


def _partly(change: Change, findings: Iterable[Finding]) -> bytes:
    some = list(findings)
    reader = FORMATS[some[0].occurrence.format]
    occurrences = reader.read(change.path, change.before)
    by_place = {
        one.occurrence: Wanted(one.new_digest, one.new_tag) for one in some if one.new_digest
    }
    wanted = {
        index: by_place[occurrence]
        for index, occurrence in enumerate(occurrences)
        if occurrence in by_place
    }
    plan = plan_edits(reader, change.path, change.before, occurrences, wanted)
    return apply_edits(change.before, (edit for group in plan.edits.values() for edit in group))


def _edits(findings: Iterable[Finding]) -> set[Edit]:
    return {edit for finding in findings for edit in finding.edits}
