from __future__ import annotations

import pytest

from tests.github.asking import Asking
from tests.github.server import GitHubServer
from tests.github.state import Pull, node_id

REPO = "/repos/acme/app"
ENABLE = """
mutation($input: EnablePullRequestAutoMergeInput!) {
  enablePullRequestAutoMerge(input: $input) { pullRequest { autoMergeRequest { mergeMethod } } }
}
"""


@pytest.fixture
def pull(github: GitHubServer) -> Pull:
    return github.open_pull("acme/app", "work", {"Dockerfile": "FROM python:3.13\n"})


def enable(ask: Asking, pull: Pull, **more: str) -> str:
    """The message of the error, or nothing."""
    answer = ask.graphql(ENABLE, input={"pullRequestId": node_id(pull), **more})
    return str(answer["errors"][0]["message"]) if "errors" in answer else ""


@pytest.mark.parametrize("method, parents", [("merge", 2), ("squash", 1), ("rebase", 1)], ids=str)
def test_merging_really_merges(
    github: GitHubServer, ask: Asking, pull: Pull, method: str, parents: int
) -> None:
    github.commit("acme/app", "main", {"other": "x"})

    told = ask("PUT", f"{REPO}/pulls/1/merge", {"merge_method": method, "sha": pull.head}).json()

    commit = github.repo("acme/app").git.objects.commit(told["sha"])
    assert told["merged"] is True
    assert github.branches("acme/app")["main"] == told["sha"]
    assert github.files("acme/app") == {"Dockerfile": b"FROM python:3.13\n", "other": b"x"}
    assert commit is not None
    assert len(commit.parents) == parents
    assert pull.graphql_state == "MERGED"
    assert ask("GET", f"{REPO}/pulls/1").json()["merged_by"]["login"] == "digestbot-user"


def test_the_branch_goes_with_the_merge_where_the_repo_says_so(
    github: GitHubServer, pull: Pull
) -> None:
    github.repo("acme/app").delete_branch_on_merge = True

    github.merge_pull("acme/app", 1)

    assert set(github.branches("acme/app")) == {"main"}
    assert pull.graphql_state == "MERGED"


def test_a_conflict_is_seen_and_refused(github: GitHubServer, ask: Asking, pull: Pull) -> None:
    github.commit("acme/app", "main", {"Dockerfile": "FROM python:3.11\n"})

    told = ask("GET", f"{REPO}/pulls/1").json()
    refused = ask("PUT", f"{REPO}/pulls/1/merge", {})

    assert (told["mergeable"], told["mergeable_state"]) == (False, "dirty")
    assert (refused.status_code, refused.json()["message"]) == (
        405,
        "Pull Request is not mergeable",
    )


@pytest.mark.parametrize(
    "trouble, status, reason",
    [
        pytest.param("sha", 409, "Head branch was modified. Review and try", id="head moved"),
        pytest.param("method", 405, "Squash merges are not allowed", id="method is off"),
        pytest.param("check", 405, 'Required status check "ci" is expected.', id="check"),
        pytest.param("review", 405, "At least 1 approving review", id="review"),
        pytest.param("draft", 405, "Pull Request is still a draft", id="draft"),
        pytest.param("closed", 405, "Pull Request is not mergeable", id="closed"),
    ],
)
def test_merging_is_refused_in_the_words_of_github(
    github: GitHubServer, ask: Asking, pull: Pull, trouble: str, status: int, reason: str
) -> None:
    repo = github.repo("acme/app")
    repo.allow_squash_merge = trouble != "method"
    repo.required_checks = ("ci",) if trouble == "check" else ()
    repo.required_reviews = 1 if trouble == "review" else 0
    pull.is_draft = trouble == "draft"
    if trouble == "closed":
        github.close_pull("acme/app", 1)
    sha = "1" * 40 if trouble == "sha" else pull.head

    answer = ask("PUT", f"{REPO}/pulls/1/merge", {"merge_method": "squash", "sha": sha})

    assert answer.status_code == status
    assert reason in answer.json()["message"]


