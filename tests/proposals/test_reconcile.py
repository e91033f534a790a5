"""Whatever happens in whatever order: one right pull request per group, and then silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digestbot.forge.pull import Checks, Pull, PullState
from digestbot.forge.seal import is_ours
from digestbot.forge.sha import CommitSha
from digestbot.forge.steps import ClosePull, EnableAutoMerge, Merge, OpenPull
from digestbot.proposals.grouping import is_managed
from digestbot.proposals.marker import read_marker
from digestbot.proposals.outcome import Outcome
from digestbot.proposals.situation import situations
from digestbot.proposals.updates import updates_of
from digestbot.proposals.wanted import refreshed
from tests.proposals.builders import IMAGES, World, dockerfile, scanned, world
from tests.proposals.memory import Fault, KilledError, unsettled

NAMES = ("python:3", "golang:1")
FILES = {"Dockerfile": dockerfile(*NAMES), "web/Dockerfile": dockerfile("python:3")}


def move_tag(w: World, n: int) -> None:
    w.digests[NAMES[n % 2]] = n % 4


def lose_tag(w: World, n: int) -> None:
    w.digests.pop(NAMES[n % 2], None)


def move_base(w: World, n: int) -> None:
    w.held.push({"README": b"%d" % n})


def conflict(w: World, n: int) -> None:
    w.held.push({"Dockerfile": b"# %d\n" % n + dockerfile(*NAMES, at=n)})


def bump_by_hand(w: World, n: int) -> None:
    w.held.push({"web/Dockerfile": dockerfile("python:3", at=n % 4)})


def regroup(w: World, n: int) -> None:
    w.settings = replace(w.settings, group=("repo", "image")[n % 2])


def close(w: World, n: int) -> None:
    for pull in w.held.open_pulls()[:1]:
        w.held.close(pull.number)


def merge(w: World, n: int) -> None:
    for pull in w.held.open_pulls()[:1]:
        if pull.mergeable == "yes":
            w.held.merge(pull.number)


def push_to_ours(w: World, n: int) -> None:
    for pull in w.held.open_pulls()[:1]:
        w.held.push({"mine": b"%d" % n}, pull.branch)


def tick(w: World, n: int) -> None:
    for pull in w.held.open_pulls()[:1]:
        w.held.change(
            pull.number, lambda one: replace(one, body=one.body.replace("- [ ]", "- [x]"))
        )


def rewrite(w: World, n: int) -> None:
    for pull in w.held.open_pulls()[:1]:
        w.held.change(pull.number, lambda one: replace(one, title="mine", body="mine"))


def propose(w: World, n: int) -> None:
    w.held.open(f"theirs-{n}", {"web/Dockerfile": dockerfile("python:3", at=n % 4)})


def kill_before(w: World, n: int) -> None:
    w.forge.fault = Fault(n % 4, KilledError())


def kill_after(w: World, n: int) -> None:
    w.forge.fault = Fault(n % 4, KilledError(), is_after=True)


def fail_after(w: World, n: int) -> None:
    w.forge.fault = Fault(n % 4, unsettled("502"), is_after=True)


def run(w: World, n: int) -> None:
    try:
        w.run()
    except KilledError:
        w.forge.fault = None


EVENTS: list[Callable[[World, int], None]] = [
    move_tag,
    lose_tag,
    move_base,
    conflict,
    bump_by_hand,
    regroup,
    close,
    merge,
    push_to_ours,
    tick,
    rewrite,
    propose,
    kill_before,
    kill_after,
    fail_after,
    run,
    run,
    run,
]
HISTORIES = st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 11)), max_size=14)


def rejected_keys(w: World) -> set[str]:
    """What people closed, read anew from what is there."""
    markers = [
        read_marker(one.body) for one in w.held.pulls.values() if one.state is PullState.CLOSED
    ]
    return {key for one in markers if one is not None and not one.is_obsolete for key in one.keys}


@settings(max_examples=150)
@given(HISTORIES)
def test_after_any_history_there_is_one_right_pull_request_per_group_and_then_silence(
    history: list[tuple[Callable[[World, int], None], int]],
) -> None:
    w = world(FILES, dict.fromkeys(NAMES, 1))
    for event, n in history:
        event(w, n)
    w.forge.fault = None
    no = rejected_keys(w)
    w.run()
    state, plan = w.held.state(), w.plan()

    again = w.run()

    assert (again, w.held.state()) == ([], state)
    outcomes = {verdict.branch: verdict.outcome for verdict in plan.verdicts}
    branches = [pull.branch for pull in w.held.open_pulls()]
    assert len(branches) == len(set(branches))
    for pull in w.held.open_pulls():
        if outcomes[pull.branch] is Outcome.UNCHANGED:
            check_content(w, pull.branch, no)
    for proposal in plan.proposals:
        assert outcomes[proposal.branch] in {Outcome.UNCHANGED, Outcome.HANDS_OFF, Outcome.KEPT}


def check_content(w: World, branch: str, no: set[str]) -> None:
    """What an open proposal of ours brings is what the tags have, and nothing was refused."""
    (proposal,) = [one for one in w.plan().proposals if one.branch == branch]
    assert is_ours(w.held.branch(branch))
    assert not {one.key for one in proposal.updates} & no
    left = updates_of(scanned(w.held.files(branch), w.digests))
    paths = {file.path for file in proposal.files}
    still = {
        one.key for one in left if {finding.occurrence.path for finding in one.findings} & paths
    }
    # Files that the base changed since, without a conflict, follow once this is merged.
    if w.held.branch(branch).parents == (w.held.branches["main"],):
        assert not still & {one.key for one in proposal.updates}


@settings(max_examples=60)
@given(HISTORIES)
def test_nothing_rejected_is_ever_opened_again(
    history: list[tuple[Callable[[World, int], None], int]],
) -> None:
    w = world(FILES, dict.fromkeys(NAMES, 1))

    for event, n in history:
        no, before = rejected_keys(w), len(w.forge.performed)
        event(w, n)
        for step in w.forge.performed[before:]:
            marker = read_marker(step.body) if isinstance(step, OpenPull) else None
            assert marker is None or not set(marker.keys) & no


def test_a_branch_of_somebody_else_under_our_name_is_left_alone() -> None:
    w = world()
    w.held.commit(IMAGES, {"mine": b"1"}, (w.held.branches["main"],), "mine")

    assert w.run() == []
    (verdict,) = w.plan().verdicts
    assert (verdict.outcome, verdict.number) == (Outcome.HANDS_OFF, 0)


def test_a_branch_with_our_prefix_that_no_proposal_travels_on_is_not_ours_to_delete() -> None:
    w = world(digests={"python:3": 0})
    w.held.commit("digestbot/rollout/7", {}, (w.held.branches["main"],), "theirs")

    assert w.run() == []
    assert "digestbot/rollout/7" in w.held.branches
    assert not is_managed("digestbot/rollout/7", w.settings)


def test_a_branch_that_a_killed_run_left_is_deleted_when_nothing_is_wanted_any_more() -> None:
    w = world()
    w.forge.fault = Fault(0, KilledError(), is_after=True)
    run(w, 0)
    w.digests["python:3"] = 0

    w.run()

    assert IMAGES not in w.held.branches


def test_nothing_is_planned_where_proposals_are_switched_off() -> None:
    w = world(enabled=False)

    assert w.plan().steps == ()


def test_what_somebody_opened_from_our_branch_is_not_closed_as_ours() -> None:
    w = world()
    w.run()
    w.held.change(1, lambda one: replace(one, is_own=False, body="mine"))
    w.digests["python:3"] = 0

    steps = w.run()

    assert ClosePull not in [type(step) for step in steps]


def open_as_reader(w: World, *, base: str = "main", body: str = "") -> int:
    """Somebody who may only read opens a pull request from the branch that is there."""
    number = len(w.held.pulls) + 1
    ours = Pull(number, "", IMAGES, w.held.branches[IMAGES], base, PullState.OPEN, body=body)
    w.held.pulls[number] = replace(ours, is_own=False)
    return number


def with_a_branch_of_a_person(w: World) -> World:
    w.held.commit(
        IMAGES, {**w.held.files(), "mine": b"work"}, (w.held.branches["main"],), "by hand"
    )
    return w


def test_a_reader_cannot_have_the_branch_of_a_person_built_anew() -> None:
    w = with_a_branch_of_a_person(world())
    open_as_reader(w, body="- [x] <!-- digestbot:rebuild -->")

    w.run()

    assert w.held.files(IMAGES)["mine"] == b"work"


def test_a_reader_who_closes_a_pull_request_does_not_give_the_branch_of_a_person_away() -> None:
    w = with_a_branch_of_a_person(world())
    w.held.close(open_as_reader(w))

    w.run()

    assert w.held.files(IMAGES)["mine"] == b"work"


def test_the_branch_of_a_person_is_not_deleted_once_it_is_merged() -> None:
    w = with_a_branch_of_a_person(world(digests={"python:3": 0}))
    w.held.merge(open_as_reader(w))

    w.run()

    assert IMAGES in w.held.branches


def test_a_reader_cannot_hold_up_an_update_by_sending_its_branch_elsewhere() -> None:
    w = world()
    w.run()
    w.held.commit("next", w.held.files(), (w.held.branches["main"],), "begin next")
    open_as_reader(w, base="next")
    w.held.close(1)
    w.digests["python:3"] = 2

    w.run()

    assert w.pull.base == "main"
    assert w.held.files(IMAGES) == {"Dockerfile": dockerfile("python:3", at=2)}


def test_a_branch_is_kept_as_long_as_somebody_has_it_in_a_pull_request_elsewhere() -> None:
    w = world()
    w.run()
    w.held.commit("next", w.held.files(), (w.held.branches["main"],), "begin next")
    other = open_as_reader(w, base="next")
    w.digests["python:3"] = 0

    w.run()

    assert w.held.pulls[1].state is PullState.CLOSED
    assert w.held.pulls[other].state is PullState.OPEN
    assert IMAGES in w.held.branches


@pytest.mark.parametrize("allows_auto_merge", [False, True])
@pytest.mark.parametrize(
    "change", [{"is_own": False}, {"head": CommitSha("7" * 40)}], ids=["of-a-reader", "pushed-to"]
)
def test_only_our_own_commit_in_our_own_pull_request_is_merged(
    change: dict[str, Any], allows_auto_merge: bool
) -> None:
    w = world(automerge=True)
    w.held.allows_auto_merge = allows_auto_merge
    w.run()
    repo = w.held.shown()
    survey = w.forge.survey(repo, [IMAGES])
    assert repo.head is not None
    assert survey.pulls is not None
    green = replace(survey.pulls[0], checks=Checks.PASSING, was_auto_merged=False)
    site = situations(repo, repo.head, replace(survey, pulls=(green,)), w.settings)[IMAGES]
    (proposal,) = w.plan().proposals

    usual = refreshed(site, green, proposal, w.writer)
    odd = refreshed(site, replace(green, **change), proposal, w.writer)

    assert {type(step) for step in usual.steps} & {Merge, EnableAutoMerge}
    assert odd.steps == ()


def test_a_pull_request_without_a_marker_gets_its_words_back_once() -> None:
    w = world()
    w.run()
    rewrite(w, 0)

    first, second = w.run(), w.run()

    assert (len(first), second) == (1, [])
    assert read_marker(w.pull.body) is not None


def test_a_branch_that_a_killed_run_left_is_built_anew_when_the_base_moved_since() -> None:
    w = world()
    w.forge.fault = Fault(0, KilledError(), is_after=True)
    run(w, 0)
    head = w.held.push({"README": b"new"})

    w.run()

    assert w.held.branch(IMAGES).parents == (head,)
    assert w.pull.number == 1


def test_commits_of_others_that_were_closed_with_a_pull_request_do_not_block_the_next() -> None:
    w = world()
    w.run()
    push_to_ours(w, 0)
    w.held.close(1)
    w.digests["python:3"] = 2

    w.run()

    assert w.pull.number == 2
    assert w.held.files(IMAGES) == {"Dockerfile": dockerfile("python:3", at=2)}


def test_what_is_closed_makes_room_for_what_is_opened() -> None:
    w = world(open_limit=1)
    w.run()
    regroup(w, 1)

    w.run()

    assert [one.number for one in w.held.open_pulls()] == [2]
