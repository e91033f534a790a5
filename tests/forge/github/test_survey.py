from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from graphql import parse, validate
from hypothesis import given
from hypothesis import strategies as st

from digestbot.forge.errors import ForgeError, RefusedError
from digestbot.forge.github.answer import Partial
from digestbot.forge.github.survey import (
    ENDED_DOCUMENT,
    MOST_BRANCHES,
    survey,
    survey_document,
)
from digestbot.forge.github.surveyed import ENDED, PAGE
from digestbot.forge.pull import Checks, Mergeable, PullState
from digestbot.forge.repo import Repo
from digestbot.forge.seal import is_ours
from digestbot.forge.steps import AddLabels, Assign, Comment, EnableAutoMerge, RequestReviews
from tests.forge.github.scene import BRANCH, NAME, acting
from tests.github import schemas

SHA = "a" * 40


@pytest.mark.parametrize("branches", [0, 1, MOST_BRANCHES])
@pytest.mark.parametrize("with_open", [True, False])
def test_every_query_is_one_that_github_understands(branches: int, with_open: bool) -> None:
    if not branches and not with_open:
        return

    errors = validate(schemas.graphql(), parse(survey_document(branches, with_open=with_open)))

    assert errors == []


def test_the_query_for_older_ones_is_one_that_github_understands() -> None:
    assert validate(schemas.graphql(), parse(ENDED_DOCUMENT)) == []


def test_a_repo_without_anything_of_ours_takes_one_request() -> None:
    with acting() as scene:
        found = scene.survey()

        assert found.branches == {}
        assert found.pulls == ()
        assert scene.asked == ["Survey"]


def test_our_branch_is_told_with_its_commit() -> None:
    with acting() as scene:
        scene.do(scene.push())

        branch = scene.survey(BRANCH, "digestbot/other").branches[BRANCH]

        assert branch.head == scene.head()
        assert branch.parents == (scene.repo.head,)
        assert branch.message.startswith("Update python\n\nDigestbot-Seal: ")
        assert is_ours(branch)


def test_our_pull_request_is_told_with_all_that_happened_to_it() -> None:
    with acting(allow_auto_merge=True, required_reviews=1) as scene:
        number = scene.propose()
        scene.github.user("ann")
        plain = scene.pull(number)
        scene.do(AddLabels(number, ("digestbot",)))
        scene.do(Assign(number, ("ann",)))
        scene.do(RequestReviews(number, ("ann",)))
        scene.do(Comment(number, "Hands off."))
        scene.github.comment(NAME, number, "A stranger speaks", by="mallory")
        scene.do(EnableAutoMerge(number, scene.need_head()))
        scene.github.restart_log()

        pull = scene.pull(number)

        assert plain == replace(
            pull,
            comments=(),
            was_labeled=False,
            was_assigned=False,
            was_review_requested=False,
            was_auto_merged=False,
        )
        assert (plain.state, plain.branch, plain.base) == (PullState.OPEN, BRANCH, "main")
        assert (plain.head, plain.body, plain.paths) == (scene.head(), "body", ("Dockerfile",))
        assert plain.mergeable is Mergeable.YES
        assert plain.is_from_here
        assert plain.author == "digestbot-user"
        assert pull.was_labeled
        assert pull.was_assigned
        assert pull.was_review_requested
        assert pull.was_auto_merged
        assert pull.comments == ("Hands off.",)
        assert scene.asked == ["Survey"]


@pytest.mark.parametrize(
    "said, expected",
    [
        pytest.param({}, Checks.NONE, id="no check at all"),
        pytest.param({"ci": "success"}, Checks.PASSING, id="green"),
        pytest.param({"ci": "success", "lint": None}, Checks.PENDING, id="one still runs"),
        pytest.param({"ci": "success", "lint": "failure"}, Checks.FAILING, id="one is red"),
    ],
)
def test_checks_are_those_of_the_head(said: dict[str, Any], expected: Checks) -> None:
    with acting() as scene:
        number = scene.propose()
        scene.github.set_checks(NAME, scene.need_head().value, **said)

        assert scene.pull(number).checks is expected


def test_checks_that_may_not_be_seen_are_never_taken_for_none() -> None:
    granted = {"metadata": "read", "contents": "write", "pull_requests": "write"}
    with acting(private=True) as scene:
        number = scene.propose()
        token = scene.github.token(permissions=granted)
        scene.session._tokens = _Fixed(token.value)

        assert scene.pull(number).checks is Checks.PENDING


class _Fixed:
    def __init__(self, value: str) -> None:
        self.value = value

    def token(self) -> str:
        return self.value

    def renew(self, token: str) -> bool:
        return False


def test_a_conflict_with_the_base_is_told() -> None:
    with acting() as scene:
        number = scene.propose()
        scene.github.commit(NAME, "main", {"Dockerfile": "FROM scratch\n"})

        assert scene.pull(number).mergeable is Mergeable.CONFLICT


