"""For every test: nobody's own settings, no terminal, no hurry."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# Machines are noisy: a slow example is not a wrong one. What CI says of a commit, it says again.
settings.register_profile("digestbot", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("digestbot")

# Where tests run in the background of a shell, Ctrl-C is switched off for all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

_FOREIGN = ("DIGESTBOT_", "DOCKER_", "GIT_", "REGISTRY_AUTH_FILE", "XDG_")
_TERMINAL = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS", "GITHUB_STEP_SUMMARY")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def nobodys_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A home of its own for each test; returns it."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN) or name in _TERMINAL or name.lower() in _PROXIES:
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    return home
