"""The seal: put under a message, read from it, and whose work it proves."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.forge.repo import Branch
from digestbot.forge.seal import Seal, is_ours, read_seal, sealed
from digestbot.forge.sha import CommitSha, ObjectSha

TREE = ObjectSha("1" * 40)
PRINT = "0123456789abcdef"
PARENT = CommitSha("2" * 40)


def branch(message: str, tree: ObjectSha = TREE, parents: int = 1) -> Branch:
    return Branch("digestbot/images", CommitSha("3" * 40), tree, (PARENT,) * parents, message)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("Update python", id="subject"),
        pytest.param("Update python\n\nWhy it matters.\n", id="body"),
        pytest.param("Update\n\nBody.\n\nSigned-off-by: Ann <a@example.org>", id="trailer"),
        pytest.param("Update\r\n\r\nBody", id="carriage returns"),
        pytest.param("fix: a subject", id="a subject like a trailer"),
    ],
)
def test_seal_is_read_from_what_was_sealed(message: str) -> None:
    text = sealed(message, PRINT, TREE)

    assert read_seal(text) == Seal(PRINT, TREE.value)
    assert text.startswith(message.rstrip())


@pytest.mark.parametrize(
    "message, others",
    [
        ("Update python", 0),
        ("Update\n\nBody.", 0),
        ("Update\n\nBody.\n\nSigned-off-by: Ann <a@example.org>", 1),
        ("chore(deps): update", 0),
    ],
)
def test_git_knows_the_seal_as_a_trailer(message: str, others: int) -> None:
    said = subprocess.run(
        ["git", "interpret-trailers", "--parse"],
        input=sealed(message, PRINT, TREE),
        capture_output=True,
        check=True,
        text=True,
    )

    lines = said.stdout.splitlines()
    assert lines[-1] == f"Digestbot-Seal: {PRINT} {TREE}"
    assert len(lines) == others + 1


@given(st.text(max_size=200).filter(lambda text: "Digestbot-Seal" not in text))
def test_any_message_can_be_sealed(message: str) -> None:
    assert read_seal(sealed(message, PRINT, TREE)) == Seal(PRINT, TREE.value)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("", id="nothing"),
        pytest.param("Update python", id="no seal"),
        pytest.param(f"Digestbot-Seal: {PRINT[:-1]} {TREE}", id="short fingerprint"),
        pytest.param(f"Digestbot-Seal: {PRINT} {TREE.value[:-1]}", id="short tree"),
        pytest.param(f"> Digestbot-Seal: {PRINT} {TREE}", id="quoted"),
        pytest.param(f"Digestbot-Seal: {PRINT} {TREE}\n" * 2, id="two"),
        pytest.param(f"Digestbot-Seal: {PRINT} {TREE} x", id="more"),
    ],
)
def test_other_messages_have_no_seal(message: str) -> None:
    assert read_seal(message) is None


def test_sealed_commit_with_its_tree_is_ours() -> None:
    assert is_ours(branch(sealed("Update", PRINT, TREE)))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(branch("Update"), id="no seal"),
        pytest.param(branch(sealed("Update", PRINT, TREE), ObjectSha("4" * 40)), id="other tree"),
        pytest.param(branch(sealed("Update", PRINT, TREE), parents=2), id="merge"),
        pytest.param(branch(sealed("Update", PRINT, TREE), parents=0), id="root"),
    ],
)
def test_commit_that_somebody_touched_is_not_ours(other: Branch) -> None:
    assert not is_ours(other)