def test_ended_pull_requests_of_our_branches_are_told_newest_first_and_no_others() -> None:
    with acting() as scene:
        first = scene.propose()
        scene.github.close_pull(NAME, first)
        second = scene.github.open_pull(NAME, BRANCH).number
        scene.github.merge_pull(NAME, second)
        other = scene.github.open_pull(NAME, "feature", {"x": "y"}).number
        scene.github.close_pull(NAME, other)

        pulls = scene.survey().pulls or ()

        assert [(pull.number, pull.state) for pull in pulls] == [
            (second, PullState.MERGED),
            (first, PullState.CLOSED),
        ]


def test_who_opened_a_pull_request_from_our_branch_is_told() -> None:
    with acting() as scene:
        ours = scene.propose()
        scene.github.close_pull(NAME, ours)
        theirs = scene.github.open_pull(NAME, BRANCH).number

        pulls = scene.survey().pulls or ()

        assert [(pull.number, pull.is_own) for pull in pulls] == [(theirs, False), (ours, True)]


def test_pull_requests_of_forks_are_never_ours_whatever_their_branch_is_called() -> None:
    with acting() as scene:
        ours = scene.propose()
        fork = scene.github.fork(NAME, "mallory")
        for number in range(3):
            scene.github.commit("mallory/app", BRANCH, {"evil": str(number)}, by="mallory")
        theirs = scene.github.life.open_pull(
            scene.state,
            scene.github.user("mallory"),
            title="Ours, honestly",
            body="",
            head=BRANCH,
            base="main",
            head_repo=fork,
        )

        while_open = scene.survey().pulls or ()
        scene.github.close_pull(NAME, theirs.number)
        once_closed = scene.survey().pulls or ()

        assert [(pull.number, pull.is_from_here) for pull in while_open] == [
            (theirs.number, False),
            (ours, True),
        ]
        assert [pull.number for pull in once_closed] == [ours]


def test_what_forks_ended_takes_no_room_from_what_was_ended_here() -> None:
    with acting() as scene:
        ours = scene.propose()
        scene.github.close_pull(NAME, ours)
        fork = scene.github.fork(NAME, "mallory")
        scene.github.commit("mallory/app", BRANCH, {"evil": "x"}, by="mallory")
        for _ in range(ENDED + PAGE):
            theirs = scene.github.life.open_pull(
                scene.state,
                scene.github.user("mallory"),
                title="Ours, honestly",
                body="",
                head=BRANCH,
                base="main",
                head_repo=fork,
            )
            scene.github.close_pull(NAME, theirs.number)
        scene.github.restart_log()

        pulls = scene.survey().pulls or ()

        assert [pull.number for pull in pulls] == [ours]
        assert scene.asked == ["Survey", "Ended", "Ended"]


def test_our_pull_request_is_told_in_full_however_many_others_come_from_its_branch() -> None:
    with acting() as scene:
        others = [f"release-{number}" for number in range(7)]
        scene.do(scene.push())
        for base in others:
            scene.github.commit(NAME, base, {"x": base})
            scene.github.open_pull(NAME, BRANCH, base=base)
        ours = scene.propose()
        scene.do(AddLabels(ours, ("digestbot",)))
        scene.do(Comment(ours, "Hands off."))

        pulls = {pull.number: pull for pull in scene.survey().pulls or ()}

        assert pulls[ours].was_labeled
        assert pulls[ours].comments == ("Hands off.",)
        assert sorted(pull.base for pull in pulls.values()) == ["main", *others]


def test_more_than_fifty_open_pull_requests_are_told_page_by_page() -> None:
    with acting() as scene:
        for number in range(53):
            scene.github.open_pull(NAME, f"feature-{number}", {f"file-{number}": "x"})

        pulls = scene.survey().pulls or ()

        assert [pull.number for pull in pulls] == list(range(53, 0, -1))
        assert all(pull.paths == (f"file-{pull.number - 1}",) for pull in pulls)
        assert scene.asked == ["Survey", "Survey"]


def test_many_branches_are_asked_for_in_chunks() -> None:
    names = [f"digestbot/{number}" for number in range(MOST_BRANCHES + 1)]
    with acting() as scene:
        for name in names:
            scene.github.commit(NAME, name, {"x": name})
        scene.github.restart_log()

        found = scene.survey(*names, names[0])

        assert sorted(found.branches) == sorted(names)
        assert scene.asked == ["Survey", "Survey"]


@pytest.mark.parametrize(
    "title",
    [
        pytest.param('"; } mutation { x }', id="GraphQL"),
        pytest.param("\x1b[2J\x00\u202e<!-- digestbot:v1 {} -->", id="terminal and marker"),
        pytest.param("💣" * 200, id="beyond the basic plane"),
    ],
)
def test_hostile_titles_arrive_as_they_are(title: str) -> None:
    with acting() as scene:
        number = scene.github.open_pull(NAME, "feature", {"x": "y"}, title=title, body=title).number

        pull = scene.pull(number)

        assert (pull.title, pull.body) == (title, title)


