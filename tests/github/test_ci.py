"""CI, reviewers and issues of the test GitHub."""

from __future__ import annotations

from typing import Any

import pytest

from tests.github.asking import Asking, asking
from tests.github.server import GitHubServer

NAME = "acme/app"
ROLLUP = """
query($oid: GitObjectID!) { repository(owner: "acme", name: "app") { object(oid: $oid) {
  ... on Commit { statusCheckRollup { state contexts(first: 100) { nodes {
    __typename
    ... on CheckRun { name status conclusion startedAt checkSuite { id } }
    ... on StatusContext { context state createdAt }
  } } } }
} } }
"""
DECISION = """
{ repository(owner: "acme", name: "app") { pullRequest(number: 1) {
  reviewDecision mergeStateStatus
} } }
"""
ISSUES = """
{ repository(owner: "acme", name: "app") { issues(
  first: 10, states: [OPEN], orderBy: {field: CREATED_AT, direction: DESC}
) { nodes { number viewerDidAuthor title } } } }
"""


def rollup(ask: Asking, sha: str) -> Any:
    return ask.graphql(ROLLUP, oid=sha)["data"]["repository"]["object"]["statusCheckRollup"]


def said(ask: Asking, sha: str) -> dict[str, str]:
    """What each check run of a commit says, or what it does."""
    told = rollup(ask, sha)
    nodes = told["contexts"]["nodes"] if told else []
    return {one["name"]: one["conclusion"] or one["status"] for one in nodes}


def test_ci_says_what_it_was_told_of_every_commit_that_comes_to_be(
    github: GitHubServer, ask: Asking
) -> None:
    github.ci(NAME, {"build": "FAILURE", "lint": None}, {"build": "SUCCESS"})
    pull = github.open_pull(NAME, "work", {"a": "a"})
    first, base = pull.head, pull.base
    second = github.commit(NAME, "work", {"b": "b"})
    main = github.commit(NAME, "main", {"c": "c"})

    assert said(ask, first) == {"build": "FAILURE", "lint": "IN_PROGRESS"}
    assert said(ask, second) == {"build": "FAILURE", "lint": "IN_PROGRESS"}
    assert said(ask, base) == {"build": "SUCCESS"}
    assert said(ask, main) == {"build": "SUCCESS"}


def test_the_default_branch_is_green_unless_it_is_told(github: GitHubServer, ask: Asking) -> None:
    github.ci(NAME, {"build": "FAILURE"})
    github.open_pull(NAME, "work", {"a": "a"})
    sha = github.merge_pull(NAME, 1)

    assert said(ask, sha) == {"build": "SUCCESS"}


@pytest.mark.parametrize("is_told", [True, False])
def test_without_ci_there_is_no_rollup(github: GitHubServer, ask: Asking, is_told: bool) -> None:
    if is_told:
        github.ci(NAME, {})
    pull = github.open_pull(NAME, "work", {"a": "a"})

    assert rollup(ask, pull.head) is None
    assert rollup(ask, pull.base) is None


@pytest.mark.parametrize(
    "word, state",
    [
        ("SUCCESS", "SUCCESS"),
        ("NEUTRAL", "SUCCESS"),
        ("SKIPPED", "SUCCESS"),
        ("FAILURE", "FAILURE"),
        ("TIMED_OUT", "FAILURE"),
        ("CANCELLED", "FAILURE"),
        ("ACTION_REQUIRED", "FAILURE"),
        ("STARTUP_FAILURE", "FAILURE"),
        ("STALE", "PENDING"),
        ("QUEUED", "PENDING"),
        ("WAITING", "PENDING"),
        ("PENDING", "PENDING"),
        ("REQUESTED", "PENDING"),
        (None, "PENDING"),
    ],
)
def test_a_check_run_says_any_word(
    github: GitHubServer, ask: Asking, word: str | None, state: str
) -> None:
    sha = github.repo(NAME).head() or ""
    github.add_check(NAME, sha, "build", word)

    assert said(ask, sha) == {"build": word or "IN_PROGRESS"}
    assert rollup(ask, sha)["state"] == state


@pytest.mark.parametrize("word", ["EXPECTED", "ERROR", "FAILURE", "PENDING", "SUCCESS"])
def test_a_commit_status_says_any_state(github: GitHubServer, ask: Asking, word: str) -> None:
    sha = github.repo(NAME).head() or ""
    github.add_check(NAME, sha, "ci/x", "PENDING", is_status=True)
    github.add_check(NAME, sha, "ci/x", word, is_status=True)

    (only,) = rollup(ask, sha)["contexts"]["nodes"]
    assert (only["context"], only["state"]) == ("ci/x", word)


