"""Running the program: in this process, as a person would from a shell."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from digestbot.cli.main import run

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    """What a run left behind."""

    code: int
    stdout: str
    stderr: str


class _Stream(io.TextIOWrapper):
    """A text stream over bytes, as sys.stdout is; not a terminal."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def text(self) -> str:
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode()


def digestbot(*arguments: str, stdin: bytes = b"") -> Outcome:
    """Run `digestbot ARGUMENTS` in this process."""
    out, err = _Stream(), _Stream()
    given = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    with redirect_stdout(out), redirect_stderr(err), mock.patch.object(sys, "stdin", given):
        code = run(arguments)
    return Outcome(code, out.text(), err.text())


def start(*arguments: str, cwd: Path, **environment: str) -> subprocess.Popen[str]:
    """Start `digestbot ARGUMENTS` as a process of its own; both streams are pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", "digestbot", *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def spawn(*arguments: str, cwd: Path, **environment: str) -> Outcome:
    """Run `digestbot ARGUMENTS` as a process of its own."""
    with start(*arguments, cwd=cwd, **environment) as process:
        stdout, stderr = process.communicate(timeout=60)
    return Outcome(process.returncode, stdout, stderr)
