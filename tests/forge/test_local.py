"""The local forge, on real checkouts."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from digestbot.forge import git_environment
from digestbot.forge.errors import ForgeError, RefusedError, UnsettledError
from digestbot.forge.local import LocalForge, open_checkout
from digestbot.forge.repo import LeftOut, Mode, Repo
from digestbot.forge.seal import is_ours
from digestbot.forge.sha import CommitSha
from digestbot.forge.signing import KeyFormat, Signing
from digestbot.forge.steps import ClosePull, DeleteBranch, FileChange, PushBranch
from tests.forge.checkouts import (
    BRANCH,
    INTEREST,
    canary,
    children,
    make_checkout,
    name_a_person,
    push_step,
    run_git,
    state_of,
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = make_checkout(tmp_path / "app")
    name_a_person(folder)
    return folder


def opened(folder: Path) -> tuple[LocalForge, Repo]:
    forge = LocalForge(str(folder), INTEREST)
    (repo,) = forge.repos()
    assert isinstance(repo, Repo)
    return forge, repo


def test_a_checkout_is_one_repo_with_its_branch_and_commit(checkout: Path) -> None:
    run_git(checkout, "branch", "digestbot/old")
    run_git(checkout, "branch", "someone/else")

    _, repo = opened(checkout)

    assert repo.name == str(checkout)
    assert repo.default_branch == "main"
    assert str(repo.head) == run_git(checkout, "rev-parse", "HEAD")
    assert str(repo.tree) == run_git(checkout, "rev-parse", "HEAD^{tree}")
    assert repo.ours == ("digestbot/old",)


def test_what_is_committed_is_read_not_what_lies_around(checkout: Path) -> None:
    (checkout / "Dockerfile").write_text("FROM uncommitted\n")
    forge, repo = opened(checkout)

    entries = forge.entries(repo)
    blobs = forge.blobs(repo, [entry.sha for entry in entries])

    assert [(one.path, one.size) for one in entries] == [("Dockerfile", 7), ("sub/Dockerfile", 7)]
    assert blobs[entries[0].sha] == b"FROM a\n"


def test_of_a_folder_in_a_checkout_the_files_below_are_read_by_their_full_path(
    checkout: Path,
) -> None:
    forge, repo = opened(checkout / "sub")

    assert [entry.path for entry in forge.entries(repo)] == ["sub/Dockerfile"]


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_a_push_makes_a_sealed_commit_of_the_users_own(tmp_path: Path, kind: str) -> None:
    folder = make_checkout(tmp_path / "app", kind=kind)
    name_a_person(folder)
    (folder / "sub/Dockerfile").chmod(0o755)
    run_git(folder, "commit", "-q", "-a", "-m", "executable")
    forge, repo = opened(folder)
    assert repo.head is not None
    files = (FileChange("sub/Dockerfile", Mode.EXECUTABLE, b"FROM c\r\n"),)

    forge.perform(repo, PushBranch(BRANCH, repo.head, None, files, "Größer", "0" * 16))

    branch = forge.survey(repo, [BRANCH, "digestbot/none"]).branches[BRANCH]
    assert is_ours(branch)
    assert branch.parents == (repo.head,)
    assert branch.message.startswith("Größer\n")
    assert run_git(folder, "log", "-1", "--format=%an %ce", BRANCH) == "Bea bea@example.com"
    assert run_git(folder, "diff", "--raw", "--abbrev=4", "main", BRANCH).startswith(
        ":100755 100755"
    )
    assert forge.blobs_at(repo, branch.head, ["sub/Dockerfile", "gone"]) == {
        "sub/Dockerfile": b"FROM c\r\n"
    }


def test_working_tree_index_stash_and_head_stay_byte_for_byte(checkout: Path) -> None:
    (checkout / "notes").write_text("stashed\n")
    run_git(checkout, "stash")
    (checkout / "notes").write_text("staged\n")
    run_git(checkout, "add", "notes")
    (checkout / "sub/Dockerfile").write_text("FROM unstaged\n")
    (checkout / "untracked").write_text("mine\n")
    before = state_of(checkout)
    forge, repo = opened(checkout)

    forge.perform(repo, push_step(repo))
    forge.survey(repo, [BRANCH])

    assert state_of(checkout) == before


def test_a_branch_that_moved_meanwhile_is_left_alone(checkout: Path) -> None:
    forge, repo = opened(checkout)
    step = push_step(repo)
    run_git(checkout, "branch", BRANCH)

    with pytest.raises(UnsettledError) as caught:
        forge.perform(repo, step)

    assert caught.value.code == "branch-moved"
    assert run_git(checkout, "rev-parse", BRANCH) == str(repo.head)


def test_the_last_word_on_a_branch_is_gits_own(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forge, repo = opened(checkout)
    run_git(checkout, "branch", BRANCH)
    monkeypatch.setattr(forge, "_check_expected", lambda *_: None)

    with pytest.raises(UnsettledError):
        forge.perform(repo, push_step(repo))

    assert run_git(checkout, "rev-parse", BRANCH) == str(repo.head)


def test_a_branch_is_refreshed_and_deleted_if_it_is_as_expected(checkout: Path) -> None:
    forge, repo = opened(checkout)
    forge.perform(repo, push_step(repo))
    first = forge.survey(repo, [BRANCH]).branches[BRANCH].head
    forge.perform(repo, push_step(repo, b"FROM newer\n", expected=first))
    second = forge.survey(repo, [BRANCH]).branches[BRANCH].head

    with pytest.raises(UnsettledError):
        forge.perform(repo, DeleteBranch(BRANCH, first))
    forge.perform(repo, DeleteBranch(BRANCH, second))

    assert forge.survey(repo, [BRANCH]).branches == {}


def test_a_branch_that_is_checked_out_is_not_moved(checkout: Path) -> None:
    run_git(checkout, "worktree", "add", "-q", "-b", BRANCH, "../other")
    forge, repo = opened(checkout)
    step = push_step(repo, expected=repo.head)

    with pytest.raises(RefusedError) as caught:
        forge.perform(repo, step)

    assert caught.value.code == "checked-out"
    assert run_git(checkout, "rev-parse", BRANCH) == str(repo.head)


def test_a_linked_worktree_is_a_checkout_like_any(checkout: Path) -> None:
    run_git(checkout, "worktree", "add", "-q", "-b", "topic", "../other")
    forge, repo = opened(checkout.parent / "other")

    forge.perform(repo, push_step(repo))

    assert repo.default_branch == "topic"
    assert run_git(checkout, "show", f"{BRANCH}:Dockerfile") == "FROM new"


def test_a_branch_that_stands_for_another_one_does_not_move_that(checkout: Path) -> None:
    run_git(checkout, "symbolic-ref", f"refs/heads/{BRANCH}", "refs/heads/victim")
    run_git(checkout, "branch", "victim")
    forge, repo = opened(checkout)

    forge.perform(repo, push_step(repo, expected=repo.head))

    assert run_git(checkout, "rev-parse", "victim") == str(repo.head)


def test_other_steps_are_refused(checkout: Path) -> None:
    forge, repo = opened(checkout)

    with pytest.raises(RefusedError) as caught:
        forge.perform(repo, ClosePull(1, ""))

    assert caught.value.code == "no-pulls"


def test_a_base_that_is_gone_is_looked_at_again(checkout: Path) -> None:
    forge, repo = opened(checkout)
    files = push_step(repo).files
    gone = CommitSha.parse("1" * 40)

    with pytest.raises(UnsettledError) as caught:
        forge.perform(repo, PushBranch(BRANCH, gone, None, files, "x", "0" * 16))

    assert caught.value.code == "base-gone"
    assert forge.blobs_at(repo, gone, ["Dockerfile"]) == {}


@pytest.mark.parametrize(
    "name", ["-x", "a..b", "a b", "a:b", "x/", "a.lock", "a@{1}", "", ".x", "a\nb", "a*"]
)
def test_no_branch_is_made_with_a_name_that_means_more(checkout: Path, name: str) -> None:
    forge, repo = opened(checkout)
    step = push_step(repo)
    bad = PushBranch(name, step.base, None, step.files, "x", step.fingerprint)

    with pytest.raises(RefusedError) as caught:
        forge.perform(repo, bad)

    assert caught.value.code == "bad-branch-name"


def test_a_branch_in_the_way_is_no_passing_trouble(checkout: Path) -> None:
    run_git(checkout, "branch", "digestbot")
    forge, repo = opened(checkout)

    with pytest.raises(RefusedError) as caught:
        forge.perform(repo, push_step(repo))

    assert caught.value.code == "branch-name-taken"


def test_nobody_commits_without_a_name(tmp_path: Path) -> None:
    forge, repo = opened(make_checkout(tmp_path / "app"))

    with pytest.raises(RefusedError) as caught:
        forge.perform(repo, push_step(repo))

    assert caught.value.code == "no-identity"
    assert "user.email" in caught.value.hint


def test_a_repo_without_commits_has_no_head(tmp_path: Path) -> None:
    run_git(tmp_path, "init", "-q", "-b", "main")

    forge, repo = opened(tmp_path)

    assert (repo.head, repo.tree) == (None, None)
    assert forge.entries(repo) == ()


def test_without_a_branch_there_is_nothing_to_propose_to(checkout: Path) -> None:
    run_git(checkout, "checkout", "-q", "--detach")

    (left,) = LocalForge(str(checkout), INTEREST).repos()

    assert isinstance(left, LeftOut)
    assert left.reason == "detached"


def make_bare(folder: Path) -> None:
    run_git(folder, "init", "-q", "--bare")


@pytest.mark.parametrize(
    "prepare, code",
    [
        pytest.param(lambda _: None, "not-a-repo", id="plain folder"),
        pytest.param(lambda folder: folder.rmdir(), "not-a-repo", id="no folder"),
        pytest.param(make_bare, "bare-repo", id="bare"),
    ],
)
def test_what_is_no_checkout_is_said_with_a_hint(
    tmp_path: Path, prepare: Callable[[Path], None], code: str
) -> None:
    folder = tmp_path / "it"
    folder.mkdir()
    prepare(folder)

    with pytest.raises(RefusedError) as caught:
        LocalForge(str(folder), INTEREST)

    assert caught.value.code == code
    assert caught.value.hint


def test_a_checkout_of_another_user_is_said_with_a_hint(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = {**git_environment._VARIABLES, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    monkeypatch.setattr(git_environment, "_VARIABLES", foreign)

    with pytest.raises(RefusedError) as caught:
        LocalForge(str(checkout), INTEREST)

    assert caught.value.code == "foreign-owner"
    assert "safe.directory" in caught.value.hint


HOSTILE: Mapping[str, str] = {
    "core.fsmonitor": "{evil}",
    "core.hooksPath": "{folder}/hooks",
    "core.sshCommand": "{evil}",
    "core.gitProxy": "{evil}",
    "core.askPass": "{evil}",
    "core.editor": "{evil}",
    "core.pager": "{evil}",
    "core.alternateRefsCommand": "{evil}",
    "core.splitIndex": "true",
    "credential.helper": "!{evil}",
    "filter.bad.clean": "{evil}",
    "filter.bad.smudge": "{evil}",
    "filter.bad.process": "{evil}",
    "filter.bad.required": "true",
    "diff.external": "{evil}",
    "diff.bad.textconv": "{evil}",
    "gpg.program": "{evil}",
    "gpg.ssh.program": "{evil}",
    "gpg.ssh.defaultKeyCommand": "{evil}",
    "commit.gpgSign": "true",
    "alias.rev-parse": "!{evil}",
    "alias.cat-file": "!{evil}",
    "uploadpack.packObjectsHook": "{evil}",
    "remote.origin.url": "ext::{evil}",
    "remote.origin.uploadpack": "{evil}",
    "remote.origin.promisor": "true",
    "extensions.partialClone": "origin",
    "includeIf.gitdir:/.path": "{folder}/more",
    "merge.bad.driver": "{evil}",
    "interactive.diffFilter": "{evil}",
}


def make_hostile(folder: Path, evil: Path) -> None:
    for key, value in HOSTILE.items():
        run_git(folder, "config", key, value.format(evil=evil, folder=folder.parent))
    (folder.parent / "more").write_text(f"[core]\n\tfsmonitor = {evil}\n")
    hooks = folder.parent / "hooks"
    for place in (hooks, folder / ".git" / "hooks"):
        place.mkdir(exist_ok=True)
        for hook in ("reference-transaction", "post-index-change", "pre-commit", "post-checkout"):
            (place / hook).unlink(missing_ok=True)
            (place / hook).symlink_to(evil)


def test_nothing_that_a_checkout_names_is_started(tmp_path: Path) -> None:
    folder = make_checkout(
        tmp_path / "app",
        **{"Dockerfile": "FROM a\n", ".gitattributes": "* filter=bad diff=bad merge=bad\n"},
    )
    name_a_person(folder)
    evil, mark = canary(tmp_path)
    make_hostile(folder, evil)

    forge, repo = opened(folder)
    blobs = forge.blobs(repo, [entry.sha for entry in forge.entries(repo)])
    forge.perform(repo, push_step(repo))
    branch = forge.survey(repo, [BRANCH]).branches[BRANCH]
    forge.perform(repo, DeleteBranch(BRANCH, branch.head))

    assert list(blobs.values()) == [b"FROM a\n"]
    assert not mark.exists()


def test_the_hostile_checkout_would_start_something_if_it_could(tmp_path: Path) -> None:
    folder = make_checkout(tmp_path / "app")
    evil, mark = canary(tmp_path)
    make_hostile(folder, evil)

    subprocess.run(["git", "status"], cwd=folder, check=False, capture_output=True)

    assert mark.exists()


def test_hooks_in_the_settings_are_off_whatever_they_are_called(checkout: Path) -> None:
    names = ["lint", 'A b.c="d', "reference-transaction", "twice"]
    more = checkout.parent / "more"
    more.write_text('[HOOK "included"]\n\tcommand = false\n')
    run_git(checkout, "config", "include.path", str(more))
    for name in names:
        run_git(checkout, "config", f"hook.{name}.enabled", "true")
        run_git(checkout, "config", f"hook.{name}.event", "reference-transaction")

    folder = open_checkout(checkout, None, timeout_s=60)

    assert folder.hooks() == sorted([*names, "included"])
    for name in folder.hooks():
        assert folder.ask("config", "--type=bool", f"hook.{name}.enabled") == b"false\n"


@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to])
@pytest.mark.parametrize(
    "place",
    ["logs/refs/heads/digestbot/images", "logs/refs/heads/digestbot", "refs/heads/digestbot"],
)
def test_git_writes_nothing_through_links_in_its_folder(
    checkout: Path, place: str, link: Callable[[Path, Path], None]
) -> None:
    elsewhere = checkout.parent / "profile"
    path = checkout / ".git" / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if link is Path.symlink_to and not place.endswith("images"):
        elsewhere.mkdir()
    else:
        elsewhere.write_text("mine\n")
    link(path, elsewhere)
    forge, repo = opened(checkout)

    with pytest.raises(RefusedError, match="leads elsewhere"):
        forge.perform(repo, push_step(repo))

    assert elsewhere.is_dir() or elsewhere.read_text() == "mine\n"
    assert not list(elsewhere.glob("*"))


@pytest.mark.parametrize("url", ["ext::{evil}", "file://{folder}", "ssh://localhost/x", "bad::x"])
def test_what_a_partial_clone_lacks_is_not_fetched(tmp_path: Path, url: str) -> None:
    folder = make_checkout(tmp_path / "app")
    name_a_person(folder)
    evil, mark = canary(tmp_path)
    make_hostile(folder, evil)
    run_git(
        folder, "config", "remote.origin.url", url.format(evil=evil, folder=tmp_path / "nothing")
    )
    forge, repo = opened(folder)
    lost = run_git(folder, "-c", "core.fsmonitor=false", "rev-parse", "HEAD:Dockerfile")
    (folder / ".git/objects" / lost[:2] / lost[2:]).unlink()
    mark.unlink(missing_ok=True)

    # Newer versions of git say that it is missing, older ones give up.
    try:
        shas = [entry.sha.value for entry in forge.entries(repo) if entry.size is not None]
        known = lost in shas
    except ForgeError as error:
        known = error.code != "partial-clone"

    assert not known
    assert not mark.exists()


def test_links_submodules_and_odd_names_are_listed_as_what_they_are(checkout: Path) -> None:
    (checkout / "sub/Dockerfile").unlink()
    (checkout / "sub/Dockerfile").symlink_to("/etc/passwd")
    odd = checkout / "a\nb\t\"'é"
    odd.mkdir()
    (odd / "Dockerfile").write_text("FROM odd\n")
    raw = os.fsencode(checkout) + b"/\xff\xfe"
    os.mkdir(raw)  # noqa: PTH102 - a name that is no text
    with open(raw + b"/Dockerfile", "w") as stream:  # noqa: PTH123 - likewise
        stream.write("FROM raw\n")
    head = run_git(checkout, "rev-parse", "HEAD")
    run_git(checkout, "add", ".")
    run_git(checkout, "update-index", "--add", "--cacheinfo", f"160000,{head},mod/Dockerfile")
    run_git(checkout, "commit", "-q", "-m", "odd")
    forge, repo = opened(checkout)
    assert repo.head is not None

    modes = {entry.path: entry.mode for entry in forge.entries(repo)}
    files = (
        FileChange("a\nb\t\"'é/Dockerfile", Mode.FILE, b"1"),
        FileChange("\udcff\udcfe/Dockerfile", Mode.FILE, b"2"),
    )
    forge.perform(repo, PushBranch(BRANCH, repo.head, None, files, "x", "0" * 16))

    assert modes == {
        "Dockerfile": Mode.FILE,
        "a\nb\t\"'é/Dockerfile": Mode.FILE,
        "mod/Dockerfile": Mode.SUBMODULE,
        "sub/Dockerfile": Mode.SYMLINK,
        "\udcff\udcfe/Dockerfile": Mode.FILE,
    }
    made = forge.survey(repo, [BRANCH]).branches[BRANCH].head
    assert forge.blobs_at(repo, made, [one.path for one in files]) == {
        one.path: one.content for one in files
    }
    assert forge.blobs_at(repo, made, ["sub/Dockerfile", "mod/Dockerfile"]) == {}


@pytest.mark.parametrize("path", ["../out", ".git/config", "/abs", "a/../b"])
def test_no_commit_is_made_with_a_path_that_leads_elsewhere(checkout: Path, path: str) -> None:
    forge, repo = opened(checkout)
    assert repo.head is not None
    files = (FileChange(path, Mode.FILE, b"x"),)

    with pytest.raises(RefusedError) as caught:
        forge.perform(repo, PushBranch(BRANCH, repo.head, None, files, "x", "0" * 16))

    assert caught.value.code == "unsafe-path"
    assert forge.survey(repo, [BRANCH]).branches == {}


def test_a_commit_is_signed_with_an_ssh_key(checkout: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    subprocess.run(words, check=True)
    allowed = tmp_path / "allowed"
    allowed.write_text(f"bea@example.com {key.with_suffix('.pub').read_text()}")
    forge = LocalForge(str(checkout), INTEREST, signing=Signing(KeyFormat.SSH, str(key)))
    (repo,) = forge.repos()
    assert isinstance(repo, Repo)

    forge.perform(repo, push_step(repo))

    run_git(checkout, "-c", f"gpg.ssh.allowedSignersFile={allowed}", "verify-commit", BRANCH)
    assert forge.survey(repo, [BRANCH]).branches[BRANCH].message.startswith("Update images\n")


def test_a_key_that_is_not_there_makes_no_unsigned_commit(checkout: Path) -> None:
    forge = LocalForge(str(checkout), INTEREST, signing=Signing(KeyFormat.SSH, "/nowhere/key"))
    (repo,) = forge.repos()
    assert isinstance(repo, Repo)

    with pytest.raises(RefusedError) as caught:
        forge.perform(repo, push_step(repo))

    assert caught.value.code == "signing-failed"
    assert forge.survey(repo, [BRANCH]).branches == {}


def test_twenty_checkouts_leave_no_process_and_no_open_file(tmp_path: Path) -> None:
    folder = make_checkout(tmp_path / "app")
    before = len(list(Path("/proc/self/fd").iterdir()))

    forges = [opened(folder) for _ in range(20)]
    for forge, repo in forges:
        forge.blobs(repo, [entry.sha for entry in forge.entries(repo)])

    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert children() == []
