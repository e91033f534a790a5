"""What a scan found in one sentence, and what of it asks for attention."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from digestbot.policy.finding import Finding, Status
from digestbot.scan.result import ScanResult

DENIED = "denied"
_WORDS = (DENIED, "updated", "stale", "current", "unpinned", "held", "skipped", "failed")
# Annotations are shown by the dozen at most: what is unknown and what is old come first.
_IMPORTANCE = (Status.FAILED, Status.STALE, Status.UNPINNED, Status.HELD, Status.SKIPPED)
_MINUTE = 60
_TENTHS_MATTER = 10
_NOTICEABLE = 0.1


def is_written(result: ScanResult, finding: Finding) -> bool:
    """Whether the finding's edits stand in the file by now."""
    return bool(finding.edits) and all(edit.path in result.written for edit in finding.edits)


def word_for(result: ScanResult, finding: Finding) -> str:
    """The status in a word; `updated` once the edits are written, `denied` before all others."""
    if is_written(result, finding):
        return "updated"
    return DENIED if finding.is_denied else finding.status.value


def by_importance(result: ScanResult) -> list[Finding]:
    """What is not current and not put right, most important first, else in the given order.

    A pin that is on the deny list comes before all else.
    """
    waiting = [finding for finding in result.findings if needs_attention(result, finding)]
    return sorted(
        waiting, key=lambda finding: (not finding.is_denied, _IMPORTANCE.index(finding.status))
    )


def denied_first(findings: Sequence[Finding]) -> list[Finding]:
    """The findings: the repos that pin what is denied first, and in each those pins."""
    order = {repo: index for index, repo in enumerate(dict.fromkeys(f.repo for f in findings))}
    calm = order.keys() - {f.repo for f in findings if f.is_denied}
    return sorted(findings, key=lambda f: (f.repo in calm, order[f.repo], not f.is_denied))


def needs_attention(result: ScanResult, finding: Finding) -> bool:
    """Whether the finding is neither current nor put right by now."""
    return finding.status is not Status.CURRENT and not is_written(result, finding)


def sentence(result: ScanResult) -> str:
    """`3 images in 2 files: 1 stale, 2 current · 2 lookups in 0.4 s`."""
    counts = Counter(word_for(result, finding) for finding in result.findings)
    parts = ", ".join(f"{counts[word]} {word}" for word in _WORDS if counts[word])
    images = plural(len(result.findings), "image") if result.findings else "no images"
    repos = len({finding.repo for finding in result.findings if finding.repo})
    found = f"{images} in {plural(result.files, 'file')}"
    found += f" of {plural(repos, 'repo')}" if repos > 1 else ""
    asked = f"{plural(result.lookups, 'lookup')} in {duration(result.duration_s)}"
    return f"{found}: {parts} · {asked}" if parts else f"{found} · {asked}"


def plural(count: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def duration(seconds: float) -> str:
    """`40 ms`, `0.4 s`, `3 min 20 s`."""
    if seconds < _NOTICEABLE:
        return f"{seconds * 1000:.0f} ms"
    if seconds < _TENTHS_MATTER:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
