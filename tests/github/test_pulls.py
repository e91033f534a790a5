from __future__ import annotations

from typing import Any

import pytest

from tests.github.asking import Asking, asking
from tests.github.server import GitHubServer

REPO = "/repos/acme/app"
BRANCH = "digestbot/images"


@pytest.fixture(autouse=True)
def branch(github: GitHubServer) -> str:
    return github.commit("acme/app", BRANCH, {"Dockerfile": "FROM python:3.13\n"})


def open_one(ask: Asking, **more: Any) -> dict[str, Any]:
    body = {"title": "Update", "body": "b", "head": BRANCH, "base": "main", **more}
    answer = ask("POST", f"{REPO}/pulls", body)
    assert answer.status_code == 201, answer.text
    opened: dict[str, Any] = answer.json()
    return opened


def test_an_opened_pull_request_shows_both_sides(
    github: GitHubServer, ask: Asking, branch: str
) -> None:
    told = open_one(ask, draft=True)

    assert (told["number"], told["state"], told["draft"]) == (1, "open", True)
    assert (told["head"]["ref"], told["head"]["sha"]) == (BRANCH, branch)
    assert told["head"]["label"] == f"acme:{BRANCH}"
    assert told["base"]["sha"] == github.branches("acme/app")["main"]
    assert told["user"]["login"] == "digestbot-user"
    assert ask("GET", f"{REPO}/pulls/1").json() == told


def test_issues_and_pull_requests_share_their_numbers(ask: Asking) -> None:
    issue = ask("POST", f"{REPO}/issues", {"title": "x", "labels": ["a"]}).json()

    pull = open_one(ask)

    assert (issue["number"], pull["number"]) == (1, 2)
    listed = ask("GET", f"{REPO}/issues").json()
    assert [(one["number"], "pull_request" in one) for one in listed] == [(2, True), (1, False)]


@pytest.mark.parametrize(
    "more, reason",
    [
        pytest.param(
            {}, "A pull request already exists for acme:digestbot/images.", id="there is one"
        ),
        pytest.param({"head": "main"}, "No commits between main and main", id="no commits"),
        pytest.param({"head": "none"}, "invalid", id="no such head"),
        pytest.param({"base": "none"}, "invalid", id="no such base"),
        pytest.param({"head": "ann:x"}, "invalid", id="no such fork"),
        pytest.param(
            {"title": "t" * 257}, "title is too long (maximum is 256 characters)", id="title"
        ),
        pytest.param(
            {"body": "b" * 65537}, "body is too long (maximum is 65536 characters)", id="body"
        ),
    ],
)
def test_refusals_have_the_words_of_github(ask: Asking, more: dict[str, str], reason: str) -> None:
    open_one(ask)
    body = {"title": "Update", "head": BRANCH, "base": "main", **more}

    answer = ask("POST", f"{REPO}/pulls", body)

    error = answer.json()["errors"][0]
    assert answer.status_code == 422
    assert answer.json()["message"] == "Validation Failed"
    assert reason in (error.get("message"), error["code"])


def test_drafts_can_be_forbidden(github: GitHubServer, ask: Asking) -> None:
    github.repo("acme/app").allows_drafts = False
    body = {"title": "Update", "head": BRANCH, "base": "main", "draft": True}

    answer = ask("POST", f"{REPO}/pulls", body)

    assert answer.json()["message"] == "Draft pull requests are not supported in this repository."


def test_lists_are_filtered(github: GitHubServer, ask: Asking) -> None:
    open_one(ask)
    github.open_pull("acme/app", "other", {"a": "b"})
    github.close_pull("acme/app", 2)

    def numbers(query: str) -> list[int]:
        return [one["number"] for one in ask("GET", f"{REPO}/pulls?{query}").json()]

    assert numbers("") == [1]
    assert numbers("state=closed") == [2]
    assert numbers("state=all") == [2, 1]
    assert numbers(f"state=all&head=acme:{BRANCH}") == [1]
    assert numbers("state=all&base=other") == []
    assert numbers("state=all&sort=created&direction=asc") == [1, 2]


