"""Other processes that work with the same state."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from digestbot.store.location import Location

ROOT = Path(__file__).parents[2]
_BEFORE = """
import sys
from pathlib import Path
from digestbot.secret import Secret
from digestbot.store.database import Database
from digestbot.store.location import Location

folder, url, password = sys.argv[1:]
location = Location(Path(folder)) if folder else Location(None, url, Secret(password))
"""
SAYS_AND_WAITS = "print('ready', flush=True); sys.stdin.read()"


@contextmanager
def running(location: Location, script: str) -> Iterator[subprocess.Popen[str]]:
    """A process that runs a script, in which `location` is the state; killed in the end."""
    secret = location.password.reveal()
    words = [str(location.folder or ""), location.url, secret]
    with subprocess.Popen(
        [sys.executable, "-c", _BEFORE + script, *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until_ready(process: subprocess.Popen[str]) -> None:
    """Until it prints its line."""
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    assert line == "ready\n", process.stderr.read()
