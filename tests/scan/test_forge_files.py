from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from digestbot.files.occurrence import Skip
from digestbot.forge.repo import Entry, Mode, Repo
from digestbot.forge.sha import CommitSha, ObjectSha
from digestbot.scan import forge_files
from digestbot.scan.forge_files import INTEREST, RepoFiles, read_files
from digestbot.scan.tree import MAX_SIZE, UnreadableError

HEAD = CommitSha.parse("a" * 40)
REPO = Repo("acme/app", "main", HEAD, HEAD)
DOCKERFILE = b"FROM python:3.12\n"


def sha(number: int) -> ObjectSha:
    return ObjectSha.parse(f"{number:040x}")


@dataclass
class Shelf:
    """A repo's contents, and which blobs somebody asked for."""

    listed: list[Entry] = field(default_factory=list)
    bytes_of: dict[ObjectSha, bytes] = field(default_factory=dict)
    asked: list[ObjectSha] = field(default_factory=list)

    def put(
        self,
        path: str,
        data: bytes | None = DOCKERFILE,
        mode: Mode = Mode.FILE,
        size: int | None = None,
    ) -> None:
        name = sha(len(self.listed) + 1)
        self.listed.append(Entry(path, mode, name, size))
        if data is not None:
            self.bytes_of[name] = data

    def entries(self, repo: Repo) -> Sequence[Entry]:
        return self.listed

    def blobs(self, repo: Repo, shas: Iterable[ObjectSha]) -> Mapping[ObjectSha, bytes]:
        self.asked += shas
        return {one: self.bytes_of[one] for one in self.asked if one in self.bytes_of}

    def blobs_at(self, repo: Repo, commit: CommitSha, paths: Iterable[str]) -> Mapping[str, bytes]:
        raise AssertionError("nobody asks for another commit")


def reasons(files: RepoFiles) -> dict[str, str]:
    found = {}
    for file in files.files:
        try:
            file.read()
            found[file.path] = "read"
        except UnreadableError as error:
            found[file.path] = error.skip.reason
    return found


def test_files_come_with_bytes_format_and_mode() -> None:
    shelf = Shelf()
    shelf.put("Dockerfile")
    shelf.put("tools/Dockerfile.dev", b"FROM debian:12\n", Mode.EXECUTABLE)

    found = read_files(shelf, REPO)

    assert [(file.path, file.read(), file.format_name) for file in found.files] == [
        ("Dockerfile", DOCKERFILE, "dockerfile"),
        ("tools/Dockerfile.dev", b"FROM debian:12\n", "dockerfile"),
    ]
    assert found.modes == {"Dockerfile": Mode.FILE, "tools/Dockerfile.dev": Mode.EXECUTABLE}
    assert found.files[0].format.read("Dockerfile", DOCKERFILE)


@pytest.mark.parametrize(
    "path, data, mode, size, reason",
    [
        pytest.param("Dockerfile", b"../x", Mode.SYMLINK, None, "symlink", id="link"),
        pytest.param("Dockerfile", None, Mode.SUBMODULE, None, "submodule", id="submodule"),
        pytest.param("a\n/Dockerfile", DOCKERFILE, Mode.FILE, None, "unsafe-path", id="newline"),
        pytest.param("../Dockerfile", DOCKERFILE, Mode.FILE, None, "unsafe-path", id="above"),
        pytest.param("/etc/Dockerfile", DOCKERFILE, Mode.FILE, None, "unsafe-path", id="absolute"),
        pytest.param(".GIT/Dockerfile", DOCKERFILE, Mode.FILE, None, "unsafe-path", id="git"),
        pytest.param("a//Dockerfile", DOCKERFILE, Mode.FILE, None, "unsafe-path", id="empty part"),
        pytest.param("Dockerfile", None, Mode.FILE, MAX_SIZE + 1, "too-large", id="told size"),
        pytest.param("Dockerfile", b"#" * (MAX_SIZE + 1), Mode.FILE, None, "too-large", id="size"),
        pytest.param("Dockerfile", None, Mode.FILE, 5, "unreadable", id="gone"),
        pytest.param(
            "Dockerfile",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
            Mode.FILE,
            None,
            "lfs-pointer",
            id="lfs",
        ),
    ],
)
def test_what_is_not_read_says_why(
    path: str, data: bytes | None, mode: Mode, size: int | None, reason: str
) -> None:
    shelf = Shelf()
    shelf.put(path, data, mode, size)
    shelf.put("good/Dockerfile")

    found = read_files(shelf, REPO)

    assert reasons(found) == {path: reason, "good/Dockerfile": "read"}


def test_links_submodules_and_giants_are_not_fetched() -> None:
    shelf = Shelf()
    shelf.put("a/Dockerfile", mode=Mode.SYMLINK)
    shelf.put("b/Dockerfile", mode=Mode.SUBMODULE)
    shelf.put("c/Dockerfile", size=MAX_SIZE + 1)

    read_files(shelf, REPO)

    assert shelf.asked == []