def test_title_body_and_state_change_together(ask: Asking) -> None:
    open_one(ask)

    told = ask("PATCH", f"{REPO}/pulls/1", {"title": "t", "body": "x", "state": "closed"}).json()

    assert (told["title"], told["body"], told["state"]) == ("t", "x", "closed")
    assert told["closed_at"] is not None
    assert told["merged"] is False


def test_a_closed_one_can_be_opened_again_unless_its_branch_is_gone(
    github: GitHubServer, ask: Asking
) -> None:
    open_one(ask)
    github.close_pull("acme/app", 1)

    again = ask("PATCH", f"{REPO}/pulls/1", {"state": "open"}).json()
    github.delete_branch("acme/app", BRANCH)
    refused = ask("PATCH", f"{REPO}/pulls/1", {"state": "open"})

    assert again["state"] == "open"
    assert refused.status_code == 422


def test_deleting_the_branch_closes(github: GitHubServer, ask: Asking) -> None:
    open_one(ask)

    ask("DELETE", f"{REPO}/git/refs/heads/{BRANCH}")

    assert github.pull("acme/app", 1).graphql_state == "CLOSED"


def test_a_forced_push_keeps_it_open_and_moves_its_head(
    github: GitHubServer, ask: Asking, branch: str
) -> None:
    open_one(ask)
    other = github.commit("acme/app", "scratch", {"Dockerfile": "FROM python:3.14\n"})

    ask("PATCH", f"{REPO}/git/refs/heads/{BRANCH}", {"sha": other, "force": True})

    told = ask("GET", f"{REPO}/pulls/1").json()
    assert (told["state"], told["head"]["sha"]) == ("open", other)


def test_a_push_that_leaves_nothing_to_merge_closes(github: GitHubServer, ask: Asking) -> None:
    open_one(ask)
    main = github.branches("acme/app")["main"]

    ask("PATCH", f"{REPO}/git/refs/heads/{BRANCH}", {"sha": main, "force": True})

    assert github.pull("acme/app", 1).graphql_state == "CLOSED"


def test_pushing_its_commit_to_the_base_merges_it(
    github: GitHubServer, ask: Asking, branch: str
) -> None:
    open_one(ask)

    ask("PATCH", f"{REPO}/git/refs/heads/main", {"sha": branch})

    assert github.pull("acme/app", 1).graphql_state == "MERGED"


def test_files_are_those_that_differ_from_the_fork_point(github: GitHubServer, ask: Asking) -> None:
    github.commit("acme/app", BRANCH, {"new": "x"})
    open_one(ask)
    github.commit("acme/app", "main", {"elsewhere": "y"})

    told = ask("GET", f"{REPO}/pulls/1/files").json()

    assert [(one["filename"], one["status"]) for one in told] == [
        ("Dockerfile", "modified"),
        ("new", "added"),
    ]


def test_labels_comments_and_people(github: GitHubServer, ask: Asking) -> None:
    open_one(ask)
    github.user("bob")

    labels = ask("POST", f"{REPO}/issues/1/labels", {"labels": ["deps", "docker"]}).json()
    plain = ask("POST", f"{REPO}/issues/1/labels", ["deps", "more"]).json()
    comment = ask("POST", f"{REPO}/issues/1/comments", {"body": "hello"}).json()
    ask("POST", f"{REPO}/issues/1/assignees", {"assignees": ["bob", "nobody"]})
    body = {"reviewers": ["bob"], "team_reviewers": ["platform"]}
    asked = ask("POST", f"{REPO}/pulls/1/requested_reviewers", body).json()

    pull = github.pull("acme/app", 1)
    assert [one["name"] for one in labels] == ["deps", "docker"]
    assert [one["name"] for one in plain] == ["deps", "docker", "more"]
    assert ask("GET", f"{REPO}/issues/1/comments").json() == [comment]
    assert [one.login for one in pull.assignees] == ["bob"]
    assert [one["login"] for one in asked["requested_reviewers"]] == ["bob"]
    assert [one["slug"] for one in asked["requested_teams"]] == ["platform"]
    assert [one.kind for one in pull.events] == [
        "LabeledEvent",
        "LabeledEvent",
        "LabeledEvent",
        "AssignedEvent",
        "ReviewRequestedEvent",
        "ReviewRequestedEvent",
    ]