def test_auto_merge_waits_for_what_is_required(
    github: GitHubServer, ask: Asking, pull: Pull
) -> None:
    repo = github.repo("acme/app")
    repo.allow_auto_merge, repo.required_checks = True, ("ci",)
    github.set_checks("acme/app", pull.head, ci=None)

    said = enable(ask, pull, mergeMethod="SQUASH", expectedHeadOid=pull.head)
    waiting = pull.graphql_state
    github.set_checks("acme/app", pull.head, ci="success")

    assert (said, waiting, pull.graphql_state) == ("", "OPEN", "MERGED")


def test_auto_merge_does_not_merge_what_fails(
    github: GitHubServer, ask: Asking, pull: Pull
) -> None:
    repo = github.repo("acme/app")
    repo.allow_auto_merge, repo.required_checks = True, ("ci",)
    enable(ask, pull)

    github.set_checks("acme/app", pull.head, ci="failure")

    assert pull.graphql_state == "OPEN"
    assert pull.auto_merge is not None


@pytest.mark.parametrize(
    "trouble, reason",
    [
        pytest.param("off", "Auto merge is not allowed for this repository", id="off"),
        pytest.param("clean", "Pull request is in clean status", id="nothing to wait for"),
        pytest.param("unstable", "Pull request is in unstable status", id="unstable"),
        pytest.param("dirty", "Pull request is in dirty status", id="conflict"),
        pytest.param("head", "Head branch was modified", id="head moved"),
        pytest.param("closed", "Can't enable auto-merge", id="closed"),
    ],
)
def test_auto_merge_is_refused_in_the_words_of_github(
    github: GitHubServer, ask: Asking, pull: Pull, trouble: str, reason: str
) -> None:
    github.repo("acme/app").allow_auto_merge = trouble != "off"
    if trouble == "unstable":
        github.set_checks("acme/app", pull.head, ci=None)
    if trouble == "dirty":
        github.commit("acme/app", "main", {"Dockerfile": "FROM python:3.11\n"})
    if trouble == "closed":
        github.close_pull("acme/app", 1)
    more = {"expectedHeadOid": "1" * 40} if trouble == "head" else {}

    said = enable(ask, pull, **more)

    assert reason in said


@pytest.mark.parametrize(
    "checks, is_status, rest, graphql",
    [
        pytest.param({}, True, "pending", None, id="none"),
        pytest.param({"ci": None}, True, "pending", "PENDING", id="pending"),
        pytest.param({"ci": "success"}, True, "success", "SUCCESS", id="green"),
        pytest.param({"ci": "failure", "b": None}, True, "failure", "FAILURE", id="red"),
        pytest.param({"ci": "success"}, False, "pending", "SUCCESS", id="check run"),
    ],
)
def test_what_ci_says_is_told_both_ways(
    github: GitHubServer,
    ask: Asking,
    pull: Pull,
    checks: dict[str, str | None],
    is_status: bool,
    rest: str,
    graphql: str | None,
) -> None:
    github.set_checks("acme/app", pull.head, is_status=is_status, **checks)

    status = ask("GET", f"{REPO}/commits/{pull.head}/status").json()
    runs = ask("GET", f"{REPO}/commits/work/check-runs").json()
    said = ask.graphql(
        """{ repository(owner: "acme", name: "app") {
             ref(qualifiedName: "work") { target { ... on Commit {
               statusCheckRollup { state contexts(first: 1) { totalCount } }
             } } } } }"""
    )

    rollup = said["data"]["repository"]["ref"]["target"]["statusCheckRollup"]
    assert status["state"] == rest
    assert runs["total_count"] == (0 if is_status else len(checks))
    assert (rollup and rollup["state"]) == graphql
    assert rollup is None or rollup["contexts"]["totalCount"] == len(checks)
