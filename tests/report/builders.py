"""Findings and results with defaults, so that a test names only what it is about."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from digestbot.files.edit import Edit
from digestbot.files.occurrence import Gap, Occurrence, Pin, Skip, Steering
from digestbot.image import Digest, ImageReference
from digestbot.policy.finding import Finding, Status
from digestbot.scan.result import Problem, ScanResult

OLD = Digest("sha256", "a" * 64)
NEW = Digest("sha256", "b" * 64)
HOSTILE = "\x1b[2Jp|w`n*<b>@admin [x](http://e.vil) ##[error] %0A\r\n::error::\u202e{0}\ud800"


def make_finding(
    image: str | None = "python:3.12",
    status: Status = Status.STALE,
    *,
    path: str = "app/Dockerfile",
    line: int = 3,
    column: int = 6,
    kind: str = "from",
    written: str | None = None,
    reason: str = "",
    message: str = "",
    hint: str = "",
    edited: bool = True,
    start: int = 57,
    steering: Steering | None = None,
    refusal: Skip | None = None,
    until: datetime | None = None,
) -> Finding:
    """A finding as a scan would make it; `image` is without digest, None is no reference."""
    pinned = status not in {Status.UNPINNED, Status.FAILED} or reason == "pinned"
    if written is None:
        written = f"{image}@{OLD}" if image and pinned else image or ""
    occurrence = Occurrence(
        path=path,
        line=line,
        column=column,
        format="dockerfile",
        kind=kind,
        written=written,
        reference=ImageReference.parse(f"{image}@{OLD}" if pinned else image) if image else None,
        place=(Pin(start, start + 64) if pinned else Gap(start)) if refusal is None else None,
        refusal=refusal,
        steering=steering or Steering(),
    )
    edits = _edits(path, start, status) if edited and refusal is None else ()
    moved = edits or refusal
    return Finding(
        occurrence=occurrence,
        status=status,
        reason=reason or _REASONS[status],
        message=message or _MESSAGES[status].format(image=image),
        hint=hint,
        new_digest=NEW if moved and status in _MOVED else None,
        edits=edits,
        until=until,
    )


def make_result(
    findings: Iterable[Finding] = (),
    problems: Iterable[Problem] = (),
    *,
    files: int = 2,
    lookups: int = 2,
    duration_s: float = 0.41,
    written: Iterable[str] = (),
) -> ScanResult:
    """A result whose clock stands still."""
    return ScanResult(
        started_at=datetime(2026, 11, 21, 3, 4, 5, 678900, tzinfo=UTC),
        duration_s=duration_s,
        files=files,
        lookups=lookups,
        findings=tuple(findings),
        problems=tuple(problems),
        written=frozenset(written),
    )


def hostile_result() -> ScanResult:
    """A result in which every text that a repo or a registry can choose means harm."""
    findings = [
        make_finding(status=status, path=f"{HOSTILE}/Dockerfile", line=line, message=HOSTILE)
        for line, status in enumerate(Status, start=1)
    ]
    findings.append(
        make_finding(None, Status.SKIPPED, written=HOSTILE, message=HOSTILE, hint=HOSTILE)
    )
    problem = Problem("file", HOSTILE, HOSTILE, f"{HOSTILE} message", HOSTILE)
    return make_result(findings, [problem])


_MOVED = {Status.STALE, Status.UNPINNED}
_REASONS = {
    Status.CURRENT: "up-to-date",
    Status.STALE: "digest-moved",
    Status.UNPINNED: "no-digest",
    Status.HELD: "settling",
    Status.SKIPPED: "ignored",
    Status.FAILED: "rate-limited",
}
_MESSAGES = {
    Status.CURRENT: "{image} is what the tag has now",
    Status.STALE: f"{{image}} moved to {NEW}",
    Status.UNPINNED: "{image} names no digest",
    Status.HELD: "{image} moved two hours ago, and waits for three days",
    Status.SKIPPED: "ignored by the comment above",
    Status.FAILED: "{image}: the registry asks to wait",
}


def _edits(path: str, start: int, status: Status) -> tuple[Edit, ...]:
    if status is Status.STALE:
        return (Edit(path, start, start + 64, OLD.hex, NEW.hex),)
    if status is Status.UNPINNED:
        return (Edit(path, start, start, "", f"@{NEW}"),)
    return ()
