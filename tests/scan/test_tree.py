"""Which files are scanned: git's view in a checkout, the whole tree elsewhere."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from digestbot.errors import NoInputError, UsageError
from digestbot.scan.tree import MAX_SIZE, LocalFile, Text, UnreadableError, find_files


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the working directory."""
    folder = tmp_path / "tree"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def write(path: Path, text: str = "FROM python:3\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def names(*paths: Path, exclude: tuple[str, ...] = ()) -> list[str]:
    return [file.path for file in find_files(paths, exclude=exclude)]


def test_files_are_found_by_name_in_order_of_path(tree: Path) -> None:
    for name in ("b/Dockerfile", "Dockerfile", "a/Containerfile", "api.dockerfile", "README.md"):
        write(tree / name)

    assert names(tree) == ["Dockerfile", "a/Containerfile", "api.dockerfile", "b/Dockerfile"]


def test_git_says_what_belongs_to_a_checkout(tree: Path) -> None:
    git(tree, "init", "--quiet")
    write(tree / ".gitignore", "ignored/\nforced/\n")
    for name in ("tracked/Dockerfile", "new/Dockerfile", "ignored/Dockerfile", "gone/Dockerfile"):
        write(tree / name)
    write(tree / "forced/Dockerfile")
    git(tree, "add", "tracked", "gone")
    git(tree, "add", "--force", "forced")
    (tree / "gone/Dockerfile").unlink()

    assert names(tree) == ["forced/Dockerfile", "new/Dockerfile", "tracked/Dockerfile"]
    assert names(tree / "tracked") == ["tracked/Dockerfile"]


def test_the_git_folder_is_never_read(tree: Path) -> None:
    write(tree / ".git/Dockerfile")
    write(tree / "sub/.git/Dockerfile")
    write(tree / "Dockerfile")

    assert names(tree) == ["Dockerfile"]


def test_a_checkout_cannot_start_programs_through_its_settings(tree: Path) -> None:
    git(tree, "init", "--quiet")
    write(tree / "Dockerfile")
    program = write(tree / "evil.sh", f"#!/bin/sh\ntouch {tree}/started\n")
    program.chmod(0o755)
    git(tree, "config", "core.fsmonitor", str(program))
    git(tree, "config", "core.hooksPath", str(tree))

    assert names(tree) == ["Dockerfile"]
    assert not (tree / "started").exists()


def test_without_git_the_tree_is_walked(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tree, "init", "--quiet")
    write(tree / ".gitignore", "*\n")
    write(tree / "Dockerfile")
    monkeypatch.setenv("PATH", "/nonexistent")

    assert names(tree) == ["Dockerfile"]


@pytest.mark.parametrize(
    "glob, left",
    [
        ("vendor", ["Dockerfile", "app/Dockerfile"]),
        ("vendor/", ["Dockerfile", "app/Dockerfile"]),
        ("vendor/**", ["Dockerfile", "app/Dockerfile"]),
        ("*/Dockerfile", ["Dockerfile"]),
        ("nothing", ["Dockerfile", "app/Dockerfile", "vendor/x/Dockerfile"]),
    ],
)
def test_excluded_paths_are_left_out(tree: Path, glob: str, left: list[str]) -> None:
    for name in ("Dockerfile", "app/Dockerfile", "vendor/x/Dockerfile"):
        write(tree / name)

    assert names(tree, exclude=(glob,)) == left


def test_paths_are_shown_from_the_working_directory_or_whole(tree: Path, tmp_path: Path) -> None:
    write(tree / "sub/Dockerfile")
    outside = write(tmp_path / "outside/Dockerfile")

    assert names(tree / "sub") == ["sub/Dockerfile"]
    assert names(Path("sub/../sub")) == ["sub/Dockerfile"]
    assert names(outside.parent) == [str(outside)]


def test_a_file_named_twice_is_read_once(tree: Path) -> None:
    file = write(tree / "Dockerfile")

    assert names(file, tree, Path("./Dockerfile")) == ["Dockerfile"]


def test_a_file_that_is_named_itself_is_read_whatever_it_is_called(tree: Path) -> None:
    file = write(tree / "build.txt")

    assert [found.format_name for found in find_files([file])] == ["dockerfile"]


def test_a_path_that_does_not_exist_is_the_users_mistake(tree: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder: nowhere"):
        find_files([Path("nowhere")])


def test_a_tree_without_dockerfiles_is_said(tree: Path) -> None:
    with pytest.raises(NoInputError, match=r"no Dockerfile or Containerfile in \.") as caught:
        find_files([Path()])

    assert ".gitignore" in caught.value.hint


def only(path: Path) -> LocalFile:
    (file,) = find_files([path])
    assert isinstance(file, LocalFile)
    return file


def test_a_link_within_the_tree_is_the_file_it_leads_to(tree: Path) -> None:
    write(tree / "real/Dockerfile")
    (tree / "Dockerfile").symlink_to("real/Dockerfile")

    assert names(tree) == ["real/Dockerfile"]


def test_a_link_out_of_the_tree_is_not_followed(tree: Path, tmp_path: Path) -> None:
    secret = write(tmp_path / "secret", "TOP SECRET")
    (tree / "Dockerfile").symlink_to(secret)

    with pytest.raises(UnreadableError) as caught:
        only(tree).read()

    assert caught.value.skip.reason == "symlink"


@pytest.mark.parametrize("target", ["nowhere", "Dockerfile"])
def test_a_link_to_nothing_is_an_error_of_the_system(tree: Path, target: str) -> None:
    (tree / "Dockerfile").symlink_to(target)

    with pytest.raises(OSError, match=r"No such file|symbolic links"):
        only(tree).read()


def test_a_linked_folder_is_not_entered(tree: Path, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere/Dockerfile")
    (tree / "linked").symlink_to(tmp_path / "elsewhere")
    write(tree / "Dockerfile")

    assert names(tree) == ["Dockerfile"]


def test_a_pipe_is_not_waited_for(tree: Path) -> None:
    os.mkfifo(tree / "Dockerfile")

    with pytest.raises(UnreadableError) as caught:
        only(tree).read()

    assert caught.value.skip.reason == "not-a-file"


def test_a_file_over_the_limit_is_not_read_whole(tree: Path) -> None:
    file = tree / "Dockerfile"
    with file.open("wb") as stream:
        stream.truncate(20 * MAX_SIZE)

    with pytest.raises(UnreadableError) as caught:
        only(file).read()

    assert caught.value.skip.reason == "too-large"
    with pytest.raises(UnreadableError):
        Text(b"#" * (MAX_SIZE + 1)).read()


def test_a_name_that_is_not_unicode_can_be_shown_and_read(tree: Path) -> None:
    name = os.fsdecode(b"caf\xe9.dockerfile")
    (tree / name).write_bytes(b"FROM python:3\n")

    (file,) = find_files([tree])

    assert os.fsencode(file.path) == b"caf\xe9.dockerfile"
    assert file.read() == b"FROM python:3\n"


def test_a_partial_clone_is_not_completed_to_list_it(tree: Path) -> None:
    """Its .gitignore is missing, and its own settings say how it is to be fetched."""
    git(tree, "init", "--quiet")
    write(tree / "Dockerfile")
    write(tree / ".gitignore", "nothing\n")
    git(tree, "add", ".gitignore")
    git(tree, "update-index", "--skip-worktree", ".gitignore")
    (tree / ".gitignore").unlink()
    for blob in (tree / ".git/objects").glob("??/*"):
        blob.unlink()
    settings = {
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": str(tree),
        "remote.origin.uploadpack": f"touch {tree}/started; false",
        "protocol.file.allow": "always",
    }
    for key, value in settings.items():
        git(tree, "config", key, value)

    assert "Dockerfile" in names(tree)
    assert not (tree / "started").exists()


def test_a_tree_may_be_deeper_than_python_recurses(tree: Path) -> None:
    write(tree / "Dockerfile")
    for _ in range(1200):
        Path("d").mkdir()
        os.chdir("d")
    os.chdir(tree)

    found = names(tree)

    # Python's own rmtree would not get to the bottom of it.
    subprocess.run(["rm", "-r", tree / "d"], check=True)
    assert found == ["Dockerfile"]


def test_a_folder_that_cannot_be_listed_is_said(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tree / "Dockerfile")
    write(tree / "closed/Dockerfile")
    really_scan = os.scandir

    def refuse(path: Path) -> object:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied")
        return really_scan(path)

    monkeypatch.setattr(os, "scandir", refuse)

    found = find_files([tree])

    assert [file.path for file in found] == ["Dockerfile", "closed"]
    with pytest.raises(OSError, match="Permission denied"):
        found[1].read()


def test_files_are_told_apart_by_the_bytes_of_their_names(tree: Path) -> None:
    for name in (b"\xfe.dockerfile", b"\xff.dockerfile"):
        (tree / os.fsdecode(name)).write_text("FROM python:3\n")

    assert len({file.path for file in find_files([tree])}) == 2
