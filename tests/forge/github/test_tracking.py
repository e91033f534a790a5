from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from graphql import parse, validate
from hypothesis import given
from hypothesis import strategies as st

from digestbot.forge.errors import DeferredError, ForgeError, RefusedError, UnsettledError
from digestbot.forge.github.answer import Answer
from digestbot.forge.github.tracking import MOST_BODY, MOST_TITLE, OPEN_ISSUES, track
from tests.forge.github.scene import NAME, Scene, acting
from tests.github import schemas
from tests.github.faults import FaultKind
from tests.github.state import Issue

MARK = "<!-- digestbot:rollout:42 -->"


def issues(scene: Scene) -> list[Issue]:
    return scene.github.issues(NAME)


def write(scene: Scene, title: str = "Rollout", body: str = "50 %", number: int = 0) -> int:
    return track(scene.session, NAME, number, title, body)


def test_the_query_is_one_that_github_understands() -> None:
    assert validate(schemas.graphql(), parse(OPEN_ISSUES)) == []


def test_an_issue_is_opened_with_title_and_body() -> None:
    with acting() as scene:
        number = write(scene)

        (issue,) = issues(scene)
        assert (issue.number, issue.title) == (number, "Rollout")
        assert (issue.body or "").endswith("-->\n50 %")
        assert (issue.body or "").startswith("<!-- digestbot:")


def test_the_issue_of_a_number_is_written_anew_without_looking_for_it() -> None:
    with acting() as scene:
        number = write(scene)
        scene.github.restart_log()

        again = write(scene, "Rollout, done", "100 %", number)

        (issue,) = issues(scene)
        assert again == number
        assert issue.title == "Rollout, done"
        assert (issue.body or "").endswith("100 %")
        assert scene.asked == ["issues/update"]


@pytest.mark.parametrize(
    "first, second",
    [
        pytest.param(("Rollout", "50 %"), ("Rollout", "60 %"), id="by title"),
        pytest.param((f"A {50}", f"{MARK}\n50 %"), ("B", f"{MARK}\n60 %"), id="by hidden line"),
    ],
)
def test_the_same_thing_is_tracked_in_one_issue(
    first: tuple[str, str], second: tuple[str, str]
) -> None:
    with acting() as scene:
        numbers = {write(scene, *first), write(scene, *second)}

        (issue,) = issues(scene)
        assert numbers == {issue.number}
        assert issue.title == second[0]
        assert (issue.body or "").endswith("60 %")
        assert (issue.body or "").count("<!--") == 1


def test_other_things_are_tracked_in_other_issues() -> None:
    with acting() as scene:
        numbers = {write(scene, "A"), write(scene, "B"), write(scene, "A", f"{MARK}\nx")}

        assert len(numbers) == 3


@pytest.mark.parametrize("what", ["502-after", "drop-after"])
def test_an_issue_that_was_opened_unseen_is_found_again(what: FaultKind) -> None:
    with acting() as scene:
        scene.github.faults.add(what, method="POST", path="/repos/*/issues")
        with pytest.raises(UnsettledError):
            write(scene)

        number = write(scene)

        assert [one.number for one in issues(scene)] == [number]


@pytest.mark.parametrize("what", ["502-before", "drop-before"])
def test_an_issue_that_was_lost_is_opened_by_the_next_try(what: FaultKind) -> None:
    with acting() as scene:
        scene.github.faults.add(what, method="POST", path="/repos/*/issues")
        with pytest.raises(UnsettledError):
            write(scene)

        write(scene)

        assert len(issues(scene)) == 1


@pytest.mark.parametrize("what", ["secondary", "too-quickly"])
def test_a_limit_puts_it_off_and_nothing_is_written(what: FaultKind) -> None:
    with acting() as scene:
        scene.github.faults.add(what, method="POST", path="/repos/*/issues", times=0)

        with pytest.raises(DeferredError):
            write(scene)

        assert issues(scene) == []


