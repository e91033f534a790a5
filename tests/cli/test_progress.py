"""The progress bar: on a terminal, on stderr, and nowhere else."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from digestbot.image import Digest
from tests.cli.program import ROOT, spawn
from tests.registries.fake import Answer, FakeRegistry


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[FakeRegistry]:
    """A registry that takes its time, and a Dockerfile that pins four of its images."""
    with FakeRegistry() as fake:
        names = ["a", "b", "c", "d"]
        for name in names:
            fake.local.add(f"team/{name}", "1")
        pause = threading.Event()
        fake.local.rules.append(lambda _call: _after(pause))
        old = Digest.of(b"old")
        lines = [f"FROM {fake.host}/team/{name}:1@{old}\n" for name in names]
        (tmp_path / "Dockerfile").write_text("".join(lines))
        yield fake


def _after(pause: threading.Event) -> Answer | None:
    pause.wait(0.15)
    return None


def run_on_terminal(folder: Path, *arguments: str) -> tuple[int, bytes, bytes]:
    """Exit code, stdout (a pipe), and what a person saw on stderr (a terminal)."""
    ours, theirs = pty.openpty()
    seen = bytearray()

    def read() -> None:
        try:
            while data := os.read(ours, 4096):
                seen.extend(data)
        except OSError:
            pass  # The other end is closed: all is said.

    with subprocess.Popen(
        [sys.executable, "-m", "digestbot", "scan", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        reader = threading.Thread(target=read)
        reader.start()
        stdout, _ = process.communicate(timeout=60)
        reader.join()
    os.close(ours)
    return process.returncode, stdout, bytes(seen)


def test_a_person_sees_how_far_it_is(slow: FakeRegistry, tmp_path: Path) -> None:
    code, stdout, seen = run_on_terminal(tmp_path)

    assert code == 1
    assert b"asking registries" in seen
    assert b"0/4" in seen
    assert b"asking registries" not in stdout
    assert b"\x1b" not in stdout, "stdout is a pipe"


@pytest.mark.parametrize("arguments", [("-q",), ("--offline",)])
def test_it_can_be_silenced_and_has_nothing_to_show_offline(
    slow: FakeRegistry, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    _, _, seen = run_on_terminal(tmp_path, *arguments)

    assert seen == b""


def test_a_pipe_sees_nothing_of_it(slow: FakeRegistry, tmp_path: Path) -> None:
    outcome = spawn("scan", cwd=tmp_path)

    assert outcome.code == 1
    assert outcome.stderr == ""