@pytest.mark.parametrize(
    "permission, codes",
    [
        pytest.param("pull_requests", [200, 403], id="for pull requests"),
        pytest.param("issues", [200, 200], id="for issues"),
        pytest.param("contents", [403, 403], id="for neither"),
    ],
)
def test_permission_for_pull_requests_is_enough_to_label_them(
    github: GitHubServer, permission: str, codes: list[int]
) -> None:
    github.open_pull("acme/app", BRANCH)
    github.life.open_issue(github.repo("acme/app"), github.user("ann"), "x", None)
    token = github.token(permissions={permission: "write"})

    with asking(github, token) as ask:
        answers = [
            ask("POST", f"{REPO}/issues/{number}/labels", {"labels": ["a"]}) for number in (1, 2)
        ]

    assert [one.status_code for one in answers] == codes


@pytest.mark.parametrize(
    "body, reason",
    [
        pytest.param({"reviewers": ["nobody"]}, "may only be requested", id="nobody"),
        pytest.param({"reviewers": ["digestbot-user"]}, "pull request author", id="author"),
        pytest.param({"team_reviewers": ["none"]}, "Could not resolve", id="no such team"),
    ],
)
def test_some_cannot_be_asked_for_a_review(
    ask: Asking, body: dict[str, list[str]], reason: str
) -> None:
    open_one(ask)

    answer = ask("POST", f"{REPO}/pulls/1/requested_reviewers", body)

    assert answer.status_code == 422
    assert reason in answer.json()["message"]


def test_a_pull_request_from_a_fork(github: GitHubServer, ask: Asking) -> None:
    github.fork("acme/app", "ann")
    github.commit("ann/app", "theirs", {"x": "y"})

    told = open_one(ask, head="ann:theirs")

    assert told["head"]["label"] == "ann:theirs"
    assert told["head"]["repo"]["full_name"] == "ann/app"
    assert told["head"]["repo"]["fork"] is True
    assert ask("GET", f"{REPO}/pulls/1").json()["mergeable"] is True


def test_whether_it_merges_may_be_known_late(github: GitHubServer, ask: Asking) -> None:
    github.open_pull("acme/app", BRANCH)
    github.is_mergeable_late = True

    said = [ask("GET", f"{REPO}/pulls/1").json()["mergeable"] for _ in range(2)]

    assert said == [None, True]


def test_issues_can_be_off(github: GitHubServer, ask: Asking) -> None:
    github.repo("acme/app").has_issues = False

    answer = ask("POST", f"{REPO}/issues", {"title": "x"})

    assert answer.status_code == 410


def test_an_issue_is_found_edited_and_closed(github: GitHubServer, ask: Asking) -> None:
    ask("POST", f"{REPO}/issues", {"title": "x", "body": "y", "labels": [{"name": "digestbot"}]})

    found = ask("GET", f"{REPO}/issues?labels=digestbot&creator=digestbot-user").json()
    told = ask("PATCH", f"{REPO}/issues/1", {"body": "z", "state": "closed"}).json()

    assert [one["number"] for one in found] == [1]
    assert (told["body"], told["state"]) == ("z", "closed")
    assert ask("GET", f"{REPO}/issues/1").json() == told


def test_strangers_cannot_write(github: GitHubServer) -> None:
    github.repo("acme/app").permissions["bob"] = "READ"

    with asking(github, github.token("bob")) as ask:
        answer = ask("POST", f"{REPO}/pulls", {"title": "t", "head": BRANCH, "base": "main"})

    assert answer.status_code == 404
