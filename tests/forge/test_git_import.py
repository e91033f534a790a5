"""How git is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from digestbot.forge.errors import RefusedError
from digestbot.forge.git_import import load_git

IMPORTING = """
import os
from digestbot.forge.git_import import load_git
before = dict(os.environ)
load_git()
assert dict(os.environ) == before
"""


def test_importing_starts_nothing_and_leaves_the_environment_as_it_was(tmp_path: Path) -> None:
    mark, program = tmp_path / "mark", tmp_path / "git"
    program.write_text(f"#!/bin/sh\ntouch {mark}\necho git version 2.40.0\n")
    program.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.defpath}", "GIT_PYTHON_REFRESH": "raise"}

    subprocess.run([sys.executable, "-c", IMPORTING], env=environment, check=True)

    assert not mark.exists()


def test_a_machine_without_git_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(RefusedError) as refused:
        load_git()

    assert (refused.value.code, "install git" in refused.value.hint) == ("no-git", True)
