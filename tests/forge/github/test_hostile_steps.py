"""Steps while GitHub, or somebody who plays it, answers whatever it likes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.forge.errors import ForgeError, RefusedError
from digestbot.forge.github.answer import Answer
from digestbot.forge.github.performing import _WAYS, perform
from digestbot.forge.github.permissions import examine
from digestbot.forge.github.settings import GitHubSettings
from digestbot.forge.repo import Mode, Repo
from digestbot.forge.sha import CommitSha, ObjectSha
from digestbot.forge.steps import (
    AddLabels,
    Assign,
    ClosePull,
    Comment,
    DeleteBranch,
    DisableAutoMerge,
    EditPull,
    EnableAutoMerge,
    FileChange,
    Merge,
    OpenPull,
    PushBranch,
    RequestReviews,
    Step,
)

SHA, TREE, NEW_TREE, BLOB = "a" * 40, "b" * 40, "c" * 40, "d" * 40
HEAD = CommitSha.parse(SHA)
REPO = Repo("acme/app", "main", HEAD, ObjectSha.parse(TREE))
FILES = (FileChange("Dockerfile", Mode.FILE, b"FROM a\n"), FileChange("b", Mode.FILE, b"\xff"))
PUSH = PushBranch("digestbot/images", HEAD, None, FILES[:1], "m", "0" * 16)
STEPS: tuple[Step, ...] = (
    PUSH,
    PushBranch("digestbot/images", HEAD, None, FILES, "m", "0" * 16),
    DeleteBranch("digestbot/images", HEAD),
    OpenPull("digestbot/images", "main", "t", "b"),
    EditPull(1, "t", "b"),
    ClosePull(1, "b"),
    Comment(1, "c"),
    AddLabels(1, ("l",)),
    RequestReviews(1, ("ann",)),
    Assign(1, ("ann",)),
    EnableAutoMerge(1, HEAD),
    DisableAutoMerge(1),
    Merge(1, HEAD),
)
_SHAS = st.sampled_from([SHA, TREE, NEW_TREE])
_KEYS = st.sampled_from(
    ["repository", "id", "ref", "target", "oid", "sha", "tree", "path", "login"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | _SHAS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=15,
)


class _Says:
    """A session that says one thing after the other."""

    is_app = False
    owner = "acme"
    settings = GitHubSettings()

    def __init__(self, *said: Any) -> None:
        self.said = list(said)

    def rest(self, verb: str, path: str, body: object = None, **_: object) -> Answer:
        return Answer(200, self._next(), {"x-oauth-scopes": "a,,b"})

    def graphql(self, document: str, variables: Mapping[str, object], **_: object) -> Any:
        return self._next() or {}

    def _next(self) -> Any:
        return self.said.pop(0) if self.said else None


def _do(step: Step, *said: Any) -> None:
    perform(_Says(*said), REPO, step)  # type: ignore[arg-type]  # all that is used of it


def test_every_kind_of_step_is_among_these() -> None:
    assert {type(step) for step in STEPS} == set(_WAYS)


@given(st.sampled_from(STEPS), st.lists(_JSON, max_size=5))
def test_whatever_is_answered_nothing_worse_than_our_own_errors_happens(
    step: Step, said: list[object]
) -> None:
    with suppress(ForgeError):
        _do(step, *said)


@given(st.lists(_JSON, max_size=5))
def test_permissions_are_examined_whatever_is_answered(said: list[object]) -> None:
    list(examine(_Says(*said), "acme/app"))  # type: ignore[arg-type]  # all that is used of it


NO_REF = {"repository": {"id": "R", "ref": None}}


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({"path": "Dockerfile", "mode": "100644", "sha": BLOB}, id="other bytes"),
        pytest.param({"path": "Dockerfile", "mode": "100755", "sha": ""}, id="another mode"),
    ],
)
def test_a_tree_that_is_not_what_was_meant_is_never_committed(entry: dict[str, str]) -> None:
    entry = {**entry, "sha": entry["sha"] or _blob_name(FILES[0].content)}

    with pytest.raises(RefusedError) as caught:
        _do(PUSH, NO_REF, {"sha": NEW_TREE, "tree": [entry]})

    assert caught.value.code == "altered"


def test_a_blob_that_is_not_what_was_sent_is_never_used() -> None:
    with pytest.raises(RefusedError) as caught:
        _do(STEPS[1], NO_REF, {"sha": BLOB})

    assert caught.value.code == "altered"


def test_a_commit_of_another_tree_never_reaches_the_branch() -> None:
    tree, commit = {"sha": NEW_TREE, "tree": []}, {"sha": SHA, "tree": {"sha": TREE}}

    with pytest.raises(RefusedError) as caught:
        _do(PUSH, NO_REF, tree, commit)

    assert caught.value.code == "altered"


def _blob_name(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
