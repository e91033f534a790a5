"""Names of git objects, held against git itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.forge.sha import CommitSha, ObjectSha

EMPTY_BLOB = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
EMPTY_BLOB_256 = "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"


@pytest.mark.parametrize("text", ["a" * 40, "0123456789abcdef" * 4])
def test_name_of_either_length_is_read(text: str) -> None:
    assert ObjectSha.parse(text).value == text
    assert str(CommitSha.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("a" * 39, id="short"),
        pytest.param("a" * 41, id="long"),
        pytest.param("a" * 63, id="short sha-256"),
        pytest.param("A" * 40, id="upper case"),
        pytest.param("a" * 40 + "\n", id="line end"),
        pytest.param("\u0661" * 40, id="other digits"),
        pytest.param("../" + "a" * 37, id="path"),
        pytest.param("HEAD", id="ref"),
    ],
)
def test_other_texts_are_no_names(text: str) -> None:
    with pytest.raises(ValueError, match="not the name of a git object"):
        ObjectSha.parse(text)


@pytest.mark.parametrize(
    "sha, kind",
    [(EMPTY_BLOB, "blob"), (EMPTY_TREE, "tree"), (EMPTY_BLOB_256, "blob")],
)
def test_known_names_of_nothing(sha: str, kind: str) -> None:
    assert ObjectSha(sha).names(kind, b"")
    assert not ObjectSha(sha).names(kind, b"\n")


def test_kind_is_part_of_the_name() -> None:
    assert not ObjectSha(EMPTY_BLOB).names("tree", b"")


@pytest.mark.parametrize("data", [b"FROM scratch\r\n", b"\0\xff", "größe".encode(), b"x" * 70000])
def test_git_calls_a_blob_the_same(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    said = subprocess.run(
        ["git", "hash-object", "--no-filters", "file"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        text=True,
    )

    assert ObjectSha.parse(said.stdout.strip()).names("blob", data)


@given(st.text(max_size=80))
def test_whatever_is_read_is_as_long_as_a_hash(text: str) -> None:
    try:
        sha = ObjectSha.parse(text)
    except ValueError:
        return
    assert len(sha.value) in {40, 64}


def test_commit_and_object_of_the_same_name_are_different_things() -> None:
    assert CommitSha("a" * 40) != ObjectSha("a" * 40)
    assert min([ObjectSha("b" * 40), ObjectSha("a" * 40)]).value == "a" * 40
