from __future__ import annotations

from typing import Any

import pytest

from tests.github.asking import Asking
from tests.github.server import GitHubServer, executable
from tests.github.state import node_id

ABSENT = "0" * 40
UPDATE = "mutation($i: UpdateRefsInput!) { updateRefs(input: $i) { clientMutationId } }"
REPOS = """
query Repos($owner: String!, $after: String) {
  repositoryOwner(login: $owner) {
    __typename login
    repositories(first: 2, after: $after, orderBy: {field: NAME, direction: ASC}) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes {
        name isArchived isEmpty isFork viewerPermission
        defaultBranchRef { name target { __typename oid ... on Commit { tree { oid } } } }
        repositoryTopics(first: 5) { nodes { topic { name } } }
        refs(refPrefix: "refs/heads/digestbot/", first: 5) {
          nodes { prefix name associatedPullRequests(states: [OPEN], first: 1) { totalCount } }
        }
      }
    }
  }
}
"""
PULLS = """
query Pulls($states: [PullRequestState!]) {
  repository(owner: "acme", name: "app") {
    pullRequests(
      first: 10, states: $states, orderBy: {field: CREATED_AT, direction: DESC}
    ) {
      nodes {
        number title body state isDraft headRefName headRefOid baseRefName isCrossRepository
        mergeable mergeStateStatus createdAt mergedAt closedAt
        author { __typename login }
        files(first: 5) { nodes { path changeType } }
        labels(first: 5) { nodes { name } }
        comments(last: 1) { nodes { body viewerDidAuthor author { login } } }
        commits(last: 1) { nodes { commit { message parents(first: 2) { nodes { oid } } } } }
        timelineItems(itemTypes: [LABELED_EVENT], first: 1) { totalCount }
        autoMergeRequest { mergeMethod }
        reviewRequests(first: 5) {
          nodes { requestedReviewer { ... on User { login } ... on Team { slug } } }
        }
      }
    }
  }
}
"""


def update(ask: Asking, github: GitHubServer, *refs: dict[str, Any]) -> dict[str, Any]:
    repo = node_id(github.repo("acme/app"))
    return ask.graphql(UPDATE, i={"repositoryId": repo, "refUpdates": list(refs)})


def test_repos_come_by_pages_with_all_that_a_first_look_needs(
    github: GitHubServer, ask: Asking
) -> None:
    github.open_pull("acme/app", "digestbot/images", {"a": "b"})
    github.add_repo("acme/empty", {})
    github.add_repo("acme/old", archived=True, topics=["docker"])
    head = github.branches("acme/app")["main"]

    first = ask.graphql(REPOS, owner="acme")["data"]["repositoryOwner"]
    cursor = first["repositories"]["pageInfo"]["endCursor"]
    second = ask.graphql(REPOS, owner="acme", after=cursor)["data"]["repositoryOwner"]

    app, empty = first["repositories"]["nodes"]
    assert (first["__typename"], first["repositories"]["totalCount"]) == ("Organization", 3)
    assert app["defaultBranchRef"]["target"] == {
        "__typename": "Commit",
        "oid": head,
        "tree": {"oid": github.repo("acme/app").git.tree_of(head)},
    }
    assert app["refs"]["nodes"] == [
        {
            "prefix": "refs/heads/",
            "name": "digestbot/images",
            "associatedPullRequests": {"totalCount": 1},
        }
    ]
    assert app["viewerPermission"] == "WRITE"
    assert (empty["isEmpty"], empty["defaultBranchRef"]) == (True, None)
    assert second["repositories"]["pageInfo"]["hasNextPage"] is False
    assert [one["name"] for one in second["repositories"]["nodes"]] == ["old"]


def test_names_of_refs_may_begin_behind_the_prefix(github: GitHubServer, ask: Asking) -> None:
    github.commit("acme/app", "digestbot/images", {"a": "b"})
    github.shortens_ref_names = True

    told = ask.graphql(REPOS, owner="acme")["data"]["repositoryOwner"]["repositories"]["nodes"][0]

    (ref,) = told["refs"]["nodes"]
    assert (ref["prefix"], ref["name"]) == ("refs/heads/digestbot/", "images")


