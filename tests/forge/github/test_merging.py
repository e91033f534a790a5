from __future__ import annotations

from typing import Any

import pytest
from graphql import parse, validate

from digestbot.forge.errors import RefusedError, UnsettledError
from digestbot.forge.github.merging import (
    DEQUEUE,
    DISABLE_AUTO_MERGE,
    ENABLE_AUTO_MERGE,
    IN_QUEUE,
    MERGE_TARGET,
)
from digestbot.forge.steps import (
    DisableAutoMerge,
    EnableAutoMerge,
    Merge,
)
from tests.forge.github.scene import BRANCH, NAME, acting, error_of
from tests.github import schemas
from tests.github.errors import ApiError


@pytest.mark.parametrize(
    "document", [MERGE_TARGET, ENABLE_AUTO_MERGE, DISABLE_AUTO_MERGE, IN_QUEUE, DEQUEUE]
)
def test_every_document_is_one_that_github_understands(document: str) -> None:
    assert validate(schemas.graphql(), parse(document)) == []


def test_github_merges_once_its_rules_are_met() -> None:
    with acting(allow_auto_merge=True, required_checks=("ci",)) as scene:
        number = scene.propose()
        head = scene.need_head()
        scene.do(EnableAutoMerge(number, head))
        scene.do(EnableAutoMerge(number, head))

        before = scene.pull(number).state
        scene.github.set_checks(NAME, head.value, ci="success")
        after = scene.pull(number).state

        assert (before, after) == ("open", "merged")
        assert scene.asked.count("EnableAutoMerge") == 1


@pytest.mark.parametrize(
    "is_on, code", [(False, "auto-merge-off"), (True, "clean-status")], ids=["off", "clean"]
)
def test_where_github_does_not_merge_by_itself_the_reason_says_to_merge(
    is_on: bool, code: str
) -> None:
    with acting(allow_auto_merge=is_on) as scene:
        number = scene.propose()
        error = error_of(scene, EnableAutoMerge(number, scene.need_head()))
        scene.do(Merge(number, scene.need_head()))

        assert error is not None
        assert error.code == code
        assert scene.pull(number).state == "merged"


@pytest.mark.parametrize(
    "said, code",
    [
        ("Pull request Pull request is in unstable status", "clean-status"),
        ("Pull request Protected branch rules not configured for this branch", "clean-status"),
        ("Pull request Auto merge is not allowed for this repository", "auto-merge-off"),
        ("Pull request User is not authorized for this protected branch", "protected"),
    ],
)
def test_what_github_says_of_auto_merge_is_understood(said: str, code: str) -> None:
    def refuse() -> None:
        raise ApiError(200, said)

    with acting(allow_auto_merge=True) as scene:
        number = scene.propose()
        scene.github.faults.add(refuse, operation="enablePullRequestAutoMerge")

        error = error_of(scene, EnableAutoMerge(number, scene.need_head()))

    assert isinstance(error, RefusedError)
    assert error.code == code


@pytest.mark.parametrize(
    "allowed",
    ["allow_merge_commit", "allow_squash_merge", "allow_rebase_merge"],
)
def test_the_method_is_one_that_the_repo_allows(allowed: str) -> None:
    methods = ("allow_merge_commit", "allow_squash_merge", "allow_rebase_merge")
    settings: dict[str, Any] = {one: one == allowed for one in methods}
    with acting(**settings) as scene:
        number = scene.propose()
        step = Merge(number, scene.need_head())

        scene.do(step)
        scene.do(step)

        assert scene.pull(number).state == "merged"
        assert scene.asked.count("pulls/merge") == 1


def test_a_blocked_merge_is_refused_with_its_reason() -> None:
    with acting(required_reviews=1) as scene:
        number = scene.propose()
        error = error_of(scene, Merge(number, scene.need_head()))

        assert isinstance(error, RefusedError)
        assert error.code == "not-mergeable"
        assert "approving review" in str(error)


