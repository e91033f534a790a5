"""Git's operations, where they end badly; the forges' own tests show the rest."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import pytest

from digestbot.forge import git as git_room
from digestbot.forge.errors import ForgeError, RefusedError, UnsettledError
from digestbot.forge.git import GitFolder
from digestbot.forge.git_environment import Login, abroad, at_home, foreign_names
from digestbot.forge.git_failure import failure
from digestbot.forge.git_output import as_text
from digestbot.forge.git_url import GitUrl
from digestbot.forge.sha import ObjectSha
from digestbot.secret import Secret
from tests.forge.checkouts import children, make_checkout, run_git


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return make_checkout(tmp_path / "app")


def test_a_command_that_does_not_end_is_killed(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nsleep 1000\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")

    with pytest.raises(ForgeError) as caught:
        GitFolder(checkout, at_home(), timeout_s=0.3).ask("status")

    assert caught.value.code == "timeout"
    assert children() == []


def test_no_more_output_is_kept_than_there_is_room_for(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_room, "_MAX_OUTPUT", 10)

    with pytest.raises(RefusedError) as caught:
        GitFolder(checkout, at_home()).ask("ls-tree", "-r", "HEAD")

    assert caught.value.code == "too-large"


def test_a_huge_blob_is_not_read(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_room, "MAX_BLOB", 6)
    small = ObjectSha.parse(run_git(checkout, "rev-parse", "HEAD:notes"))
    large = ObjectSha.parse(run_git(checkout, "rev-parse", "HEAD:Dockerfile"))

    found = GitFolder(checkout, at_home()).blobs([small, large, ObjectSha.parse("1" * 40)])

    assert found == {small: b"hello\n"}


def test_bytes_that_do_not_fit_their_name_are_refused(checkout: Path) -> None:
    sha = run_git(checkout, "rev-parse", "HEAD:notes")
    place = checkout / ".git/objects" / sha[:2] / sha[2:]
    place.chmod(0o644)
    place.write_bytes(zlib.compress(b"blob 6\0HELLO\n"))

    with pytest.raises(ForgeError):
        GitFolder(checkout, at_home()).blobs([ObjectSha.parse(sha)])


def test_what_stands_in_for_an_object_does_not_count(checkout: Path) -> None:
    real = run_git(checkout, "rev-parse", "HEAD:notes")
    run_git(checkout, "replace", real, run_git(checkout, "rev-parse", "HEAD:Dockerfile"))
    sha = ObjectSha.parse(real)

    assert GitFolder(checkout, at_home()).blobs([sha]) == {sha: b"hello\n"}


def test_a_child_gets_to_know_no_variable_it_has_no_need_of() -> None:
    environment = {"PATH": "/bin", "GITHUB_TOKEN": "x", "GIT_DIR": "/evil", "GIT_SSH": "/evil"}

    names = foreign_names(environment, at_home().variables)

    assert names == ["GITHUB_TOKEN", "GIT_DIR", "GIT_SSH"]


@pytest.mark.parametrize(
    "url, sees",
    [
        ("https://example.com/a.git", True),
        ("http://127.0.0.1:8000/a.git", True),
        ("ssh://git@example.com/a.git", False),
    ],
)
def test_a_password_is_for_one_host_by_http(url: str, sees: bool) -> None:
    parsed = GitUrl.parse(url)

    around = abroad(parsed, Login("me", Secret("hidden")))

    assert (f"http.{parsed.origin}/.extraHeader" in around.variables.values()) == sees
    assert around.variables["GIT_ALLOW_PROTOCOL"] == parsed.protocol
    assert bool(around.secrets) == sees


def test_secrets_are_not_shown_with_the_surroundings() -> None:
    around = abroad(GitUrl.parse("https://example.com/a"), Login("me", Secret("hidden")))

    assert "hidden" not in repr(around)
    assert "bWU6aGlkZGVu" not in repr(around)


@pytest.mark.parametrize(
    "said, kind, code",
    [
        ("fatal: detected dubious ownership in repository at '/x'", RefusedError, "foreign-owner"),
        ("fatal: not a git repository (or any parent)", RefusedError, "not-a-repo"),
        ("fatal: Authentication failed for 'https://x/'", RefusedError, "no-access"),
        ("git@x: Permission denied (publickey).", RefusedError, "no-access"),
        ("Host key verification failed.", RefusedError, "no-access"),
        ("fatal: repository 'x' not found", RefusedError, "not-found-or-no-access"),
        ("error: gpg failed to sign the data", RefusedError, "signing-failed"),
        ('Load key "k": incorrect passphrase supplied', RefusedError, "signing-failed"),
        ("! [rejected] x -> x (stale info)", UnsettledError, "branch-moved"),
        ("fatal: Unable to create '/x.lock': File exists.", UnsettledError, "branch-moved"),
        ("! [remote rejected] x (protected branch hook declined)", RefusedError, "push-refused"),
        ("fatal: unable to access 'x': error: 502", ForgeError, "git-failed"),
        ("", ForgeError, "git-failed"),
    ],
)
def test_what_git_says_has_a_meaning(said: str, kind: type[ForgeError], code: str) -> None:
    error = failure(said)

    assert type(error) is kind
    assert error.code == code


def test_a_complaint_is_one_short_line_without_secrets() -> None:
    said = "hint: x\nremote: fatal: no \x1b[31mtoken-1\x07 " + "y" * 1000

    error = failure(said, ["token-1", ""])

    assert str(error).startswith("git: no  [31m***")
    assert str(error).isprintable()
    assert len(str(error)) < 320


def test_a_scan_does_not_import_git() -> None:
    code = (
        "import sys, digestbot.forge.local, digestbot.forge.remote;"
        "sys.exit('git' in sys.modules or 'digestbot.forge.git' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], check=False)

    assert done.returncode == 0


def test_of_a_tree_that_holds_itself_many_times_only_what_matters_is_kept(
    checkout: Path,
) -> None:
    folder = GitFolder(checkout, at_home())
    entry, levels = f"100644 blob {run_git(checkout, 'rev-parse', 'HEAD:Dockerfile')}", 4
    for _ in range(levels):
        listed = "".join(f"{entry}\t{number}\n" for number in range(10))
        tree = as_text(folder.ask("mktree", stdin=listed.encode())).strip()
        entry = f"040000 tree {tree}"

    tracemalloc.start()
    try:
        paths = [one.path for one in folder.entries(ObjectSha.parse(tree)) if one.path == "7/7/7/7"]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    size = len(folder.ask("ls-tree", "-r", "-z", tree))
    assert paths == ["7/7/7/7"]
    assert peak < 3 * size
