from __future__ import annotations

from typing import get_args

import pytest

from digestbot.forge.errors import RefusedError, UnsettledError
from digestbot.forge.github.performing import _WAYS
from digestbot.forge.steps import (
    AddLabels,
    Assign,
    ClosePull,
    Comment,
    DeleteBranch,
    DisableAutoMerge,
    EditPull,
    EnableAutoMerge,
    Merge,
    OpenPull,
    RequestReviews,
    Step,
)
from tests.forge.github.scene import BRANCH, NAME, Scene, acting, error_of
from tests.github.faults import FaultKind
from tests.github.state import AutoMerge


def test_every_step_has_its_way() -> None:
    assert set(_WAYS) == set(get_args(Step))


def _steps(scene: Scene) -> list[Step]:
    """Every step, fit for a repo with an open proposal."""
    head = scene.need_head()
    return [
        scene.push(fingerprint="f" * 16),
        DeleteBranch(BRANCH, head),
        OpenPull("feature", "main", "t", "b"),
        EditPull(1, "t", "b"),
        ClosePull(1, "b"),
        Comment(1, "c"),
        AddLabels(1, ("l",)),
        RequestReviews(1, ("ann",)),
        Assign(1, ("ann",)),
        EnableAutoMerge(1, head),
        DisableAutoMerge(1),
        Merge(1, head),
    ]


def _step(scene: Scene, number: int) -> Step:
    """One of them, with something to do for it."""
    step = _steps(scene)[number]
    if isinstance(step, DisableAutoMerge):
        who = scene.github.user("ann")
        scene.github.pull(NAME, step.number).auto_merge = AutoMerge(who, "MERGE", 0.0)
    return step


STEPS = range(len(_WAYS))


def _proposed(scene: Scene) -> None:
    scene.github.user("ann")
    scene.propose()
    scene.github.commit(NAME, "feature", {"feature": b"x"})


@pytest.mark.parametrize("number", STEPS)
@pytest.mark.parametrize("what", ["502-before", "502-after", "drop-before", "drop-after"])
def test_a_write_of_which_nobody_knows_is_unsettled_and_never_repeated(
    number: int, what: FaultKind
) -> None:
    with acting(allow_auto_merge=True, required_checks=("ci",)) as scene:
        _proposed(scene)
        step = _step(scene, number)
        if isinstance(step, Merge):
            scene.github.set_checks(NAME, step.head.value, ci="success")
        scene.github.restart_log()
        _strike_writes(scene, what)

        error = error_of(scene, step)

        assert isinstance(error, UnsettledError)
        assert len(scene.github.writes) == 1


def _strike_writes(scene: Scene, what: FaultKind) -> None:
    for method in ("POST", "PATCH", "PUT"):
        scene.github.faults.add(what, method=method, path="/repos/*")
    for mutation in ("updateRefs", "enablePullRequestAutoMerge", "disablePullRequestAutoMerge"):
        scene.github.faults.add(what, operation=mutation)


@pytest.mark.parametrize("number", STEPS)
def test_a_repo_that_was_archived_meanwhile_is_refused(number: int) -> None:
    with acting(allow_auto_merge=True) as scene:
        _proposed(scene)
        step = _step(scene, number)
        scene.state.archived = True

        error = error_of(scene, step)

        assert isinstance(error, RefusedError)
        assert error.code == "archived"


@pytest.mark.parametrize("number", STEPS)
def test_a_repo_that_was_renamed_meanwhile_is_followed(number: int) -> None:
    with acting(allow_auto_merge=True, required_checks=("ci",)) as scene:
        _proposed(scene)
        step, repo = _step(scene, number), scene.repo
        if isinstance(step, Merge):
            scene.github.set_checks(NAME, step.head.value, ci="success")
        scene.github.rename(NAME, "acme/new")

        scene.do(step, repo)


@pytest.mark.parametrize("number", STEPS)
def test_a_token_that_expired_meanwhile_is_refused(number: int) -> None:
    with acting(allow_auto_merge=True) as scene:
        _proposed(scene)
        step = _step(scene, number)
        scene.github.faults.add("expired")

        error = error_of(scene, step)

        assert isinstance(error, RefusedError)
        assert error.code == "unauthorized"


@pytest.mark.parametrize("number", STEPS)
def test_a_token_that_may_not_write_is_refused_with_a_hint(number: int) -> None:
    with acting(allow_auto_merge=True) as scene:
        _proposed(scene)
        step = _step(scene, number)
        token = scene.github.token("reader", permissions={"metadata": "read", "contents": "read"})
        scene.state.permissions["reader"] = "READ"
        scene.session._tokens.token = lambda: token.value  # type: ignore[method-assign]

        error = error_of(scene, step)

        assert isinstance(error, RefusedError)
        assert error.hint
