"""The command line in front of the test GitHub: its configuration, its answers, its token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from digestbot.proposals.report_contract import update_schema
from tests.cli.program import Outcome, digestbot
from tests.github.server import GitHubServer
from tests.github.state import Pull
from tests.proposals.builders import digest, dockerfile, full

STALE, CURRENT = dockerfile("python:3"), dockerfile("python:3", at=1)
BRANCH = "digestbot/images"


@dataclass
class CommandLine:
    """Runs `digestbot` as a person whose configuration file names this GitHub.

    `folder` is the working directory, and all that digestbot finds on its machine.
    """

    github: GitHubServer
    folder: Path
    digests: dict[str, object] = field(default_factory=lambda: {"python:3": 1})

    def __post_init__(self) -> None:
        self.configure()

    @property
    def options(self) -> tuple[str, ...]:
        """What every run needs: the configuration, and answers in place of registries."""
        answers = {full(image): str(digest(name)) for image, name in self.digests.items()}
        path = self.folder / "answers.json"
        path.write_text(json.dumps(answers))
        return ("--config", str(self.folder / "org.yaml"), "--digests", str(path))

    def configure(self, more: str = "", github: str = "", url: str = "") -> None:
        """Write the configuration: `more` at its top, `github` inside that section."""
        section = f"github:\n  url: {url or self.github.url}\n  rate_limits: false\n{github}"
        (self.folder / "org.yaml").write_text(f"{more}\n{section}")

    def update(self, *arguments: str) -> Outcome:
        """`digestbot update ARGUMENTS`."""
        return digestbot("update", *self.options, *arguments)

    def scan(self, *arguments: str) -> Outcome:
        """`digestbot scan ARGUMENTS`."""
        return digestbot("scan", *self.options, *arguments)

    def report(self, *arguments: str) -> dict[str, Any]:
        """What `digestbot update --format json` prints, checked against its contract."""
        parsed: dict[str, Any] = json.loads(self.update("--format", "json", *arguments).stdout)
        Draft202012Validator(update_schema()).validate(parsed)
        return parsed

    def pull(self, name: str = "acme/app") -> Pull:
        """The one open pull request of a repo."""
        (pull,) = self.github.pulls(name, "open")
        return pull

    def proposed(self, name: str, path: str = "Dockerfile") -> bytes:
        """A file as the one open pull request of a repo has it."""
        return self.github.files(name, self.pull(name).head_ref)[path]


@contextmanager
def github_cli(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandLine]:
    """A GitHub of one's own, and a machine with nothing on it but a token for it."""
    with GitHubServer() as github:
        monkeypatch.chdir(folder)
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        monkeypatch.setenv("GITHUB_TOKEN", github.token().value)
        monkeypatch.delenv("GH_TOKEN", raising=False)
        yield CommandLine(github, folder)
