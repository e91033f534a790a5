"""The import of git: late, and without telling it anything."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from digestbot.forge.errors import RefusedError

if TYPE_CHECKING:
    from digestbot.forge.git import GitFolder

# GitPython tries git while it is imported, with every variable there is, tokens among them.
# It finds none, and says nothing; each command of ours names its own.
_UNTRIED = {"GIT_PYTHON_REFRESH": "quiet", "GIT_PYTHON_GIT_EXECUTABLE": "/nonexistent/git"}
_lock = threading.Lock()


def load_git() -> type[GitFolder]:
    """Git, which is imported by those who need it only.

    Raises:
        RefusedError: It is not installed.
    """
    try:
        with _lock, _untried():
            from digestbot.forge.git import GitFolder  # noqa: PLC0415 - imports GitPython
    except ImportError as error:
        raise _missing() from error
    if shutil.which("git") is None:
        raise _missing()
    return GitFolder


def _missing() -> RefusedError:
    return RefusedError(
        "git or GitPython is not installed",
        code="no-git",
        hint="install git, and `pip install 'digestbot[forge]'`",
    )


@contextmanager
def _untried() -> Iterator[None]:
    if "git" in sys.modules:
        yield
        return
    before = {name: os.environ.get(name) for name in _UNTRIED}
    os.environ.update(_UNTRIED)
    try:
        yield
    finally:
        for name, value in before.items():
            del os.environ[name]
            if value is not None:
                os.environ[name] = value
