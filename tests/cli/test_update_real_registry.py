"""From a real registry to pull requests on the test GitHub: what is asked, what is said."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from digestbot.image import Digest
from tests.cli.program import Outcome, digestbot
from tests.github.server import GitHubServer
from tests.registries.real import RealRegistry, open_registry
from tests.registries.samples import make_image, make_index

REPOS = [f"acme/app{number}" for number in range(5)]
PROPOSED_ALL_THE_SAME = "hold: {lost_platforms: false}\n"
BOTH = ("linux/amd64", "linux/arm64")


@pytest.fixture(autouse=True)
def _surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def update(
    github: GitHubServer, monkeypatch: pytest.MonkeyPatch, *options: str, config: str = ""
) -> Outcome:
    monkeypatch.setenv("GITHUB_TOKEN", github.token().value)
    config += f"github: {{url: '{github.url}', rate_limits: false}}\n"
    Path("config.yaml").write_text(config)
    return digestbot("update", "github:acme", "--config", "config.yaml", *options)


def add_repos(github: GitHubServer, image: str, pinned: Digest) -> None:
    for name in REPOS:
        github.add_repo(name, {"Dockerfile": f"FROM {image}@{pinned}\n"})


def body_of(github: GitHubServer, name: str) -> str:
    (pull,) = github.pulls(name, "open")
    return pull.body or ""


def asked(registry: RealRegistry) -> Counter[str]:
    """How often each kind of thing was asked for: `HEAD manifests`."""
    calls = (call.split() for call in registry.calls())
    return Counter(f"{method} {path.split('/')[-2]}" for method, path, _status in calls)


def test_one_head_for_all_repos_and_evidence_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_registry(tmp_path / "registry") as registry, GitHubServer() as github:
        old = registry.push("team/base", "1", make_index("old"))
        new = registry.push("team/base", "1", make_index("new"))
        add_repos(github, f"{registry.host}/team/base:1", old)
        registry.start_log()

        first = update(github, monkeypatch)
        once = asked(registry)
        registry.start_log()
        second = update(github, monkeypatch)

        assert (first.code, second.code) == (0, 0), first.stdout
        # Old and new: an index, an image of it and its configuration each.
        assert once == {"HEAD manifests": 1, "GET manifests": 4, "GET blobs": 2}
        # Whether a platform was lost.
        assert asked(registry) == {"HEAD manifests": 1, "GET manifests": 2}
        for name in REPOS:
            assert new.short in body_of(github, name)
        assert "5 unchanged" in second.stdout


def test_a_lost_platform_is_the_first_thing_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_registry(tmp_path / "registry") as registry, GitHubServer() as github:
        old = registry.push("team/base", "1", make_index("old", *BOTH))
        registry.push("team/base", "1", make_index("new", BOTH[0]))
        add_repos(github, f"{registry.host}/team/base:1", old)

        held = update(github, monkeypatch)
        opened = [len(github.pulls(name, "open")) for name in REPOS]
        update(github, monkeypatch, config=PROPOSED_ALL_THE_SAME)

        assert (held.code, opened) == (0, [0] * len(REPOS))
        body = body_of(github, REPOS[0])
        assert body.index("linux/arm64") < body.index("| Image |")
        assert "[!WARNING]" in body


def test_an_index_that_became_a_single_image_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_registry(tmp_path / "registry") as registry, GitHubServer() as github:
        old = registry.push("team/base", "1", make_index("old", *BOTH))
        registry.push("team/base", "1", make_image("new"))
        add_repos(github, f"{registry.host}/team/base:1", old)

        update(github, monkeypatch)
        opened = [len(github.pulls(name, "open")) for name in REPOS]
        update(github, monkeypatch, config=PROPOSED_ALL_THE_SAME)

        assert opened == [0] * len(REPOS)
        assert "[!WARNING]" in body_of(github, REPOS[0])


def test_a_pinned_digest_that_the_registry_lost_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_registry(tmp_path / "registry") as registry, GitHubServer() as github:
        registry.push("team/base", "1")
        add_repos(github, f"{registry.host}/team/base:1", Digest.of(b"gone"))

        outcome = update(github, monkeypatch, "--format", "json")

        document = json.loads(outcome.stdout)
        assert document["summary"]["outcomes"] == {"opened": len(REPOS)}
        assert Digest.of(b"gone").short in body_of(github, REPOS[0])


def test_a_registry_that_is_gone_opens_nothing_and_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_registry(tmp_path / "registry") as registry:
        host = registry.host
    with GitHubServer() as github:
        add_repos(github, f"{host}/team/base:1", Digest.of(b"old"))

        outcome = update(github, monkeypatch)

        assert outcome.code == 5
        assert outcome.stdout.count("connect") == 1, outcome.stdout
        assert [pull for name in REPOS for pull in github.pulls(name)] == []
