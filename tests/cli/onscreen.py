"""`digestbot` at a terminal: what a person sees, and what they type."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.cli.program import ROOT

_LIMIT_S = 30
# Ctrl-C goes to whoever the terminal belongs to; who starts tests may have had it ignored.
_OWN = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, "-m", "digestbot", *sys.argv[1:]])
"""
_INK = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Screen:
    """A program with a terminal on all of its streams; `seen` is what it wrote."""

    process: subprocess.Popen[bytes]
    terminal: int
    seen: str = ""
    _bytes: bytearray = field(default_factory=bytearray)

    def until(self, text: str, times: int = 1) -> Self:
        """Read until the text was seen so often, in whatever colours."""
        while self.text.count(text) < times:
            if not self._read():
                raise AssertionError(f"{text!r} was not seen {times} times: {self.seen!r}")
        return self

    @property
    def text(self) -> str:
        """What was seen, whatever its colours."""
        return _INK.sub("", self.seen)

    def type(self, text: str) -> None:
        """Type; `\\x03` is Ctrl-C."""
        os.write(self.terminal, text.encode())

    def ended(self) -> int:
        """Read to the end; the exit code."""
        while self._read():
            pass
        return self.process.wait(timeout=_LIMIT_S)

    def _read(self) -> bool:
        ready, _, _ = select.select([self.terminal], [], [], _LIMIT_S)
        try:
            data = os.read(self.terminal, 4096) if ready else b""
        except OSError:
            data = b""  # The other end is closed: all is said.
        self._bytes += data
        self.seen = self._bytes.decode(errors="replace")
        return bool(data)


@contextmanager
def on_screen(
    *arguments: str, cwd: Path, lines: int = 50, columns: int = 80, **environment: str
) -> Iterator[Screen]:
    """Start `digestbot ARGUMENTS` at a terminal of its own; it is ended with the block."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    known = {key: value for key, value in os.environ.items() if key not in {"LINES", "COLUMNS"}}
    process = subprocess.Popen(
        [sys.executable, "-c", _OWN, *arguments],
        cwd=cwd,
        env=known | {"PYTHONPATH": str(ROOT), "TERM": "xterm"} | environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Screen(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
