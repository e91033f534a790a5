"""Which updates travel together, under which name, and with which bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.forge.repo import Mode
from digestbot.image import ImageTag
from digestbot.proposals.fingerprint import fingerprint_of
from digestbot.proposals.grouping import branch_names, branch_of, is_managed, proposals_of
from digestbot.proposals.proposal import Proposal
from digestbot.proposals.settings import ProposalSettings
from digestbot.proposals.updates import updates_of
from tests.proposals.builders import digest, dockerfile, scanned

PYTHON = ImageTag("docker.io", "library/python", "3.12")
BY_IMAGE = ProposalSettings(group="image")
BOTH = {"python:3": 1, "golang:1": 1}


def proposals(
    files: Mapping[str, bytes], digests: Mapping[str, object], **settings: Any
) -> tuple[Proposal, ...]:
    result = scanned(files, digests)
    return proposals_of(updates_of(result), ProposalSettings(**settings), result, {})


@pytest.mark.parametrize(
    ("settings", "branch"),
    [
        pytest.param(ProposalSettings(), "digestbot/images", id="repo"),
        pytest.param(BY_IMAGE, "digestbot/python-3-12-9f39de2c", id="image"),
        pytest.param(
            ProposalSettings(groups={"base": ("docker.io/library/*",)}),
            "digestbot/group-base",
            id="named",
        ),
        pytest.param(
            ProposalSettings(groups={"a": ("*:3.12",), "b": ("*",)}),
            "digestbot/group-a",
            id="first-match",
        ),
        pytest.param(
            ProposalSettings(groups={"ghcr": ("ghcr.io/*",)}), "digestbot/images", id="no-match"
        ),
        pytest.param(ProposalSettings(prefix="bot/"), "bot/images", id="prefix"),
    ],
)
def test_an_image_has_its_branch(settings: ProposalSettings, branch: str) -> None:
    assert branch_of(PYTHON, settings) == branch


@given(
    st.from_regex(r"[a-z0-9]+([._/-][a-z0-9]+){0,30}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True),
)
def test_every_image_has_a_name_that_git_takes_and_we_know_again(name: str, tag: str) -> None:
    branch = branch_of(ImageTag("ghcr.io", name, tag), BY_IMAGE)

    assert is_managed(branch, BY_IMAGE)
    assert len(branch) < 100
    assert not branch.endswith((".lock", ".", "/"))
    assert ".." not in branch


def test_images_with_like_names_have_different_branches() -> None:
    tags = ["1.2", "1-2", "1_2", "A", "a"]

    branches = {branch_of(replace(PYTHON, tag=tag), BY_IMAGE) for tag in tags}

    assert len(branches) == len(tags)


def test_groups_with_like_names_have_different_branches() -> None:
    settings = [ProposalSettings(groups={name: ("*",)}) for name in ("my group", "my-group")]

    assert len({branch_of(PYTHON, one) for one in settings}) == 2


@pytest.mark.parametrize(
    ("branch", "expected"),
    [
        ("digestbot/images", True),
        ("digestbot/group-base", True),
        ("digestbot/python-3-12-9f39de2c", True),
        ("digestbot/rollout/7", False),
        ("digestbot/feature", False),
        ("images", False),
    ],
)
def test_only_branches_of_proposals_are_managed(branch: str, expected: bool) -> None:
    assert is_managed(branch, ProposalSettings()) is expected


def test_all_branches_are_asked_about_whichever_grouping_there_was() -> None:
    files = {"Dockerfile": dockerfile("python:3", "golang:1")}
    updates = updates_of(scanned(files, BOTH))
    settings = ProposalSettings(groups={"base": ("x",)})

    names = branch_names(updates, settings)

    assert names[:2] == ("digestbot/images", "digestbot/group-base")
    assert set(names[2:]) == {branch_of(one.image, BY_IMAGE) for one in updates}


def test_a_group_changes_its_own_digests_in_a_shared_file_and_no_others() -> None:
    files = {"Dockerfile": dockerfile("python:3", "golang:1")}

    go, python = proposals(files, BOTH, group="image")

    expected = {
        "golang": dockerfile("python:3") + dockerfile("golang:1", at=1),
        "python": dockerfile("python:3", at=1) + dockerfile("golang:1"),
    }
    assert go.files[0].content == expected["golang"]
    assert python.files[0].content == expected["python"]


def test_one_proposal_has_the_files_that_change_and_their_modes() -> None:
    files = {
        "b/Dockerfile": dockerfile("python:3"),
        "a/Dockerfile": dockerfile("python:3"),
        "c/Dockerfile": dockerfile("python:3", at=1),
    }
    result = scanned(files, {"python:3": 1})

    (proposal,) = proposals_of(
        updates_of(result), ProposalSettings(), result, {"b/Dockerfile": Mode.EXECUTABLE}
    )

    assert [(one.path, one.mode) for one in proposal.files] == [
        ("a/Dockerfile", Mode.FILE),
        ("b/Dockerfile", Mode.EXECUTABLE),
    ]


def test_two_platforms_of_one_tag_stay_together() -> None:
    text = b"# digestbot: platform=linux/arm64\n" + dockerfile("python:3") + dockerfile("python:3")
    digests = {"python:3": 1, "python:3 linux/arm64": 2}

    (proposal,) = proposals({"Dockerfile": text}, digests, group="image")

    assert len(proposal.updates) == 2


def test_images_that_share_their_digest_in_the_file_stay_together() -> None:
    text = f"ARG D={digest(0)}\nFROM python:3@$D\nFROM golang:1@$D\n".encode()

    found = proposals({"Dockerfile": text}, BOTH, group="image")

    assert [len(one.updates) for one in found] == [2]
    assert found[0].files[0].content == text.replace(
        str(digest(0)).encode(), str(digest(1)).encode()
    )


def test_a_fingerprint_is_16_hex_digits_and_stays_while_lines_move() -> None:
    text = dockerfile("python:3")
    first, moved = (
        updates_of(scanned({"Dockerfile": data}, {"python:3": 1}))
        for data in (text, b"# a comment\n\n" + text)
    )

    assert fingerprint_of(first) == fingerprint_of(moved)
    assert len(fingerprint_of(first)) == 16


@pytest.mark.parametrize(
    ("path", "image", "at"),
    [
        pytest.param("b/Dockerfile", "python:3", 1, id="path"),
        pytest.param("Dockerfile", "python:3.13", 1, id="tag"),
        pytest.param("Dockerfile", "python:3", 2, id="digest"),
    ],
)
def test_a_fingerprint_changes_with_what_is_proposed(path: str, image: str, at: int) -> None:
    known = updates_of(scanned({"Dockerfile": dockerfile("python:3")}, {"python:3": 1}))

    other = updates_of(scanned({path: dockerfile(image)}, {image: at}))

    assert fingerprint_of(known) != fingerprint_of(other)


def test_one_more_place_in_a_file_changes_the_fingerprint() -> None:
    one, two = (
        updates_of(scanned({"Dockerfile": dockerfile(*["python:3"] * count)}, {"python:3": 1}))
        for count in (1, 2)
    )

    assert fingerprint_of(one) != fingerprint_of(two)
