"""The whole program against Debian's docker-registry, whose own log says what it was asked."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from digestbot.image import Digest
from tests.cli.program import digestbot
from tests.registries.real import (
    PASSWORD,
    USERNAME,
    RealRegistry,
    htpasswd_registry,
    mirror_registry,
    open_registry,
    token_registry,
)
from tests.registries.samples import make_index

OLD = Digest.of(b"old")
IMAGES = [f"team/app{number}" for number in range(12)]


@pytest.fixture(autouse=True)
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    folder = tmp_path / "repo"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def pin(folder: Path, host: str, files: int = 20) -> dict[str, bytes]:
    """Many Dockerfiles that pin the same few images; returns their bytes."""
    for number in range(files):
        lines = [f"FROM {host}/{image}:1@{OLD} AS s{i}" for i, image in enumerate(IMAGES)]
        lines.append(f"COPY --from={host}/{IMAGES[number % 12]}:1@{OLD} /a /b")
        (folder / f"Dockerfile.{number}").write_text("\n".join([*lines, ""]))
    return contents(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def push_all(registry: RealRegistry) -> dict[str, Digest]:
    digests = {image: registry.push(image, "1") for image in IMAGES}
    registry.start_log()
    return digests


HEADS = Counter(f"HEAD /v2/{image}/manifests/1 200" for image in IMAGES)


@pytest.mark.parametrize("jobs", ["1", "16"])
def test_one_head_per_distinct_tag_and_nothing_else(tmp_path: Path, repo: Path, jobs: str) -> None:
    with open_registry(tmp_path / "registry") as registry:
        digests = push_all(registry)
        before = pin(repo, registry.host)

        first = digestbot("scan", "--write", "--jobs", jobs)
        calls = Counter(registry.calls())
        written = contents(repo)
        second = digestbot("scan", "--write")

    assert (first.code, second.code) == (0, 0)
    assert calls == HEADS
    assert contents(repo) == written
    for name, data in before.items():
        expected = data
        for image, digest in digests.items():
            expected = expected.replace(f"{image}:1@{OLD}".encode(), f"{image}:1@{digest}".encode())
        assert written[name] == expected


def test_one_token_per_scope_and_one_question_to_learn_of_it(tmp_path: Path, repo: Path) -> None:
    with token_registry(tmp_path / "registry") as registry:
        push_all(registry)
        pin(repo, registry.host)
        assert registry.tokens is not None
        registry.tokens.scopes.clear()

        outcome = digestbot("scan", "--jobs", "16")
        calls = Counter(registry.calls())
        scopes = Counter(registry.tokens.scopes)

    unauthorized = [call for call in calls if call.endswith(" 401")]
    assert outcome.code == 1
    assert scopes == {f"repository:{image}:pull": 1 for image in IMAGES}
    assert len(unauthorized) == calls[unauthorized[0]] == 1
    assert calls - Counter(unauthorized) == HEADS


def test_docker_logins_are_used_as_they_are(
    tmp_path: Path, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with htpasswd_registry(tmp_path / "registry") as registry:
        push_all(registry)
        pin(repo, registry.host, files=2)
        auth = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        monkeypatch.setenv(
            "DOCKER_AUTH_CONFIG", json.dumps({"auths": {registry.host: {"auth": auth}}})
        )

        outcome = digestbot("scan", "--write")
        calls = registry.calls()

    assert outcome.code == 0
    assert sum(call.endswith(" 401") for call in calls) == 1
    assert not [call for call in calls if call.startswith("GET")]


def test_a_pull_through_cache_stands_for_its_origin(tmp_path: Path, repo: Path) -> None:
    """Files pin the cache; the rule says that the origin knows best, and the files keep it."""
    with (
        open_registry(tmp_path / "origin") as origin,
        mirror_registry(tmp_path / "cache", origin) as cache,
    ):
        new = origin.push("team/app", "1")
        origin.start_log()
        cache.start_log()
        (repo / "Dockerfile").write_text(f"FROM {cache.host}/team/app:1@{OLD}\n")
        (repo / "digestbot.yaml").write_text(f"mirrors:\n  {cache.host}/: {origin.host}/\n")

        through_cache = digestbot("scan", "--no-config")
        asked_of_cache = cache.calls()
        cache.start_log()
        ruled = digestbot("scan", "--write")
        asked_by_rule = cache.calls()

    assert (through_cache.code, ruled.code) == (1, 0)
    assert asked_of_cache == ["HEAD /v2/team/app/manifests/1 200"]
    assert asked_by_rule == []
    assert (repo / "Dockerfile").read_text() == f"FROM {cache.host}/team/app:1@{new}\n"


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda host: f"FROM {host}/team/app:1\n", id="tag"),
        pytest.param(lambda host: f"FROM {host}/team/app\n", id="latest"),
    ],
)
def test_a_first_pin_is_followed_from_then_on(
    tmp_path: Path, repo: Path, write: Callable[[str], str]
) -> None:
    with open_registry(tmp_path / "registry") as registry:
        registry.push("team/app", "1")
        registry.push("team/app", "latest")
        (repo / "Dockerfile").write_text(write(registry.host))

        pinned = digestbot("scan", "--pin", "--write")
        current = digestbot("scan")
        for tag in ("1", "latest"):
            registry.push("team/app", tag, make_index("rebuilt"))
        moved = digestbot("scan")

    assert (pinned.code, current.code, moved.code) == (0, 0, 1)


def test_a_platform_comment_follows_the_image_of_that_platform(tmp_path: Path, repo: Path) -> None:
    with open_registry(tmp_path / "registry") as registry:
        index = make_index("multi", "linux/amd64", "linux/arm64")
        registry.push("team/app", "1", index)
        (repo / "Dockerfile").write_text(
            f"# digestbot: platform=linux/arm64\nFROM {registry.host}/team/app:1@{OLD}\n"
        )

        outcome = digestbot("scan", "--write")
        second = digestbot("scan")

    assert (outcome.code, second.code) == (0, 0)
    assert str(index.children[1].digest) in (repo / "Dockerfile").read_text()
