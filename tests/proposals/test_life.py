"""The life of a proposal, line by line: what happens, and what digestbot does."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from digestbot.forge.errors import UnsettledError
from digestbot.forge.pull import Checks, PullState
from digestbot.forge.repo import Mode
from digestbot.forge.seal import is_ours
from digestbot.forge.steps import (
    AddLabels,
    Assign,
    ClosePull,
    Comment,
    DeleteBranch,
    EditPull,
    EnableAutoMerge,
    Merge,
    OpenPull,
    PushBranch,
    RequestReviews,
    Step,
)
from digestbot.proposals.budget import Room
from digestbot.proposals.outcome import Outcome
from digestbot.proposals.settings import Rebase
from tests.proposals.builders import IMAGES, World, dockerfile, world
from tests.proposals.memory import Fault, KilledError, unsettled, with_checks


def kinds(steps: list[Step] | tuple[Step, ...]) -> list[type[Step]]:
    return [type(step) for step in steps]


def opened(**settings: Any) -> World:
    """A world in which a pull request is open."""
    made = world(**settings)
    made.run()
    return made


def test_nothing_open_and_updates_exist_gives_one_branch_one_commit_one_pull_request() -> None:
    w = world(reviewers=("ann",), assignees=("bob",), draft=True)
    w.settings = replace(w.settings, labels=("deps",))
    head = w.held.branches["main"]

    w.run()

    branch = w.held.branch(IMAGES)
    assert branch.parents == (head,)
    assert is_ours(branch)
    assert w.held.files(IMAGES) == {"Dockerfile": dockerfile("python:3", at=1)}
    assert (w.pull.base, w.pull.is_draft) == ("main", True)
    number = w.pull.number
    assert (w.held.labels, w.held.reviewers) == ({number: ("deps",)}, {number: ("ann",)})
    assert w.held.assignees == {number: ("bob",)}


def test_run_again_with_nothing_new_writes_nothing() -> None:
    w = opened(reviewers=("ann",))
    state, bodies = w.held.state(), w.writer.bodies

    again = w.run()

    assert (again, w.held.state(), w.writer.bodies) == ([], state, bodies)
    assert w.outcome() is Outcome.UNCHANGED


def test_the_tag_moves_again_and_the_same_branch_and_pull_request_follow() -> None:
    w = opened()
    before = w.pull
    w.digests["python:3"] = 2

    steps = w.run()

    assert kinds(steps) == [PushBranch, EditPull]
    assert w.pull.number == before.number
    assert w.pull.body != before.body
    assert w.held.files(IMAGES)["Dockerfile"] == dockerfile("python:3", at=2)
    assert w.run() == []


@pytest.mark.parametrize(
    ("rebase", "expected"),
    [
        pytest.param(Rebase.CONFLICT, [], id="left-alone"),
        pytest.param(Rebase.BEHIND, [PushBranch], id="rebuilt"),
        pytest.param(Rebase.NEVER, [], id="never"),
    ],
)
def test_the_base_moves_without_a_conflict(rebase: Rebase, expected: list[type[Step]]) -> None:
    w = opened(rebase=rebase)
    w.held.push({"README": b"new\n"})

    steps = w.run()

    assert kinds(steps) == expected
    assert w.run() == []


@pytest.mark.parametrize(
    ("rebase", "expected"),
    [
        pytest.param(Rebase.CONFLICT, [PushBranch, EditPull], id="conflict"),
        pytest.param(Rebase.BEHIND, [PushBranch, EditPull], id="behind"),
        pytest.param(Rebase.NEVER, [], id="never"),
    ],
)
def test_a_conflict_with_the_base_rebuilds_the_branch_from_its_head(
    rebase: Rebase, expected: list[type[Step]]
) -> None:
    w = opened(rebase=rebase)
    head = w.held.push({"Dockerfile": b"# new\n" + dockerfile("python:3", at=9)})

    steps = w.run()

    assert kinds(steps) == expected
    if expected:
        assert w.held.branch(IMAGES).parents == (head,)
        assert w.held.files(IMAGES)["Dockerfile"] == b"# new\n" + dockerfile("python:3", at=1)
    assert w.run() == []


def test_someone_else_pushed_and_digestbot_keeps_its_hands_off_and_says_so_once() -> None:
    w = opened()
    w.held.push({"README": b"mine\n"}, IMAGES)
    w.digests["python:3"] = 2

    steps = w.run()

    assert kinds(steps) == [Comment]
    assert w.outcome() is Outcome.HANDS_OFF
    assert w.run() == []
    assert w.held.files(IMAGES)["README"] == b"mine\n"


def test_hands_stay_off_when_the_updates_vanish() -> None:
    w = opened()
    w.held.push({"README": b"mine\n"}, IMAGES)
    w.digests["python:3"] = 0

    steps = w.run()

    assert kinds(steps) == [Comment]
    assert w.pull.state is PullState.OPEN


def test_a_ticked_box_has_a_branch_rebuilt_that_somebody_pushed_to() -> None:
    w = opened()
    w.held.push({"README": b"mine\n"}, IMAGES)
    w.held.change(w.pull.number, lambda one: replace(one, body=one.body.replace("[ ]", "[x]")))

    steps = w.run()

    assert kinds(steps) == [PushBranch, EditPull]
    assert "README" not in w.held.files(IMAGES)
    assert "[ ]" in w.pull.body
    assert w.run() == []


def test_a_ticked_box_ends_what_somebody_pushed_to_where_nothing_is_left_to_update() -> None:
    w = opened()
    w.held.push({"README": b"mine\n"}, IMAGES)
    w.digests["python:3"] = 0
    w.run()
    w.held.change(w.pull.number, lambda one: replace(one, body=one.body.replace("[ ]", "[x]")))

    steps = w.run()

    assert kinds(steps) == [Comment, ClosePull, DeleteBranch]
    assert w.held.open_pulls() == []


def test_updates_vanish_and_the_pull_request_is_closed_with_a_comment_and_its_branch_deleted() -> (
    None
):
    w = opened()
    number = w.pull.number
    w.held.push({"Dockerfile": dockerfile("python:3", at=1)})

    steps = w.run()

    assert kinds(steps) == [Comment, ClosePull, DeleteBranch]
    assert w.held.pulls[number].state is PullState.CLOSED
    assert IMAGES not in w.held.branches
    assert w.run() == []


def test_what_digestbot_closed_is_no_rejection() -> None:
    w = opened()
    w.digests["python:3"] = 0
    w.run()
    w.digests["python:3"] = 1

    w.run()

    assert w.pull.number == 2


def test_closed_unmerged_by_a_human_rejects_this_digest_and_not_the_next() -> None:
    w = opened()
    w.held.close(w.pull.number)

    assert w.run() == []
    assert w.outcome() is Outcome.REJECTED

    w.digests["python:3"] = 2
    w.run()

    assert w.held.files(IMAGES)["Dockerfile"] == dockerfile("python:3", at=2)
    assert w.pull.number == 2
    w.digests["python:3"] = 1
    w.run()
    assert w.held.open_pulls() == []


def test_a_closed_pull_request_rejects_what_it_was_about_and_nothing_else() -> None:
    w = world({"Dockerfile": dockerfile("python:3", "golang:1")}, {"python:3": 1, "golang:1": 0})
    w.run()
    w.held.close(w.pull.number)
    w.digests["golang:1"] = 1

    w.run()

    assert w.held.files(IMAGES)["Dockerfile"] == b"".join(
        (dockerfile("python:3"), dockerfile("golang:1", at=1))
    )


@pytest.mark.parametrize("by_forge", [True, False])
def test_merged_and_the_branch_is_gone(by_forge: bool) -> None:
    w = opened()
    w.held.deletes_branches = by_forge
    w.held.merge(w.pull.number)

    steps = w.run()

    assert kinds(steps) == ([] if by_forge else [DeleteBranch])
    assert IMAGES not in w.held.branches
    assert w.run() == []


def test_a_merged_branch_that_was_left_is_used_again() -> None:
    w = opened()
    w.held.merge(w.pull.number)
    w.digests["python:3"] = 2

    w.run()

    assert w.pull.number == 2
    assert w.held.branch(IMAGES).parents == (w.held.branches["main"],)


def test_another_pull_request_that_sets_the_digest_counts_as_ours() -> None:
    w = world()
    w.held.open("renovate/python", {"Dockerfile": dockerfile("python:3", at=1)})

    assert w.run() == []
    assert w.outcome() is Outcome.ADOPTED


@pytest.mark.parametrize(
    ("at", "is_from_here"),
    [
        pytest.param(2, True, id="another-digest"),
        pytest.param(1, False, id="from-a-fork"),
    ],
)
def test_another_pull_request_does_not_count(at: int, is_from_here: bool) -> None:
    w = world()
    content = {"Dockerfile": dockerfile("python:3", at=at)}
    w.held.open("theirs", content, is_from_here=is_from_here)

    w.run()

    assert w.held.files(IMAGES)["Dockerfile"] == dockerfile("python:3", at=1)


def test_what_is_open_stays_open_when_somebody_else_proposes_it_too() -> None:
    w = opened()
    w.held.open("renovate/python", {"Dockerfile": dockerfile("python:3", at=1)})

    assert w.run() == []
    assert w.outcome() is Outcome.UNCHANGED


def test_the_file_is_gone_and_its_proposal_too() -> None:
    w = opened()
    w.held.push({"Dockerfile": None, "README": b"x"})

    w.run()

    assert w.held.open_pulls() == []
    assert w.run() == []


def test_the_file_is_renamed_and_the_proposal_follows() -> None:
    w = opened()
    w.held.push({"Dockerfile": None, "web.Dockerfile": dockerfile("python:3")})

    w.run()

    assert w.held.files(IMAGES) == {"web.Dockerfile": dockerfile("python:3", at=1)}
    assert w.pull.number == 1


def test_the_base_is_renamed_and_nothing_happens() -> None:
    w = opened()
    w.held.rename_base("trunk")

    assert w.run() == []
    assert w.pull.base == "trunk"


def test_a_pull_request_to_another_base_is_left_to_whoever_sent_it_there() -> None:
    w = opened()
    w.held.commit("next", w.held.files(), (w.held.branches["main"],), "begin next")
    w.held.change(w.pull.number, lambda one: replace(one, base="next"))
    w.digests["python:3"] = 2

    assert w.run() == []
    assert w.outcome() is Outcome.HANDS_OFF


STEPS = 5


@pytest.mark.parametrize(("at", "is_after"), list(product(range(STEPS), (False, True))))
@pytest.mark.parametrize("error", [KilledError(), unsettled("502")], ids=["killed", "502"])
def test_killed_or_answered_502_at_any_write_there_is_one_right_pull_request_in_the_end(
    at: int, is_after: bool, error: BaseException
) -> None:
    w = world(reviewers=("ann",), assignees=("bob",))
    w.settings = replace(w.settings, labels=("deps",))
    w.forge.fault = Fault(at, error, is_after)

    if isinstance(error, KilledError):
        with pytest.raises(KilledError):
            w.run()
    w.run()

    assert w.held.files(IMAGES)["Dockerfile"] == dockerfile("python:3", at=1)
    assert w.pull.number == 1
    assert (w.held.labels, w.held.assignees) == ({1: ("deps",)}, {1: ("bob",)})
    assert kinds(w.forge.performed).count(OpenPull) == 1
    assert w.run() == []


@pytest.mark.parametrize(("at", "is_after"), list(product(range(3), (False, True))))
def test_killed_while_closing_it_is_closed_in_the_end_and_said_once(
    at: int, is_after: bool
) -> None:
    w = opened()
    w.digests["python:3"] = 0
    w.forge.fault = Fault(at, KilledError(), is_after)

    with pytest.raises(KilledError):
        w.run()
    w.run()

    assert IMAGES not in w.held.branches
    assert len(w.held.pulls[1].comments) == 1
    w.digests["python:3"] = 1
    w.run()
    assert w.pull.number == 2


def test_killed_between_branch_and_words_and_the_words_follow() -> None:
    w = opened()
    w.digests["python:3"] = 2
    w.forge.fault = Fault(1, KilledError())
    with pytest.raises(KilledError):
        w.run()

    steps = w.run()

    assert kinds(steps) == [EditPull]
    assert w.run() == []


def test_what_somebody_undoes_is_not_done_again() -> None:
    w = world(reviewers=("ann",))
    w.settings = replace(w.settings, labels=("deps",))
    w.run()
    w.held.labels.clear()
    w.digests["python:3"] = 2

    steps = w.run()

    assert not {AddLabels, RequestReviews, Assign} & set(kinds(steps))


def test_auto_merge_is_asked_for_once_where_the_forge_can_and_there_are_checks() -> None:
    w = world(automerge=True)
    w.held.allows_auto_merge = True

    assert kinds(w.run()) == [PushBranch, OpenPull]
    assert w.run() == []
    w.held.change(w.pull.number, with_checks(Checks.PENDING))

    assert kinds(w.run()) == [EnableAutoMerge]
    assert w.run() == []


def test_auto_merge_is_asked_for_at_once_where_no_check_is_needed() -> None:
    w = world(automerge=True, automerge_without_checks=True)
    w.held.allows_auto_merge = True

    assert kinds(w.run()) == [PushBranch, OpenPull, EnableAutoMerge]


@pytest.mark.parametrize(
    ("checks", "is_without", "is_merged"),
    [
        pytest.param(Checks.PASSING, False, True, id="green"),
        pytest.param(Checks.PENDING, True, False, id="pending"),
        pytest.param(Checks.FAILING, True, False, id="red"),
        pytest.param(Checks.NONE, False, False, id="no-checks"),
        pytest.param(Checks.NONE, True, True, id="no-checks-allowed"),
    ],
)
def test_digestbot_merges_by_itself_only_what_is_green(
    checks: Checks, is_without: bool, is_merged: bool
) -> None:
    w = opened(automerge=True, automerge_without_checks=is_without)
    w.held.change(w.pull.number, with_checks(checks))

    steps = w.run()

    assert kinds(steps) == ([Merge, DeleteBranch] if is_merged else [])
    assert w.held.files()["Dockerfile"] == dockerfile("python:3", at=int(is_merged))


def test_a_draft_is_never_merged() -> None:
    w = opened(automerge=True, draft=True)
    w.held.change(w.pull.number, with_checks(Checks.PASSING))

    assert w.run() == []


def test_what_was_just_opened_is_not_merged_before_any_check_can_begin() -> None:
    w = world(automerge=True, automerge_without_checks=True)
    w.settings = replace(w.settings, labels=("deps",))

    steps = w.run()

    assert kinds(steps) == [PushBranch, OpenPull, AddLabels]


def test_an_image_that_cannot_be_looked_up_leaves_its_proposal_as_it_is() -> None:
    w = opened()
    w.digests.clear()

    assert w.run() == []
    assert w.outcome() is Outcome.KEPT


def test_an_image_that_cannot_be_looked_up_takes_none_from_a_shared_proposal() -> None:
    w = world({"Dockerfile": dockerfile("python:3", "golang:1")}, {"python:3": 1, "golang:1": 1})
    w.run()
    del w.digests["golang:1"]
    w.digests["python:3"] = 2

    assert w.run() == []
    assert w.outcome() is Outcome.KEPT


def test_an_incomplete_scan_closes_nothing() -> None:
    w = opened()
    w.held.push({"Dockerfile": None, "README": b"x"})
    w.is_complete = False

    assert w.run() == []
    assert w.outcome() is Outcome.KEPT


def test_an_incomplete_scan_refreshes_what_does_not_shrink() -> None:
    w = opened()
    w.is_complete = False
    w.digests["python:3"] = 2

    steps = w.run()

    assert kinds(steps) == [PushBranch, EditPull]


def test_without_room_in_the_run_nothing_is_written() -> None:
    w = world()
    w.room = Room(0, "20 an hour")

    assert w.run() == []
    (verdict,) = w.plan().verdicts
    assert (verdict.outcome, verdict.message) == (Outcome.LIMITED, "20 an hour")


def test_without_room_what_is_open_is_refreshed_all_the_same() -> None:
    w = opened()
    w.room = Room(0)
    w.digests["python:3"] = 2

    assert kinds(w.run()) == [PushBranch, EditPull]


def test_no_more_are_open_in_a_repo_than_may_be() -> None:
    images = ("python:3", "golang:1", "node:22")
    w = world({"Dockerfile": dockerfile(*images)}, dict.fromkeys(images, 1))
    w.settings = replace(w.settings, group="image", open_limit=2)

    w.run()

    assert len(w.held.open_pulls()) == 2
    assert [one.outcome for one in w.plan().verdicts].count(Outcome.LIMITED) == 1
    assert w.run() == []
    w.held.merge(1)
    w.run()
    assert len(w.held.open_pulls()) == 2


def test_another_grouping_closes_the_old_proposal_and_opens_the_new_ones() -> None:
    images = ("python:3", "golang:1")
    w = world({"Dockerfile": dockerfile(*images)}, dict.fromkeys(images, 1))
    w.run()
    w.settings = replace(w.settings, group="image")

    w.run()

    assert w.held.pulls[1].state is PullState.CLOSED
    assert {one.number for one in w.held.open_pulls()} == {2, 3}
    assert IMAGES not in w.held.branches
    assert w.run() == []


def test_a_rejection_holds_in_another_grouping() -> None:
    w = opened()
    w.held.close(w.pull.number)
    w.settings = replace(w.settings, group="image")

    assert w.run() == []


def test_a_forge_without_pull_requests_gets_branches() -> None:
    w = world()
    w.held.has_pulls = False

    first = w.run()
    outcome = w.outcome()
    w.digests["python:3"] = 2
    moved = w.run()
    w.digests["python:3"] = 0
    gone = w.run()

    assert [kinds(steps) for steps in (first, moved, gone)] == [
        [PushBranch],
        [PushBranch],
        [DeleteBranch],
    ]
    assert outcome is Outcome.UNCHANGED


def test_modes_are_kept() -> None:
    w = world()
    w.held.modes["Dockerfile"] = Mode.EXECUTABLE

    (push, _) = w.run()

    assert isinstance(push, PushBranch)
    assert [one.mode for one in push.files] == [Mode.EXECUTABLE]


def test_an_unsettled_step_ends_the_round_only() -> None:
    w = world()
    w.forge.fault = Fault(0, UnsettledError("no", code="x"))

    w.run()

    assert w.pull.number == 1