def test_excluded_files_are_not_fetched() -> None:
    shelf = Shelf()
    shelf.put("vendor/Dockerfile")
    shelf.put("Dockerfile")

    found = read_files(shelf, REPO, exclude=["vendor/**"])

    assert [file.path for file in found.files] == ["Dockerfile"]
    assert len(shelf.asked) == 1


def test_files_without_a_format_are_neither_listed_nor_fetched() -> None:
    shelf = Shelf()
    shelf.put("README.md")

    assert read_files(shelf, REPO) == RepoFiles(repo=REPO.name)
    assert not shelf.asked


def test_the_configuration_comes_along_and_is_no_file_to_scan() -> None:
    shelf = Shelf()
    shelf.put(".github/digestbot.yaml", b"enabled: false\n")
    shelf.put("sub/digestbot.yaml", b"enabled: true\n")

    found = read_files(shelf, REPO)

    assert found.files == ()
    assert found.configuration == {".github/digestbot.yaml": b"enabled: false\n"}


@pytest.mark.parametrize(
    "mode, size, reason",
    [
        pytest.param(Mode.SYMLINK, None, "symlink", id="link"),
        pytest.param(Mode.FILE, MAX_SIZE + 1, "too-large", id="giant"),
        pytest.param(Mode.FILE, 10, "unreadable", id="gone"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_not_taken_for_none(
    mode: Mode, size: int | None, reason: str
) -> None:
    shelf = Shelf()
    shelf.put(".digestbot.yaml", None, mode, size)

    content = read_files(shelf, REPO).configuration[".digestbot.yaml"]

    assert isinstance(content, Skip)
    assert content.reason == reason


def test_codeowners_come_along_from_the_first_place_that_has_them() -> None:
    shelf = Shelf()
    for path in ("docs/CODEOWNERS", "CODEOWNERS", ".github/CODEOWNERS", "Dockerfile"):
        shelf.put(path, path.encode())

    found = read_files(shelf, REPO)

    assert found.codeowners == b".github/CODEOWNERS"
    assert [file.path for file in found.files] == ["Dockerfile"]
    assert len(shelf.asked) == 2


def test_where_nothing_is_to_be_looked_after_codeowners_are_not_fetched() -> None:
    shelf = Shelf()
    shelf.put("CODEOWNERS", b"* @ann\n")

    assert read_files(shelf, REPO) == RepoFiles(repo=REPO.name)
    assert shelf.asked == []


@pytest.mark.parametrize(
    "mode, size",
    [
        pytest.param(Mode.SYMLINK, None, id="link"),
        pytest.param(Mode.FILE, MAX_SIZE + 1, id="giant"),
        pytest.param(Mode.FILE, 10, id="gone"),
    ],
)
def test_codeowners_that_cannot_be_read_are_none_and_no_others_take_their_place(
    mode: Mode, size: int | None
) -> None:
    shelf = Shelf()
    shelf.put(".github/CODEOWNERS", None, mode, size)
    shelf.put("CODEOWNERS", b"* @ann\n")
    shelf.put("Dockerfile")

    found = read_files(shelf, REPO)

    assert found.codeowners == b""
    assert reasons(found) == {"Dockerfile": "read"}
    assert found.problems == ()


def test_of_very_many_files_the_first_are_read_and_the_rest_is_said() -> None:
    shelf = Shelf()
    for number in range(10_000):
        shelf.put(f"d{number:05}/Dockerfile")

    found = read_files(shelf, REPO)

    assert len(found.files) == len(shelf.asked) == forge_files.MAX_FILES
    assert [problem.code for problem in found.problems] == ["too-many-files"]
    assert "10,000" in found.problems[0].message


def test_no_more_is_fetched_of_one_repo_than_fits_the_memory() -> None:
    shelf = Shelf()
    for number in range(40):
        shelf.put(f"d{number:02}/Dockerfile", size=MAX_SIZE)

    found = read_files(shelf, REPO)

    assert list(reasons(found).values()).count("too-large") == 8


def test_a_template_that_many_files_share_is_fetched_once() -> None:
    shelf = Shelf()
    shelf.put("a/Dockerfile")
    shelf.listed.append(Entry("b/Dockerfile", Mode.FILE, shelf.listed[0].sha))

    found = read_files(shelf, REPO)

    assert [file.read() for file in found.files] == [DOCKERFILE, DOCKERFILE]
    assert len(shelf.asked) == 1


def test_a_repo_without_a_commit_has_no_files() -> None:
    shelf = Shelf()
    shelf.put("Dockerfile")

    assert read_files(shelf, Repo("acme/new", "main", None, None)) == RepoFiles(repo="acme/new")


@pytest.mark.parametrize(
    "path, matters",
    [
        ("Dockerfile", True),
        ("a/b/prod.Dockerfile", True),
        (".github/digestbot.yaml", True),
        ("docs/digestbot.yaml", False),
        ("docs/CODEOWNERS", True),
        ("app/CODEOWNERS", False),
        ("README.md", False),
    ],
)
def test_only_paths_that_can_matter_are_of_interest(path: str, matters: bool) -> None:
    assert INTEREST.matches(path) == matters
