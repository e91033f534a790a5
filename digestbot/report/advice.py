"""What to do next, in commands that can be copied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from digestbot.files.edit import Edit
from digestbot.files.occurrence import Gap
from digestbot.policy.finding import Finding, Status
from digestbot.report.summary import is_written, plural
from digestbot.scan.result import ScanResult


@dataclass(frozen=True, slots=True)
class Step:
    """A command, and what it would do."""

    command: str
    effect: str


def next_steps(result: ScanResult, command: str) -> Iterator[Step]:
    """The steps that would put right what can be; none when there is nothing to do."""
    if any(finding.repo for finding in result.findings):
        yield from _steps_for_repos(result, command)
        return
    # What came from standard input can only be shown.
    can_write = "-" not in command.split()
    waiting = [finding for finding in result.findings if not is_written(result, finding)]
    edits = {edit for finding in waiting for edit in finding.edits}
    if edits:
        pins = any(edit.start == edit.end for edit in edits)
        again = f"{command} --pin" if pins and "--pin" not in command else command
        yield Step(f"{again} --diff", "shows the change")
        if can_write:
            yield Step(f"{again} --write", _effect(edits))
    pinnable = sum(map(_could_be_pinned, waiting))
    if pinnable:
        more = " more" if edits else ""
        effect = f"pins {plural(pinnable, f'{more} image'.strip())}"
        yield Step(f"{command} --pin {'--write' if can_write else '--diff'}", effect)


def _steps_for_repos(result: ScanResult, command: str) -> Iterator[Step]:
    """What is on a forge is not written to: it is proposed."""
    digests = {(finding.repo, edit) for finding in result.findings for edit in finding.edits}
    if digests:
        repos = plural(len({repo for repo, _ in digests}), "repo")
        update = command.replace("digestbot scan", "digestbot update", 1)
        yield Step(f"{command} --diff", "shows the change")
        yield Step(update, f"proposes {plural(len(digests), 'digest')} in {repos}")


def _effect(edits: set[Edit]) -> str:
    moved = sum(edit.end > edit.start for edit in edits)
    parts = [f"updates {plural(moved, 'digest')}"] if moved else []
    if moved < len(edits):
        parts.append(f"pins {plural(len(edits) - moved, 'image')}")
    files = plural(len({edit.path for edit in edits}), "file")
    return f"{' and '.join(parts)} in {files}"


def _could_be_pinned(finding: Finding) -> bool:
    """Whether `--pin` would make an edit: it was not given, and there is a place for it."""
    return (
        finding.status is Status.UNPINNED
        and finding.new_digest is None
        and finding.occurrence.refusal is None
        and isinstance(finding.occurrence.place, Gap)
    )
