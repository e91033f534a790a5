from __future__ import annotations

import pytest

from digestbot.registry.message import Response
from digestbot.registry.notes import MAX_WARNINGS, HostNotes, Quota, read_quota, read_warning


@pytest.mark.parametrize(
    "limit, remaining, quota",
    [
        ("100;w=21600", "20;w=21600", Quota(100, 20, 21600)),
        ("100", "20", Quota(100, 20, 0)),
        ("100;w=21600", "", None),
        ("many", "few", None),
        ("-1", "5", None),
    ],
    ids=["hub", "no-window", "half", "words", "negative"],
)
def test_quota_is_read(limit: str, remaining: str, quota: Quota | None) -> None:
    headers = (("ratelimit-limit", limit), ("ratelimit-remaining", remaining))

    assert read_quota(Response(200, headers)) == quota


@pytest.mark.parametrize(
    "line, text",
    [
        ('299 - "use another host"', "use another host"),
        ('299 r.example "old\x1b[0m"', "old [0m"),
        ('199 - "something else"', ""),
        ("299 - unquoted", ""),
        ("", ""),
    ],
    ids=["dash", "agent", "other-code", "unquoted", "empty"],
)
def test_warning_is_read(line: str, text: str) -> None:
    assert read_warning(line) == text


def test_warnings_are_kept_once_and_not_without_end() -> None:
    notes = HostNotes()

    for n in [1, 1, *range(100)]:
        notes.add(Response(200, (("warning", f'299 - "number {n}"'),)))

    assert notes.warnings[:2] == ["number 1", "number 0"]
    assert len(notes.warnings) == MAX_WARNINGS
