"""The forge in memory tells how pull requests fare as a real one would."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digestbot.forge.errors import RefusedError
from digestbot.forge.pull import Gate, Mergeable, PullState
from digestbot.forge.steps import AddLabels, DisableAutoMerge, EnableAutoMerge, OpenPull
from digestbot.forge.watching import ChecksOf, PullId, PullStatus, Review
from tests.proposals.memory import MemoryForge, MemoryRepo, Said, checks_of

NAME = "acme/app"


def a_repo(ci: Said | None = None, base: Said | None = None) -> MemoryRepo:
    """A repo with one pull request."""
    repo = MemoryRepo.of({"Dockerfile": b"FROM a\n"})
    repo.ci, repo.base_ci = ci or {}, base or {}
    repo.open("digestbot/images", {"Dockerfile": b"FROM b\n"})
    return repo


def status(repo: MemoryRepo, number: int = 1) -> PullStatus:
    one = PullId(repo.name, number)
    return MemoryForge.of(repo).statuses([one])[one]


def test_an_open_pull_request_is_told() -> None:
    repo = a_repo()
    base = repo.branches["main"]
    repo.labels[1], repo.reviews[1] = ("patch",), Review.APPROVED
    repo.change(1, lambda one: replace(one, gate=Gate.OPEN))

    assert status(repo) == PullStatus(
        state=PullState.OPEN,
        head=repo.branches["digestbot/images"],
        base=base,
        url=f"https://forge.example/{NAME}/pull/1",
        mergeable=Mergeable.YES,
        gate=Gate.OPEN,
        review=Review.APPROVED,
        labels=("patch",),
    )


@pytest.mark.parametrize(
    "said, expected",
    [
        pytest.param({}, ChecksOf(), id="none"),
        pytest.param({"build": "SUCCESS", "docs": "SKIPPED"}, ChecksOf(passed=2), id="green"),
        pytest.param({"build": None, "lint": "QUEUED"}, ChecksOf(pending=2), id="running"),
        pytest.param(
            {"z": "failure", "a": "TIMED_OUT", "b": "SUCCESS"},
            ChecksOf(failing=("a", "z"), passed=1),
            id="red",
        ),
    ],
)
def test_ci_says_what_it_was_told(said: Said, expected: ChecksOf) -> None:
    assert checks_of(said) == expected
    assert status(a_repo(said)).checks == expected


def test_what_fails_on_the_base_is_no_new_failure() -> None:
    repo = a_repo({"build": "FAILURE", "lint": "FAILURE"}, {"lint": "FAILURE"})

    assert status(repo).new_failures == ("build",)


def test_the_base_stays_what_it_was_when_the_change_is_in() -> None:
    repo = a_repo({"build": "FAILURE"})
    before = status(repo).base
    repo.merge(1)
    repo.checks[repo.branches["main"]] = {"build": "FAILURE"}

    found = status(repo)

    assert (found.state, found.base) == (PullState.MERGED, before)
    assert found.new_failures == ("build",)


def test_one_commit_may_be_judged_by_itself() -> None:
    repo = a_repo({"build": None})
    repo.checks[status(repo).head] = {"build": "SUCCESS"}

    assert status(repo).checks == ChecksOf(passed=1)


def test_what_is_not_there_lacks() -> None:
    forge = MemoryForge.of(a_repo())

    assert forge.statuses([PullId("acme/gone", 1), PullId(NAME, 9)]) == {}


def test_auto_merge_is_taken_back() -> None:
    repo = a_repo()
    forge = MemoryForge.of(repo)
    head = status(repo).head
    forge.perform(repo.shown(), EnableAutoMerge(1, head))
    waiting = set(repo.auto_merging)

    forge.perform(repo.shown(), DisableAutoMerge(1))
    forge.perform(repo.shown(), DisableAutoMerge(1))

    assert (waiting, repo.auto_merging) == ({1}, set())


def test_what_ended_waits_for_nothing() -> None:
    repo = a_repo()
    MemoryForge.of(repo).perform(repo.shown(), EnableAutoMerge(1, status(repo).head))

    repo.close(1)

    assert repo.auto_merging == set()


def test_labels_that_were_added_are_told() -> None:
    repo = a_repo()
    forge = MemoryForge.of(repo)
    repo.commit("digestbot/more", repo.files(), (repo.branches["main"],), "more")
    forge.perform(repo.shown(), OpenPull("digestbot/more", "main", "t", "b"))
    forge.perform(repo.shown(), AddLabels(2, ("patch",)))

    assert status(repo, 2).labels == ("patch",)


def test_an_issue_is_kept() -> None:
    repo = a_repo()
    forge = MemoryForge.of(repo)

    first = forge.track(NAME, 0, "t", "50 %")
    again = forge.track(NAME, 0, "t", "60 %")
    other = forge.track(NAME, 0, "u", "")
    forge.track(NAME, first, "t, done", "100 %")

    assert first == again
    assert repo.issues == {first: ("t, done", "100 %"), other: ("u", "")}
    with pytest.raises(RefusedError):
        forge.track(NAME, 7, "t", "b")