def test_a_check_that_is_run_again_counts_anew(github: GitHubServer, ask: Asking) -> None:
    github.repo(NAME).required_checks = ("build",)
    github.ci(NAME, {"build": "FAILURE"})
    pull = github.open_pull(NAME, "work", {"a": "a"})
    before = github.life.status(pull)
    github.clock.advance(60)
    github.add_check(NAME, pull.head, "build", "success")

    nodes = rollup(ask, pull.head)["contexts"]["nodes"]
    assert [one["conclusion"] for one in nodes] == ["FAILURE", "SUCCESS"]
    assert nodes[0]["startedAt"] < nodes[1]["startedAt"]
    assert rollup(ask, pull.head)["state"] == "SUCCESS"
    assert (before, github.life.status(pull)) == ("BLOCKED", "CLEAN")


def test_a_check_of_another_suite_counts_beside_it(github: GitHubServer, ask: Asking) -> None:
    sha = github.repo(NAME).head() or ""
    github.add_check(NAME, sha, "build", "failure", suite="one")
    github.add_check(NAME, sha, "build", "success", suite="two")

    assert rollup(ask, sha)["state"] == "FAILURE"


@pytest.mark.parametrize(
    "required, reviews, decision, status",
    [
        pytest.param(0, [], None, "CLEAN", id="nobody asked"),
        pytest.param(0, [("ann", "APPROVED")], "APPROVED", "CLEAN", id="approved unasked"),
        pytest.param(1, [], "REVIEW_REQUIRED", "BLOCKED", id="required"),
        pytest.param(1, [("ann", "COMMENTED")], "REVIEW_REQUIRED", "BLOCKED", id="a comment"),
        pytest.param(1, [("ann", "APPROVED")], "APPROVED", "CLEAN", id="approved"),
        pytest.param(
            1,
            [("ann", "CHANGES_REQUESTED"), ("bob", "APPROVED")],
            "CHANGES_REQUESTED",
            "BLOCKED",
            id="one is against it",
        ),
        pytest.param(
            1,
            [("ann", "CHANGES_REQUESTED"), ("ann", "APPROVED")],
            "APPROVED",
            "CLEAN",
            id="another mind",
        ),
    ],
)
def test_reviews_decide(
    github: GitHubServer,
    ask: Asking,
    required: int,
    reviews: list[tuple[str, str]],
    decision: str | None,
    status: str,
) -> None:
    github.repo(NAME).required_reviews = required
    github.open_pull(NAME, "work", {"a": "a"}, by="zoe")
    for who, state in reviews:
        github.review(NAME, 1, state, by=who)

    found = ask.graphql(DECISION)["data"]["repository"]["pullRequest"]

    assert found == {"reviewDecision": decision, "mergeStateStatus": status}


def test_the_review_that_was_missing_merges_what_waits_for_it(github: GitHubServer) -> None:
    repo = github.repo(NAME)
    repo.allow_auto_merge, repo.required_reviews = True, 1
    pull = github.open_pull(NAME, "work", {"a": "a"})
    github.life.enable_auto_merge(pull, github.user("ann"), "MERGE", None)

    github.review(NAME, 1, "APPROVED")

    assert pull.graphql_state == "MERGED"


def test_a_pull_request_that_is_none_is_an_error(github: GitHubServer, ask: Asking) -> None:
    answer = ask.graphql(DECISION)

    assert answer["data"]["repository"]["pullRequest"] is None
    assert answer["errors"][0]["type"] == "NOT_FOUND"
    assert answer["errors"][0]["path"] == ["repository", "pullRequest"]


def test_open_issues_are_listed_without_pull_requests(github: GitHubServer, ask: Asking) -> None:
    github.open_pull(NAME, "work", {"a": "a"})
    ours = ask("POST", f"/repos/{NAME}/issues", {"title": "Ours"}).json()["number"]
    theirs = github.life.open_issue(github.repo(NAME), github.user("bob"), "Theirs", None).number
    closed = ask("POST", f"/repos/{NAME}/issues", {"title": "Old"}).json()["number"]
    ask("PATCH", f"/repos/{NAME}/issues/{closed}", {"state": "closed"})

    nodes = ask.graphql(ISSUES)["data"]["repository"]["issues"]["nodes"]

    assert [(one["number"], one["viewerDidAuthor"]) for one in nodes] == [
        (theirs, False),
        (ours, True),
    ]
    assert [one.number for one in github.issues(NAME)] == [ours, theirs, closed]


@pytest.mark.parametrize("body", ["x" * 65_537, None], ids=["too long", "no title"])
def test_an_issue_is_not_edited_into_what_it_may_not_be(
    github: GitHubServer, ask: Asking, body: str | None
) -> None:
    number = ask("POST", f"/repos/{NAME}/issues", {"title": "t"}).json()["number"]
    sent = {"title": " "} if body is None else {"body": body}

    answer = ask("PATCH", f"/repos/{NAME}/issues/{number}", sent)

    assert answer.status_code == 422


def test_issues_need_their_permission(github: GitHubServer) -> None:
    github.repo(NAME).private = True
    token = github.token(permissions={"metadata": "read"})

    with asking(github, token) as ask:
        answer = ask.graphql(ISSUES)

    assert answer["errors"][0]["type"] == "FORBIDDEN"