@pytest.mark.parametrize("kind", [Merge, EnableAutoMerge])
def test_a_head_that_somebody_moved_is_not_merged(
    kind: type[Merge | EnableAutoMerge],
) -> None:
    with acting(allow_auto_merge=True) as scene:
        number = scene.propose()
        step = kind(number, scene.need_head())
        scene.github.commit(NAME, BRANCH, {"theirs": b"x"})
        scene.github.restart_log()

        assert isinstance(error_of(scene, step), UnsettledError)
        assert scene.github.writes == []
        assert scene.pull(number).state == "open"


@pytest.mark.parametrize(
    "kind, where",
    [
        (Merge, {"method": "PUT"}),
        (EnableAutoMerge, {"operation": "enablePullRequestAutoMerge"}),
    ],
)
def test_a_head_that_moves_in_between_is_not_merged(
    kind: type[Merge | EnableAutoMerge], where: dict[str, Any]
) -> None:
    with acting(allow_auto_merge=True) as scene:
        number = scene.propose()
        step = kind(number, scene.need_head())
        scene.github.faults.add(
            lambda: scene.github.commit(NAME, BRANCH, {"theirs": b"x"}), **where
        )

        assert isinstance(error_of(scene, step), UnsettledError)
        assert scene.pull(number).state == "open"


def test_what_github_would_merge_by_itself_is_taken_back() -> None:
    with acting(allow_auto_merge=True, required_checks=("ci",)) as scene:
        number = scene.propose()
        head = scene.need_head()
        scene.do(EnableAutoMerge(number, head))

        scene.do(DisableAutoMerge(number))
        scene.do(DisableAutoMerge(number))

        scene.github.set_checks(NAME, head.value, ci="success")
        assert scene.pull(number).state == "open"
        assert scene.asked.count("DisableAutoMerge") == 1


@pytest.mark.parametrize("how", ["open", "closed", "merged"])
def test_where_github_would_merge_nothing_nothing_is_written(how: str) -> None:
    with acting(allow_auto_merge=True) as scene:
        number = scene.propose()
        if how == "closed":
            scene.github.close_pull(NAME, number)
        if how == "merged":
            scene.github.merge_pull(NAME, number)
        scene.github.restart_log()

        scene.do(DisableAutoMerge(number))

        assert scene.github.writes == []


def test_what_stands_in_a_merge_queue_is_taken_out_of_it() -> None:
    with acting(allow_auto_merge=True, required_checks=("ci",)) as scene:
        number = scene.propose()
        pull = scene.github.pull(NAME, number)
        # GitHub forgets the order to merge once it is in the queue.
        pull.is_queued = True

        scene.do(DisableAutoMerge(number))

        assert not pull.is_queued


def test_where_github_knows_no_queue_the_order_is_withdrawn_all_the_same() -> None:
    with acting(allow_auto_merge=True, required_checks=("ci",)) as scene:
        number = scene.propose()
        scene.do(EnableAutoMerge(number, scene.need_head()))

        def refuse() -> None:
            raise ApiError(200, "Field 'isInMergeQueue' doesn't exist", kind="undefinedField")

        scene.github.faults.add(refuse, operation="InQueue")

        scene.do(DisableAutoMerge(number))

        assert scene.github.pull(NAME, number).auto_merge is None


def test_somebody_who_takes_it_back_in_between_does_no_harm() -> None:
    with acting(allow_auto_merge=True, required_checks=("ci",)) as scene:
        number = scene.propose()
        scene.do(EnableAutoMerge(number, scene.need_head()))
        pull, ann = scene.github.pull(NAME, number), scene.github.user("ann")
        scene.github.faults.add(
            lambda: scene.github.life.disable_auto_merge(pull, ann),
            operation="disablePullRequestAutoMerge",
        )

        scene.do(DisableAutoMerge(number))

        assert pull.auto_merge is None


def test_a_write_of_which_nobody_knows_can_be_done_again() -> None:
    with acting(allow_auto_merge=True, required_checks=("ci",)) as scene:
        number = scene.propose()
        scene.do(EnableAutoMerge(number, scene.need_head()))
        scene.github.faults.add("502-after", operation="disablePullRequestAutoMerge")

        assert isinstance(error_of(scene, DisableAutoMerge(number)), UnsettledError)
        scene.do(DisableAutoMerge(number))

        assert scene.github.pull(NAME, number).auto_merge is None
