from __future__ import annotations

import pytest

from digestbot.forge.errors import RefusedError, UnsettledError
from digestbot.forge.github.reviewers import MOST_ASKED
from digestbot.forge.steps import (
    AddLabels,
    Assign,
    ClosePull,
    Comment,
    EditPull,
    OpenPull,
    RequestReviews,
)
from tests.forge.github.scene import BRANCH, NAME, acting, error_of
from tests.github.errors import ApiError
from tests.github.faults import FaultKind

OPEN = OpenPull(BRANCH, "main", "Update python", "body")


def test_a_pull_request_is_opened_edited_and_closed() -> None:
    with acting() as scene:
        number = scene.propose()
        scene.do(EditPull(number, "Another title", "another body"))
        edited = scene.pull(number)
        scene.do(ClosePull(number, "obsolete"))
        scene.do(ClosePull(number, "obsolete"))
        closed = scene.pull(number)

        assert (edited.title, edited.body) == ("Another title", "another body")
        assert (closed.state, closed.body) == ("closed", "obsolete")


def test_a_draft_is_a_draft() -> None:
    with acting() as scene:
        scene.do(scene.push())
        scene.do(OpenPull(BRANCH, "main", "Update python", "body", is_draft=True))

        assert scene.pull(1).is_draft


def test_a_second_pull_request_is_never_opened() -> None:
    with acting() as scene:
        scene.propose()

        with pytest.raises(UnsettledError) as caught:
            scene.do(OPEN)

        assert caught.value.code == "already-exists"
        assert len(scene.github.pulls(NAME)) == 1


def test_nothing_to_merge_means_that_the_repo_has_moved_on() -> None:
    with acting() as scene:
        number = scene.propose()
        scene.github.merge_pull(NAME, number)

        with pytest.raises(UnsettledError):
            scene.do(OPEN)


def test_a_repo_without_drafts_says_so() -> None:
    def refuse() -> None:
        raise ApiError(422, "Draft pull requests are not supported in this repository.")

    with acting() as scene:
        scene.do(scene.push())
        scene.github.faults.add(refuse, method="POST", path="*/pulls")

        with pytest.raises(RefusedError) as caught:
            scene.do(OpenPull(BRANCH, "main", "Update python", "body", is_draft=True))

    assert caught.value.code == "no-drafts"


def test_comments_and_labels_arrive() -> None:
    with acting() as scene:
        number = scene.propose()

        scene.do(Comment(number, "Hands off."))
        scene.do(AddLabels(number, ("digestbot", "a new one")))
        scene.do(AddLabels(number, ("digestbot",)))

        pull = scene.github.pull(NAME, number)
        assert [one.name for one in pull.labels] == ["digestbot", "a new one"]
        assert [one.body for one in pull.comments] == ["Hands off."]


@pytest.mark.parametrize(
    "wanted, asked, refused",
    [
        pytest.param(("ann", "bob"), ["ann", "bob"], (), id="people"),
        pytest.param(("acme/platform",), ["platform"], (), id="a team"),
        pytest.param(("ACME/platform", "ann"), ["ann", "platform"], (), id="both"),
        pytest.param(("ann", "nobody"), ["ann"], ("nobody",), id="no collaborator"),
        pytest.param(("digestbot-user", "ann"), ["ann"], ("digestbot-user",), id="the author"),
        pytest.param(("acme/ghosts", "ann"), ["ann"], ("acme/ghosts",), id="no such team"),
        pytest.param(("evil/platform", "ann"), ["ann"], ("evil/platform",), id="strangers"),
        pytest.param(("nobody",), [], ("nobody",), id="nobody at all"),
    ],
)
def test_one_who_cannot_review_keeps_nobody_else_out(
    wanted: tuple[str, ...], asked: list[str], refused: tuple[str, ...]
) -> None:
    with acting() as scene:
        scene.github.user("ann")
        scene.github.user("bob")
        number = scene.propose()
        error = error_of(scene, RequestReviews(number, wanted))

        pull = scene.github.pull(NAME, number)
        assert [one.login for one in pull.reviewers] + pull.teams == asked
        assert (error is None) == (not refused)
        assert all(name in str(error) for name in refused)
        assert error is None or error.code == "not-reviewers"


def test_a_repo_that_names_thousands_costs_no_thousands_of_writes() -> None:
    with acting() as scene:
        number = scene.propose()
        names = tuple(f"nobody-{one}" for one in range(3000))
        scene.github.restart_log()

        error = error_of(scene, RequestReviews(number, names))

        assert str(error).endswith(" and 2,980 more")
        assert len(scene.github.requests) == 1 + MOST_ASKED


@pytest.mark.parametrize("what", ["502-before", "502-after"])
def test_reviews_that_nobody_knows_of_are_unsettled(what: FaultKind) -> None:
    with acting() as scene:
        scene.github.user("ann")
        number = scene.propose()
        scene.github.faults.add(what, path="*/requested_reviewers")

        assert isinstance(error_of(scene, RequestReviews(number, ("ann",))), UnsettledError)


def test_people_are_assigned_and_those_who_cannot_be_are_named() -> None:
    with acting() as scene:
        scene.github.user("Ann")
        number = scene.propose()
        fine = error_of(scene, Assign(number, ("ann",)))
        error = error_of(scene, Assign(number, ("ann", "nobody")))

        assert fine is None
        assert isinstance(error, RefusedError)
        assert error.code == "not-assignable"
        assert str(error).endswith(": nobody")
