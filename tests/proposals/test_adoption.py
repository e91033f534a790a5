"""Pull requests of others that bring what we want: their files say so, not their words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digestbot.forge.pull import Pull, PullState, Survey
from digestbot.forge.sha import CommitSha
from digestbot.proposals.adoption import adopted_by, foreign_paths
from digestbot.proposals.settings import ProposalSettings
from digestbot.proposals.updates import updates_of
from tests.proposals.builders import digest, dockerfile, scanned

THEIRS = Pull(
    3,
    "https://forge.example/3",
    "renovate/python",
    CommitSha("1" * 40),
    "main",
    PullState.OPEN,
    paths=("Dockerfile", "README"),
    is_own=False,
)
UPDATES = updates_of(scanned({"Dockerfile": dockerfile("python:3")}, {"python:3": 1}))
NEW, OLD = dockerfile("python:3", at=1), dockerfile("python:3")


def test_open_pull_requests_of_others_that_touch_our_files_are_read() -> None:
    found = foreign_paths(Survey(pulls=(THEIRS,)), UPDATES, ProposalSettings())

    assert list(found) == [(THEIRS, ("Dockerfile",))]


@pytest.mark.parametrize(
    "pull",
    [
        pytest.param(replace(THEIRS, state=PullState.CLOSED), id="closed"),
        pytest.param(replace(THEIRS, is_from_here=False), id="from-a-fork"),
        pytest.param(replace(THEIRS, branch="digestbot/images"), id="ours"),
        pytest.param(replace(THEIRS, paths=("README",)), id="other-files"),
    ],
)
def test_others_are_not_read(pull: Pull) -> None:
    assert list(foreign_paths(Survey(pulls=(pull,)), UPDATES, ProposalSettings())) == []


@pytest.mark.parametrize(
    ("content", "is_adopted"),
    [
        pytest.param(NEW, True, id="new-digest"),
        pytest.param(b"# words\n" + NEW + NEW, True, id="everywhere"),
        pytest.param(NEW + b"FROM python:3\n", True, id="unpinned-beside-it"),
        pytest.param(NEW + b"# digestbot: ignore\n" + OLD, True, id="ignored-beside-it"),
        pytest.param(NEW + OLD, False, id="not-everywhere"),
        pytest.param(OLD, False, id="old-digest"),
        pytest.param(dockerfile("python:3", at=2), False, id="another-digest"),
        pytest.param(dockerfile("python:3.13", at=1), False, id="another-tag"),
        pytest.param(b"# " + NEW, False, id="in-a-comment"),
        pytest.param(b"", False, id="empty"),
        pytest.param(None, False, id="gone"),
    ],
)
def test_an_update_is_adopted_where_its_digest_stands(
    content: bytes | None, is_adopted: bool
) -> None:
    contents = {} if content is None else {"Dockerfile": content}

    found = adopted_by(UPDATES, contents)

    assert found == ({UPDATES[0].key} if is_adopted else set())


def test_all_files_of_an_update_must_have_it() -> None:
    files = {"Dockerfile": OLD, "b/Dockerfile": OLD}
    updates = updates_of(scanned(files, {"python:3": 1}))

    assert adopted_by(updates, {"Dockerfile": NEW}) == frozenset()
    assert adopted_by(updates, {"Dockerfile": NEW, "b/Dockerfile": NEW}) == {updates[0].key}


def test_what_is_to_be_pinned_must_be_pinned_everywhere() -> None:
    plain = b"FROM python:3\n"
    updates = updates_of(scanned({"Dockerfile": plain}, {"python:3": 1}, pin=True))

    assert adopted_by(updates, {"Dockerfile": NEW + plain}) == frozenset()
    assert adopted_by(updates, {"Dockerfile": NEW}) == {f"{updates[0].image}@{digest(1)}"}
