from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from digestbot.config.issues import ConfigError
from digestbot.config.load import load_settings

Write = Callable[[str | bytes], Path]
Complaints = Callable[[str | bytes], list[str]]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes `digestbot.yaml` into a folder that is the working directory."""
    monkeypatch.chdir(tmp_path)

    def write_text(content: str | bytes) -> Path:
        path = Path("digestbot.yaml")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_text


@pytest.fixture
def complaints(write: Write) -> Complaints:
    """The lines that loading this text prints, without the name of the file before them."""

    def complain(content: str | bytes) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load_settings(write(content))
        lines = str(caught.value).split("\n")
        assert all(line.startswith("digestbot.yaml:") for line in lines)
        return [line.removeprefix("digestbot.yaml:") for line in lines]

    return complain