def test_a_pull_request_tells_everything(github: GitHubServer, ask: Asking) -> None:
    pull = github.open_pull("acme/app", "work", {"a": "b"}, title="T", body="B")
    github.life.add_labels(pull, ["deps"], pull.author)
    github.life.request_reviews(pull, [github.user("bob")], ["platform"])
    github.comment("acme/app", 1, "hello", by="digestbot-user")

    told = ask.graphql(PULLS)["data"]["repository"]["pullRequests"]["nodes"]

    parents = {"nodes": [{"oid": pull.base}]}
    assert told == [
        {
            "number": 1,
            "title": "T",
            "body": "B",
            "state": "OPEN",
            "isDraft": False,
            "headRefName": "work",
            "headRefOid": pull.head,
            "baseRefName": "main",
            "isCrossRepository": False,
            "mergeable": "MERGEABLE",
            "mergeStateStatus": "CLEAN",
            "createdAt": told[0]["createdAt"],
            "mergedAt": None,
            "closedAt": None,
            "author": {"__typename": "User", "login": "ann"},
            "files": {"nodes": [{"path": "a", "changeType": "ADDED"}]},
            "labels": {"nodes": [{"name": "deps"}]},
            "comments": {
                "nodes": [
                    {
                        "body": "hello",
                        "viewerDidAuthor": True,
                        "author": {"login": "digestbot-user"},
                    }
                ]
            },
            "commits": {"nodes": [{"commit": {"message": "Change", "parents": parents}}]},
            "timelineItems": {"totalCount": 1},
            "autoMergeRequest": None,
            "reviewRequests": {
                "nodes": [
                    {"requestedReviewer": {"login": "bob"}},
                    {"requestedReviewer": {"slug": "platform"}},
                ]
            },
        }
    ]


def test_pull_requests_are_filtered_by_state(github: GitHubServer, ask: Asking) -> None:
    for branch in ("one", "two", "three"):
        github.open_pull("acme/app", branch, {branch: "x"})
    github.close_pull("acme/app", 1)
    github.merge_pull("acme/app", 2)

    def numbers(*states: str) -> list[int]:
        told = ask.graphql(PULLS, states=list(states))["data"]["repository"]["pullRequests"]
        return [one["number"] for one in told["nodes"]]

    assert (numbers(), numbers("OPEN"), numbers("CLOSED"), numbers("MERGED")) == (
        [3, 2, 1],
        [3],
        [1],
        [2],
    )


def test_many_objects_come_in_one_query(github: GitHubServer, ask: Asking) -> None:
    github.commit("acme/app", "main", {"bin": b"\0\1", "a/run": executable(b"x")})
    repo = github.repo("acme/app")
    binary = repo.git.objects.write("blob", b"\0\1")

    told = ask.graphql(
        """query($binary: GitObjectID!, $none: GitObjectID!) {
          repository(owner: "acme", name: "app") {
            text: object(expression: "main:Dockerfile") { ...Content }
            binary: object(oid: $binary) { ...Content }
            none: object(oid: $none) { ...Content }
            folder: object(expression: "main:a") {
              ... on Tree { entries { name mode type oid size } }
            }
          }
        }
        fragment Content on Blob { byteSize isBinary isTruncated text oid }""",
        binary=binary,
        none=ABSENT,
    )["data"]["repository"]

    assert (told["text"]["text"], told["text"]["byteSize"]) == ("FROM python:3.12\n", 17)
    assert (told["binary"]["isBinary"], told["binary"]["text"]) == (True, None)
    assert told["none"] is None
    assert [(one["name"], one["mode"]) for one in told["folder"]["entries"]] == [("run", 0o100755)]


def test_what_is_not_there_is_an_error_beside_the_rest(ask: Asking) -> None:
    told = ask.graphql(
        """{ a: repository(owner: "acme", name: "app") { name }
             b: repository(owner: "acme", name: "none") { name } }"""
    )

    assert told["data"] == {"a": {"name": "app"}, "b": None}
    (error,) = told["errors"]
    assert (error["type"], error["path"]) == ("NOT_FOUND", ["b"])
    assert error["message"] == "Could not resolve to a Repository with the name 'acme/none'."


def test_nodes_are_found_by_their_ids(github: GitHubServer, ask: Asking) -> None:
    pull = github.open_pull("acme/app", "work", {"a": "b"})
    ids = [node_id(pull), "PR_none", node_id(github.repo("acme/app"))]

    told = ask.graphql(
        """query($ids: [ID!]!) { nodes(ids: $ids) {
             __typename ... on PullRequest { number } ... on Repository { name } } }""",
        ids=ids,
    )

    assert told["data"]["nodes"] == [
        {"__typename": "PullRequest", "number": 1},
        None,
        {"__typename": "Repository", "name": "app"},
    ]
    assert told["errors"][0]["path"] == ["nodes", 1]


