"""What people said no to, and what does not say so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digestbot.forge.pull import Pull, PullState, Survey
from digestbot.forge.sha import CommitSha
from digestbot.proposals.marker import Marker, as_obsolete
from digestbot.proposals.rejections import rejected
from digestbot.proposals.settings import ProposalSettings

KEY, OTHER = "docker.io/library/a:1@sha256:a", "docker.io/library/b:1@sha256:b"
CLOSED = Pull(
    7,
    "https://forge.example/7",
    "digestbot/images",
    CommitSha("1" * 40),
    "main",
    PullState.CLOSED,
    body=f"words {Marker('0' * 16, (KEY, OTHER))}",
)


def test_a_pull_request_that_was_closed_unmerged_rejects_all_it_was_about() -> None:
    assert rejected(Survey(pulls=(CLOSED,)), ProposalSettings()) == {KEY: CLOSED, OTHER: CLOSED}


def test_the_newest_of_several_is_named() -> None:
    newer = replace(CLOSED, number=9)

    found = rejected(Survey(pulls=(newer, CLOSED)), ProposalSettings())

    assert found[KEY].number == 9


@pytest.mark.parametrize(
    "pull",
    [
        pytest.param(replace(CLOSED, state=PullState.OPEN), id="open"),
        pytest.param(replace(CLOSED, state=PullState.MERGED), id="merged"),
        pytest.param(replace(CLOSED, body=as_obsolete(CLOSED.body)), id="closed-by-digestbot"),
        pytest.param(replace(CLOSED, is_from_here=False), id="from-a-fork"),
        pytest.param(replace(CLOSED, is_own=False), id="by-somebody-else"),
        pytest.param(replace(CLOSED, branch="mine"), id="from-another-branch"),
        pytest.param(replace(CLOSED, body="words"), id="without-a-marker"),
        pytest.param(replace(CLOSED, body=CLOSED.body * 2), id="with-two-markers"),
    ],
)
def test_nothing_else_rejects(pull: Pull) -> None:
    assert rejected(Survey(pulls=(pull,)), ProposalSettings()) == {}


def test_a_forge_without_pull_requests_rejects_nothing() -> None:
    assert rejected(Survey(), ProposalSettings()) == {}
