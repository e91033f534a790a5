"""The commands that work on a fleet: their configuration, their state, a GitHub in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from digestbot.cli import serving
from digestbot.cli.forges import ForgeOptions
from digestbot.cli.targets import Target
from digestbot.proposals.report_contract import update_schema
from digestbot.store.database import Database
from digestbot.store.location import Location
from tests.cli.program import Outcome, digestbot
from tests.proposals.builders import digest, dockerfile, full
from tests.proposals.memory import MemoryForge, MemoryRepo

QUICK = {"hold": {"settle": "0s"}}


def repo(name: str = "acme/app", *images: str, at: object = 0, **files: str) -> MemoryRepo:
    """A repo that pins python:3, or these images, at their digest of a name."""
    content = {"Dockerfile": dockerfile(*(images or ("python:3",)), at=at)}
    return MemoryRepo.of(content | {path: text.encode() for path, text in files.items()}, name)


@dataclass
class Fleet:
    """Repos on a GitHub in memory; `digests` is what each tag has now, as a name of a digest."""

    folder: Path
    forge: MemoryForge
    digests: dict[str, object] = field(default_factory=lambda: {"python:3": 1})

    @property
    def config(self) -> Path:
        return self.folder / "org.yaml"

    @property
    def answers(self) -> Path:
        return self.folder / "answers.json"

    def configure(self, **keys: object) -> None:
        """Write the configuration: a target and a state, and `keys` on top of them."""
        named = {"targets": ["github:acme"], "state": {"folder": "state"}} | QUICK | keys
        self.config.write_text(json.dumps({key: one for key, one in named.items() if one}))

    def record(self) -> None:
        """Write what registries would answer."""
        found = {full(image): str(digest(name)) for image, name in self.digests.items()}
        self.answers.write_text(json.dumps(found))

    def run(self, *words: str) -> Outcome:
        """`digestbot run`, as a person whose configuration names this fleet."""
        self.record()
        named = ("--config", str(self.config), "--digests", str(self.answers))
        return digestbot("run", *named, *words)

    def report(self, *words: str) -> dict[str, Any]:
        """What `digestbot run --format json` prints, checked against its contract."""
        found: dict[str, Any] = json.loads(self.run("--format", "json", *words).stdout)
        Draft202012Validator(update_schema()).validate(found)
        return found

    def pulls(self) -> int:
        """How many pull requests are open."""
        return sum(len(one.open_pulls()) for one in self.forge.rooms.values())

    @contextmanager
    def state(self) -> Iterator[Database]:
        """The state, as another process would see it."""
        with closing(Database.open(Location(self.folder / "state"))) as database:
            yield database


def log_of(text: str) -> list[dict[str, Any]]:
    """The lines of a log for programs; each of them is an object."""
    return [json.loads(line) for line in text.splitlines()]


def make_fleet(folder: Path, monkeypatch: pytest.MonkeyPatch, *repos: MemoryRepo) -> Fleet:
    """A fleet of these repos on a machine that has no token, no cache and no configuration."""
    monkeypatch.chdir(folder)
    for name in ("GH_TOKEN", "GITHUB_TOKEN", "DIGESTBOT_DIGESTS", "DIGESTBOT_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    fleet = Fleet(folder, MemoryForge.of(*repos))
    fleet.configure()

    def open_forge(_target: Target, _options: ForgeOptions) -> MemoryForge:
        return fleet.forge

    monkeypatch.setattr(serving, "open_forge", open_forge)
    return fleet