def test_whoever_copies_the_hidden_line_gets_nothing_of_ours() -> None:
    with acting() as scene:
        life, repo = scene.github.life, scene.state
        theirs = life.open_issue(repo, scene.github.user("mallory"), "Rollout", f"{MARK}\nhi")

        number = write(scene, "Rollout", f"{MARK}\n50 %")

        assert number != theirs.number
        assert theirs.body == f"{MARK}\nhi"


def test_a_closed_issue_is_not_found_and_an_old_one_is() -> None:
    with acting() as scene:
        closed = write(scene)
        life, repo = scene.github.life, scene.state
        life.close(repo.issues[closed], scene.github.user("ann"))
        number = write(scene)
        for n in range(120):
            life.open_issue(repo, scene.github.user("ann"), f"Other {n}", None)

        assert number != closed
        assert write(scene) == number


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("line\n" * 40_000, id="many lines"),
        pytest.param("x" * (MOST_BODY + 1), id="one line"),
        pytest.param(f"{MARK}\n" + "é\n" * MOST_BODY, id="with its own mark"),
        pytest.param("x" * (MOST_BODY - 10), id="the mark makes it too long"),
    ],
)
def test_what_is_too_long_is_cut_and_found_again(body: str) -> None:
    with acting() as scene:
        numbers = {write(scene, "t" * 300, body), write(scene, "t" * 300, body)}

        (issue,) = issues(scene)
        assert numbers == {issue.number}
        assert len(issue.body or "") <= MOST_BODY
        assert (issue.body or "").endswith("too long for an issue.")
        assert len(issue.title) == MOST_TITLE


def test_a_body_that_just_fits_is_not_cut() -> None:
    body = f"{MARK}\n".ljust(MOST_BODY, "x")
    with acting() as scene:
        write(scene, body=body)

        assert issues(scene)[0].body == body


def test_a_repo_without_issues_refuses() -> None:
    with acting(has_issues=False) as scene:
        with pytest.raises(RefusedError) as caught:
            write(scene)

        assert caught.value.code == "gone"


@pytest.mark.parametrize("number", [0, 1], ids=["new", "known"])
def test_a_repo_that_is_not_there_refuses(number: int) -> None:
    with acting() as scene:
        with pytest.raises(RefusedError) as caught:
            track(scene.session, "acme/gone", number, "t", "b")

        assert caught.value.code == "not-found-or-no-access"


def test_without_the_permission_it_is_refused_with_a_hint() -> None:
    with acting(private=True) as scene:
        token = scene.github.token(permissions={"metadata": "read", "issues": "read"})
        scene.session._tokens.token = lambda: token.value  # type: ignore[method-assign]

        with pytest.raises(RefusedError) as caught:
            write(scene)

        assert caught.value.code == "no-permission"
        assert "issues" in caught.value.hint


class _Says:
    """A session that answers whatever it was given."""

    def __init__(self, said: list[Any]) -> None:
        self.said = said

    def rest(self, verb: str, path: str, body: object) -> Answer:
        return Answer(201, self._next())

    def graphql(self, document: str, variables: Mapping[str, object]) -> Any:
        return self._next()

    def _next(self) -> Any:
        return self.said.pop(0) if self.said else None


_KEYS = st.sampled_from(["repository", "issues", "nodes", "number", "body", "viewerDidAuthor"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(MARK),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=15,
)


@given(st.lists(_JSON, max_size=5), st.integers(0, 1), st.text())
def test_whatever_is_answered_nothing_worse_than_our_own_errors_happens(
    said: list[Any], number: int, body: str
) -> None:
    with suppress(ForgeError):
        track(_Says(said), NAME, number, "t", body)  # type: ignore[arg-type] # all that is used


def test_an_answer_without_a_number_leaves_it_unsettled() -> None:
    with pytest.raises(UnsettledError):
        track(_Says([None, {}]), NAME, 0, "t", "b")  # type: ignore[arg-type] # likewise


def test_a_list_of_issues_without_end_is_left_soon() -> None:
    page = {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "c"}}
    said = [{"repository": {"issues": page}}] * 4
    asked = _Says([*said, {"number": 7}])

    assert track(asked, NAME, 0, "t", "b") == 7  # type: ignore[arg-type] # likewise
    assert asked.said == []
