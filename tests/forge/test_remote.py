"""The forge of plain git URLs, over smart HTTP from a real git."""

from __future__ import annotations

import base64
import logging
import os
import subprocess
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from digestbot.forge.errors import ForgeError, RefusedError, UnsettledError
from digestbot.forge.git_environment import Login
from digestbot.forge.remote import RemoteForge, push_branch
from digestbot.forge.repo import LeftOut, Mode, Repo
from digestbot.forge.seal import is_ours
from digestbot.forge.sha import CommitSha
from digestbot.forge.signing import Identity, KeyFormat, Signing
from digestbot.forge.steps import ClosePull, DeleteBranch, FileChange, PushBranch
from digestbot.secret import Secret
from tests.forge.checkouts import (
    BRANCH,
    INTEREST,
    children,
    make_checkout,
    push_step,
    run_git,
    spying_git,
)
from tests.git_http import GitServer, serving_git

PASSWORD = "canary-3f9c-password"
BASIC = base64.b64encode(f"bot:{PASSWORD}".encode()).decode()
LOGIN = Login("bot", Secret(PASSWORD))


@pytest.fixture(autouse=True)
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Temporary files of the test, where it can look for them."""
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return publish(make_checkout(tmp_path / "app"))


@pytest.fixture
def server(bare: Path) -> Iterator[GitServer]:
    with serving_git(bare.parent, login=("bot", PASSWORD)) as running:
        yield running


@pytest.fixture
def forge(server: GitServer) -> Iterator[RemoteForge]:
    with closing(opened(server)) as made:
        yield made


def publish(checkout: Path) -> Path:
    served = checkout.parent / "served" / "app.git"
    run_git(checkout, "clone", "-q", "--bare", str(checkout), str(served))
    return served


def opened(server: GitServer, login: Login | None = LOGIN, timeout_s: float = 60) -> RemoteForge:
    return RemoteForge(f"{server.url}/app.git", INTEREST, login, timeout_s=timeout_s)


def the_repo(forge: RemoteForge) -> Repo:
    (repo,) = forge.repos()
    assert isinstance(repo, Repo)
    return repo


def test_a_url_is_one_repo_with_its_default_branch(bare: Path, forge: RemoteForge) -> None:
    run_git(bare, "branch", "digestbot/old")
    run_git(bare, "branch", "someone/else")

    repo = the_repo(forge)

    assert repo.name.endswith("/app.git")
    assert repo.default_branch == "main"
    assert str(repo.head) == run_git(bare, "rev-parse", "main")
    assert str(repo.tree) == run_git(bare, "rev-parse", "main^{tree}")
    assert repo.ours == ("digestbot/old",)


def test_the_files_of_interest_come_in_one_request_and_nothing_else_does(
    server: GitServer, forge: RemoteForge, temp: Path, bare: Path
) -> None:
    repo = the_repo(forge)
    entries = forge.entries(repo)
    before = len(server.requests)

    blobs = forge.blobs(repo, [entry.sha for entry in entries])

    assert [entry.path for entry in entries] == ["Dockerfile", "sub/Dockerfile"]
    assert [blobs[entry.sha] for entry in entries] == [b"FROM a\n", b"FROM b\n"]
    packs = [one for one in server.requests[before:] if one.path.endswith("upload-pack")]
    fetches = [one for one in packs if b"command=fetch" in one.body]
    assert len(fetches) == 1
    (copy,) = temp.glob("*/repo.git")
    notes = run_git(bare, "rev-parse", "main:notes")
    known = subprocess.run(
        ["git", "--git-dir", str(copy), "cat-file", "-e", notes], check=False, capture_output=True
    )
    assert known.returncode != 0


def test_what_was_fetched_is_not_fetched_again(server: GitServer, forge: RemoteForge) -> None:
    repo = the_repo(forge)
    shas = [entry.sha for entry in forge.entries(repo)]
    forge.blobs(repo, shas)
    before = len(server.requests)

    forge.blobs(repo, shas)
    forge.entries(repo)

    assert len(server.requests) == before


def test_a_server_that_cannot_leave_out_files_sends_all(tmp_path: Path, bare: Path) -> None:
    url = f"file://{bare}"
    with closing(RemoteForge(url, INTEREST, allow_file=True)) as forge:
        repo = the_repo(forge)

        blobs = forge.blobs(repo, [entry.sha for entry in forge.entries(repo)])

    assert sorted(blobs.values()) == [b"FROM a\n", b"FROM b\n"]


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_a_branch_lives_from_push_to_deletion(tmp_path: Path, kind: str) -> None:
    bare = publish(make_checkout(tmp_path / kind, kind=kind))
    with serving_git(bare.parent) as server, closing(opened(server, login=None)) as forge:
        repo = the_repo(forge)

        forge.perform(repo, push_step(repo))
        first = forge.survey(repo, [BRANCH, "digestbot/none"]).branches[BRANCH]
        forge.perform(repo, push_step(repo, b"FROM newer\n", expected=first.head))
        second = forge.survey(repo, [BRANCH]).branches[BRANCH]
        files = forge.blobs_at(repo, second.head, ["Dockerfile", "sub/Dockerfile", "gone"])
        forge.perform(repo, DeleteBranch(BRANCH, second.head))

        assert is_ours(first)
        assert is_ours(second)
        assert second.parents == (repo.head,)
        assert files == {"Dockerfile": b"FROM newer\n", "sub/Dockerfile": b"FROM b\n"}
        assert forge.survey(repo, [BRANCH]).branches == {}
        assert run_git(bare, "branch", "--list", BRANCH) == ""


@pytest.mark.parametrize("is_there", [True, False], ids=["somebody was faster", "deleted"])
def test_a_branch_that_moved_meanwhile_is_left_alone(
    bare: Path, forge: RemoteForge, is_there: bool
) -> None:
    repo = the_repo(forge)
    if is_there:
        run_git(bare, "branch", BRANCH)
    step = push_step(repo, expected=None if is_there else repo.head)

    with pytest.raises(UnsettledError) as caught:
        forge.perform(repo, step)

    assert caught.value.code == "branch-moved"
    assert bool(run_git(bare, "branch", "--list", BRANCH)) == is_there


def test_a_branch_that_moved_is_not_deleted(bare: Path, forge: RemoteForge) -> None:
    repo = the_repo(forge)
    forge.perform(repo, push_step(repo))
    assert repo.head is not None

    with pytest.raises(UnsettledError):
        forge.perform(repo, DeleteBranch(BRANCH, repo.head))

    assert run_git(bare, "branch", "--list", BRANCH)


def test_a_host_that_forbids_the_push_is_not_asked_again(bare: Path, forge: RemoteForge) -> None:
    hook = bare / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho this branch is protected >&2\nexit 1\n")
    hook.chmod(0o755)
    repo = the_repo(forge)

    with pytest.raises(RefusedError) as caught:
        forge.perform(repo, push_step(repo))

    assert caught.value.code == "push-refused"


@pytest.mark.parametrize(
    "fault, has_happened",
    [(502, False), ("drop", False), ("drop-after", True)],
    ids=["502", "cut off", "cut off after the push"],
)
def test_a_push_without_an_answer_is_unsettled(
    bare: Path, server: GitServer, forge: RemoteForge, fault: str | int, has_happened: bool
) -> None:
    repo = the_repo(forge)
    server.faults["/git-receive-pack"] = fault

    with pytest.raises(UnsettledError):
        forge.perform(repo, push_step(repo))

    assert bool(run_git(bare, "branch", "--list", BRANCH)) == has_happened


@pytest.mark.parametrize("fault", [502, "drop"])
def test_a_host_that_fails_while_it_is_read_fails_this_repo(
    server: GitServer, forge: RemoteForge, fault: str | int
) -> None:
    server.faults["info/refs"] = fault

    with pytest.raises(ForgeError) as caught:
        the_repo(forge)

    assert caught.value.code == "git-failed"


def test_a_host_that_hangs_is_given_up(server: GitServer) -> None:
    server.faults["info/refs"] = "hang"

    with closing(opened(server, timeout_s=0.5)) as forge, pytest.raises(ForgeError) as caught:
        the_repo(forge)

    assert caught.value.code == "timeout"
    assert children() == []


def test_a_password_does_not_follow_a_redirect(server: GitServer, tmp_path: Path) -> None:
    with serving_git(tmp_path / "served") as other, closing(opened(server)) as forge:
        server.faults["info/refs"] = other.url
        with pytest.raises(RefusedError) as caught:
            the_repo(forge)

        assert other.requests == []
    assert caught.value.code == "moved"


def test_a_wrong_password_is_said_without_it(
    server: GitServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "wrong-4711-secret"
    encoded = base64.b64encode(f"bot:{wrong}".encode()).decode()

    with (
        closing(opened(server, Login("bot", Secret(wrong)))) as forge,
        pytest.raises(RefusedError) as caught,
    ):
        the_repo(forge)

    told = "".join(traceback.format_exception(caught.value)) + caught.value.hint + caplog.text
    assert caught.value.code == "no-access"
    assert wrong not in told
    assert encoded not in told


def test_a_missing_repo_is_said(server: GitServer) -> None:
    url = f"{server.url}/nothing.git"

    with (
        closing(RemoteForge(url, INTEREST, LOGIN)) as forge,
        pytest.raises(RefusedError) as caught,
    ):
        the_repo(forge)

    assert caught.value.code == "not-found-or-no-access"


def test_the_secret_is_in_no_argument_file_or_log(
    forge: RemoteForge,
    tmp_path: Path,
    temp: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    log = spying_git(tmp_path)
    monkeypatch.setenv("PATH", f"{log.parent / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("GITHUB_TOKEN", "another-secret")
    repo = the_repo(forge)
    forge.blobs(repo, [entry.sha for entry in forge.entries(repo)])

    forge.perform(repo, push_step(repo))

    spied = log.read_text().splitlines()
    arguments = [line for line in spied if line.startswith("ARG ")]
    assert "ARG push" in arguments
    assert not any(PASSWORD in line or BASIC in line for line in arguments)
    assert not any("another-secret" in line for line in spied)
    assert any(BASIC in line for line in spied)
    files = [path for path in temp.rglob("*") if path.is_file()]
    assert files
    assert not any(BASIC.encode() in path.read_bytes() for path in files)
    assert not any(PASSWORD.encode() in path.read_bytes() for path in files)
    assert PASSWORD not in caplog.text
    assert BASIC not in caplog.text


def test_local_commands_do_not_get_to_know_the_secret(
    forge: RemoteForge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = the_repo(forge)
    log = spying_git(tmp_path)
    monkeypatch.setenv("PATH", f"{log.parent / 'bin'}:{os.environ['PATH']}")

    forge.entries(repo)

    assert "ARG ls-tree" in log.read_text()
    assert BASIC not in log.read_text()


def test_the_copy_is_ours_alone_and_goes_in_the_end(server: GitServer, temp: Path) -> None:
    forge = opened(server)
    the_repo(forge)
    (folder,) = temp.iterdir()
    mode = folder.stat().st_mode & 0o777

    forge.close()

    assert mode == 0o700
    assert list(temp.iterdir()) == []


def test_a_branch_is_pushed_without_a_forge(bare: Path, server: GitServer, temp: Path) -> None:
    head = CommitSha.parse(run_git(bare, "rev-parse", "main"))
    files = (FileChange("Dockerfile", Mode.FILE, b"FROM new\n"),)
    step = PushBranch(BRANCH, head, None, files, "Update", "0" * 16)
    bea = Identity("Bea", "bea@example.com")

    push_branch(f"{server.url}/app.git", LOGIN, step, identity=bea)

    assert run_git(bare, "show", f"{BRANCH}:Dockerfile") == "FROM new"
    assert run_git(bare, "log", "-1", "--format=%an %ce", BRANCH) == "Bea bea@example.com"
    assert run_git(bare, "rev-parse", f"{BRANCH}^") == str(head)
    assert list(temp.iterdir()) == []


def test_a_pushed_commit_is_signed(bare: Path, server: GitServer, tmp_path: Path) -> None:
    key = tmp_path / "key"
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    subprocess.run(words, check=True)
    allowed = tmp_path / "allowed"
    allowed.write_text(f"bea@example.com {key.with_suffix('.pub').read_text()}")
    head = CommitSha.parse(run_git(bare, "rev-parse", "main"))
    files = (FileChange("Dockerfile", Mode.FILE, b"FROM new\n"),)
    step = PushBranch(BRANCH, head, None, files, "Update", "0" * 16)
    signing = Signing(KeyFormat.SSH, str(key))

    push_branch(f"{server.url}/app.git", LOGIN, step, signing=signing)

    run_git(bare, "-c", f"gpg.ssh.allowedSignersFile={allowed}", "verify-commit", BRANCH)


def test_a_push_that_fails_leaves_no_copy(server: GitServer, temp: Path, bare: Path) -> None:
    gone = CommitSha.parse("1" * 40)
    files = (FileChange("Dockerfile", Mode.FILE, b"x"),)

    with pytest.raises(ForgeError):
        push_branch(
            f"{server.url}/app.git",
            LOGIN,
            PushBranch(BRANCH, gone, None, files, "x", "0" * 16),
        )

    assert list(temp.iterdir()) == []


def test_a_repo_without_commits_has_no_head(tmp_path: Path) -> None:
    (tmp_path / "served/app.git").mkdir(parents=True)
    run_git(tmp_path / "served/app.git", "init", "-q", "--bare")

    with (
        serving_git(tmp_path / "served") as server,
        closing(opened(server, login=None)) as forge,
    ):
        repo = the_repo(forge)

        assert (repo.head, repo.tree) == (None, None)
        assert forge.entries(repo) == ()
        assert forge.blobs(repo, []) == {}


def test_a_repo_whose_head_leads_nowhere_is_left_out(bare: Path, forge: RemoteForge) -> None:
    run_git(bare, "symbolic-ref", "HEAD", "refs/heads/none")

    (left,) = forge.repos()

    assert isinstance(left, LeftOut)
    assert left.reason == "no-default-branch"


def test_other_steps_are_refused(forge: RemoteForge) -> None:
    repo = the_repo(forge)

    with pytest.raises(RefusedError) as caught:
        forge.perform(repo, ClosePull(1, ""))

    assert caught.value.code == "no-pulls"


def test_many_repos_leave_no_process_and_no_open_file(server: GitServer) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))

    for _ in range(5):
        with closing(opened(server)) as forge:
            the_repo(forge)

    assert children() == []
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
