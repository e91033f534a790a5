from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

import pytest

from tests.github.server import GitHubServer
from tests.github.state import Token


def git(
    *words: str, token: Token | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ann",
        "GIT_AUTHOR_EMAIL": "ann@example.org",
        "GIT_COMMITTER_NAME": "Ann",
        "GIT_COMMITTER_EMAIL": "ann@example.org",
    }
    if token is not None:
        login = base64.b64encode(f"x-access-token:{token.value}".encode()).decode()
        environment |= {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "http.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {login}",
        }
    return subprocess.run(
        ["git", *words], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def clone(github: GitHubServer, tmp_path: Path) -> Path:
    told = git("clone", "-q", f"{github.url}/acme/app.git", str(tmp_path / "app"))
    assert told.returncode == 0, told.stderr
    return tmp_path / "app"


def push(clone: Path, ref: str, token: Token | None) -> subprocess.CompletedProcess[str]:
    (clone / "Dockerfile").write_text("FROM python:3.13\n")
    git("commit", "-qam", "Change", cwd=clone)
    return git("push", "-q", "origin", f"HEAD:{ref}", token=token, cwd=clone)


def test_a_public_repo_is_cloned_without_a_token(clone: Path) -> None:
    assert (clone / "Dockerfile").read_text() == "FROM python:3.12\n"


@pytest.mark.parametrize(
    "has_token", [pytest.param(True, id="with one"), pytest.param(False, id="without")]
)
def test_a_private_repo_wants_a_token(
    github: GitHubServer, tmp_path: Path, has_token: bool
) -> None:
    github.add_repo("acme/secret", private=True)
    token = github.token() if has_token else None

    told = git("clone", "-q", f"{github.url}/acme/secret", str(tmp_path / "s"), token=token)

    assert (told.returncode == 0) is has_token
    assert any(one.is_git for one in github.requests)


def test_a_partial_clone_brings_what_is_asked_for(github: GitHubServer, tmp_path: Path) -> None:
    github.commit("acme/app", "main", {"big": b"x" * 100_000})
    words = ["--depth=1", "--filter=blob:none", "--no-checkout"]

    told = git("clone", "-q", *words, f"{github.url}/acme/app", str(tmp_path / "p"))
    missing = git("rev-list", "--objects", "--missing=print", "HEAD", cwd=tmp_path / "p")

    assert told.returncode == 0
    assert sum(line.startswith("?") for line in missing.stdout.splitlines()) == 2


def test_a_push_is_seen_by_the_api(github: GitHubServer, clone: Path) -> None:
    pull = github.open_pull("acme/app", "work", {"a": "b"})
    git("fetch", "-q", "origin", "work", cwd=clone)
    git("checkout", "-q", "FETCH_HEAD", cwd=clone)

    told = push(clone, "refs/heads/work", github.token())

    assert told.returncode == 0, told.stderr
    assert github.files("acme/app", "work")["Dockerfile"] == b"FROM python:3.13\n"
    assert pull.head == github.branches("acme/app")["work"]
    assert [one.is_git for one in github.writes] == [True]


@pytest.mark.parametrize("who", ["nobody", "reader", "revoked"])
def test_a_push_needs_permission(github: GitHubServer, clone: Path, who: str) -> None:
    github.repo("acme/app").permissions["reader"] = "READ"
    token = None if who == "nobody" else github.token(who)
    if who == "revoked" and token:
        github.revoke(token)

    told = push(clone, "refs/heads/work", token)

    assert told.returncode != 0
    assert "work" not in github.branches("acme/app")


def test_an_archived_repo_takes_no_push(github: GitHubServer, clone: Path) -> None:
    github.repo("acme/app").archived = True

    told = push(clone, "refs/heads/work", github.token())

    assert told.returncode != 0


def test_a_push_can_fail_after_it_happened(github: GitHubServer, clone: Path) -> None:
    github.faults.add("502-after", path="*/git-receive-pack")

    told = push(clone, "refs/heads/work", github.token())

    assert told.returncode != 0
    assert "work" in github.branches("acme/app")


def test_a_packed_repo_is_read_like_any_other(github: GitHubServer) -> None:
    repo = github.repo("acme/app")
    for number in range(3):
        github.commit("acme/app", "work", {"n": str(number)})
    repo.git.git("gc", "-q", "--prune=now")
    repo.git.objects._known.clear()

    assert github.branches("acme/app").keys() == {"main", "work"}
    assert github.files("acme/app", "work")["n"] == b"2"
    github.delete_branch("acme/app", "work")
    assert github.branches("acme/app").keys() == {"main"}
