"""A repo with more files than GitHub's API lists is listed by a clone without contents."""

from __future__ import annotations

from pathlib import Path

import pytest

from digestbot.forge.github import trees
from tests.cli.github_cli import BRANCH, STALE, github_cli
from tests.proposals.builders import dockerfile

NAME = "acme/huge"
FILES = {f"folder{number}/file": b"x" for number in range(8)} | {"deep/down/Dockerfile": STALE}


@pytest.fixture(autouse=True)
def _few_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "MOST_REQUESTS", 3)


def test_it_gets_its_pull_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with github_cli(tmp_path, monkeypatch) as cli:
        cli.github.tree_limit = 2
        cli.github.add_repo(NAME, FILES)

        outcome = cli.update(f"github:{NAME}")

        assert outcome.code == 0, outcome.stdout
        assert len(cli.github.pulls(NAME, "open")) == 1
        proposed = cli.github.files(NAME, BRANCH)["deep/down/Dockerfile"]
        assert proposed == dockerfile("python:3", at=1)
        assert any(one.is_git for one in cli.github.requests)


def test_a_repo_that_fits_is_not_cloned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with github_cli(tmp_path, monkeypatch) as cli:
        cli.github.add_repo("acme/small", {"Dockerfile": STALE})

        cli.update("github:acme/small")

        assert not any(one.is_git for one in cli.github.requests)


def test_nothing_of_the_clone_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with github_cli(tmp_path, monkeypatch) as cli:
        cli.github.tree_limit = 2
        cli.github.add_repo(NAME, FILES)

        cli.scan(f"github:{NAME}")

        assert list(temporary.glob("*digestbot*")) == []