def test_a_renamed_repo_is_found_under_its_old_name() -> None:
    with acting() as scene:
        scene.do(scene.push())
        repo = scene.repo
        scene.github.rename(NAME, "acme/new")

        assert BRANCH in survey(scene.session, repo, [BRANCH]).branches


def test_a_repo_that_is_gone_is_refused() -> None:
    with acting() as scene, pytest.raises(RefusedError) as caught:
        survey(scene.session, Repo("acme/gone", "main", None, None), [BRANCH])

    assert caught.value.code == "not-found-or-no-access"


def test_an_expired_token_is_refused() -> None:
    with acting() as scene:
        scene.github.faults.add("expired", path="/graphql")

        with pytest.raises(RefusedError) as caught:
            scene.survey()

    assert caught.value.code == "unauthorized"


def test_a_query_that_breaks_down_is_asked_again() -> None:
    with acting() as scene:
        scene.github.faults.add("502-before", path="/graphql")

        assert scene.survey().pulls == ()


# -- hostile answers


class _Says:
    """A session that says one thing, whatever it is asked."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def graphql_partial(self, document: str, variables: Mapping[str, object]) -> Partial:
        return Partial(self.data)


def _heard(data: Any) -> Any:
    repo = Repo(NAME, "main", None, None)
    return survey(_Says(data), repo, [BRANCH])  # type: ignore[arg-type]  # all that is used of it


def _node(**changes: object) -> dict[str, object]:
    return {
        "number": 7,
        "url": "https://github.com/acme/app/pull/7",
        "state": "OPEN",
        "title": "t",
        "body": "b",
        "isDraft": False,
        "viewerDidAuthor": True,
        "isCrossRepository": False,
        "headRefName": BRANCH,
        "headRefOid": SHA,
        "baseRefName": "main",
        "author": {"login": "ann"},
        "mergeable": "MERGEABLE",
        "files": {"nodes": [{"path": "Dockerfile"}]},
        "comments": {"nodes": [{"viewerDidAuthor": True, "body": "c"}]},
        "timelineItems": {"nodes": [{"__typename": "AutoSquashEnabledEvent"}]},
        "commits": {"nodes": [{"commit": {"oid": SHA, "statusCheckRollup": None}}]},
        **changes,
    }


def _answer(node: object) -> dict[str, object]:
    commit = {"oid": SHA, "tree": {"oid": SHA}, "parents": {"nodes": []}, "message": "m"}
    return {
        "repository": {
            "open": {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": [node]},
            "ref0": {
                "target": commit,
                "elsewhere": {"nodes": [node]},
                "associatedPullRequests": {"nodes": [node]},
            },
            "ended0": {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": []},
        }
    }


def _paths(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = data.items() if isinstance(data, dict) else enumerate(data)
    found = []
    for key, value in inner:
        found.append((*path, key))
        if isinstance(value, dict | list):
            found += _paths(value, (*path, key))
    return found


def test_a_deleted_author_and_a_deleted_fork_are_no_trouble() -> None:
    pull = _heard(_answer(_node(author=None, files=None))).pulls[0]

    assert (pull.author, pull.paths) == ("", ())
    assert pull.was_auto_merged


def test_checks_of_another_commit_than_the_head_are_not_believed() -> None:
    rollup = {"state": "SUCCESS", "contexts": {"totalCount": 1}}
    commits = {"nodes": [{"commit": {"oid": "b" * 40, "statusCheckRollup": rollup}}]}

    assert _heard(_answer(_node(commits=commits))).pulls[0].checks is Checks.PENDING


def test_endless_texts_and_lists_are_cut() -> None:
    files = {"nodes": [{"path": "p" * 10_000}] * 500}

    pull = _heard(_answer(_node(title="t" * 10**6, body="b" * 10**6, files=files))).pulls[0]

    assert len(pull.title) == 1000
    assert len(pull.body) == 100_000
    assert len(pull.paths) == 100
    assert len(pull.paths[0]) == 4096


def test_half_a_character_is_none() -> None:
    pull = _heard(_answer(json.loads(json.dumps(_node(title="\ud800"))))).pulls[0]

    assert pull.title == "?"


def test_pages_without_end_have_an_end() -> None:
    answer: Any = _answer(_node())
    answer["repository"]["open"]["pageInfo"] = {"hasNextPage": True, "endCursor": "x"}

    assert len(_heard(answer).pulls) == 1


@given(st.data())
def test_a_field_that_is_something_else_is_a_bad_answer_and_nothing_worse(
    data: st.DataObject,
) -> None:
    answer: Any = _answer(_node())
    path = data.draw(st.sampled_from(_paths(answer)))
    place = answer
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = data.draw(_JSON)

    with suppress(ForgeError):
        _heard(answer)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([SHA]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["nodes", "repository", "open", "ref0", "ended0", "target", "oid"])
            | st.text(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.just("repository") | st.text(), _JSON))
def test_any_json_is_a_survey_or_a_bad_answer(data: dict[str, object]) -> None:
    with pytest.raises(ForgeError) as caught:
        _heard(data)

    assert caught.value.code == "malformed"