@pytest.mark.parametrize(
    "argument, kind",
    [
        pytest.param("", "MISSING_PAGINATION_BOUNDARIES", id="neither first nor last"),
        pytest.param("(first: 101)", "EXCESSIVE_PAGINATION", id="more than a hundred"),
        pytest.param('(first: 1, after: "x")', "INVALID_CURSOR_ARGUMENTS", id="no cursor"),
    ],
)
def test_pages_have_bounds(ask: Asking, argument: str, kind: str) -> None:
    query = f'{{ organization(login: "acme") {{ repositories{argument} {{ totalCount }} }} }}'

    told = ask.graphql(query)

    assert told["errors"][0]["type"] == kind


def test_a_branch_is_made_moved_and_deleted_by_compare_and_swap(
    github: GitHubServer, ask: Asking
) -> None:
    one = github.commit("acme/app", "scratch1", {"a": "1"})
    two = github.commit("acme/app", "scratch2", {"a": "2"})
    name = "refs/heads/digestbot/images"

    made = update(ask, github, {"name": name, "beforeOid": ABSENT, "afterOid": one})
    moved = update(ask, github, {"name": name, "beforeOid": one, "afterOid": two, "force": True})
    where = github.branches("acme/app")["digestbot/images"]
    gone = update(ask, github, {"name": name, "beforeOid": two, "afterOid": ABSENT})

    assert [one.get("errors") for one in (made, moved, gone)] == [None, None, None]
    assert where == two
    assert "digestbot/images" not in github.branches("acme/app")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"name": "refs/heads/main", "beforeOid": ABSENT}, id="it exists"),
        pytest.param({"name": "refs/heads/main", "beforeOid": "1" * 40}, id="it moved"),
        pytest.param({"name": "refs/heads/new", "beforeOid": "1" * 40}, id="it is gone"),
        pytest.param({"name": "refs/heads/main"}, id="not a fast forward"),
        pytest.param({"name": "refs/heads/kept", "force": True}, id="protected"),
        pytest.param({"name": "refs/heads/main/x"}, id="below another"),
        pytest.param({"name": "refs/heads/new", "afterOid": "2" * 40}, id="no such commit"),
    ],
)
def test_refs_change_all_or_not_at_all(
    github: GitHubServer, ask: Asking, change: dict[str, Any]
) -> None:
    repo = github.repo("acme/app")
    old = repo.head()
    github.commit("acme/app", "main", {"a": "1"})
    repo.protected.add("kept")
    before = github.branches("acme/app")

    told = update(
        ask, github, {"afterOid": old, **change}, {"name": "refs/heads/other", "afterOid": old}
    )

    assert told["data"] == {"updateRefs": None}
    assert len(told["errors"]) == 1
    assert github.branches("acme/app").keys() - {"other"} == before.keys()
    assert github.branches("acme/app")["main"] == before["main"]


def test_create_ref_refuses_one_that_exists(github: GitHubServer, ask: Asking) -> None:
    query = "mutation($i: CreateRefInput!) { createRef(input: $i) { ref { name target { oid } } } }"
    head = github.repo("acme/app").head()
    told = {"repositoryId": node_id(github.repo("acme/app")), "name": "refs/heads/x", "oid": head}

    first, second = ask.graphql(query, i=told), ask.graphql(query, i=told)

    assert first["data"]["createRef"]["ref"] == {"name": "x", "target": {"oid": head}}
    assert second["errors"][0]["message"] == (
        'A ref named "refs/heads/x" already exists in the repository.'
    )


def test_pull_requests_are_closed_and_labelled(github: GitHubServer, ask: Asking) -> None:
    pull = github.open_pull("acme/app", "work", {"a": "b"})
    label = github.life.label(github.repo("acme/app"), "deps")

    told = ask.graphql(
        """mutation($label: AddLabelsToLabelableInput!, $close: ClosePullRequestInput!) {
          addLabelsToLabelable(input: $label) { clientMutationId }
          closePullRequest(input: $close) { pullRequest { state } }
        }""",
        label={"labelableId": node_id(pull), "labelIds": [node_id(label)], "clientMutationId": "7"},
        close={"pullRequestId": node_id(pull)},
    )

    assert told["data"] == {
        "addLabelsToLabelable": {"clientMutationId": "7"},
        "closePullRequest": {"pullRequest": {"state": "CLOSED"}},
    }
    assert pull.labels == [label]


def test_mutations_need_permission(github: GitHubServer, ask: Asking) -> None:
    github.repo("acme/app").archived = True

    told = update(ask, github, {"name": "refs/heads/x", "afterOid": github.repo("acme/app").head()})

    assert told["errors"][0]["type"] == "FORBIDDEN"
    assert told["errors"][0]["message"] == "Repository was archived so is read-only."
