"""`digestbot demo`: all of it, through the real program."""

from __future__ import annotations

from pathlib import Path

from tests.cli.program import spawn


def test_the_demo_finds_shows_and_mends_and_leaves_nothing_behind(
    tmp_path: Path,
) -> None:
    outcome = spawn("demo", cwd=tmp_path, TMPDIR=str(tmp_path), DIGESTBOT_OFFLINE="1")

    assert (outcome.code, outcome.stderr) == (0, "")
    assert [line for line in outcome.stdout.splitlines() if line.startswith("(exit code")] == [
        "(exit code 1)",
        "(exit code 1)",
        "(exit code 0)",
        "(exit code 0)",
    ]
    assert "▲ stale     python:3.13-slim" in outcome.stdout
    assert "+FROM python:3.13-slim@sha256:" in outcome.stdout
    assert "✓ updated   python:3.13-slim" in outcome.stdout
    assert "2 images in 1 file: 2 current" in outcome.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_goes_wrong_says_so(tmp_path: Path) -> None:
    outcome = spawn("demo", cwd=tmp_path, PATH="/nonexistent")

    assert outcome.code == 2
    assert "the demo needs git" in outcome.stderr
