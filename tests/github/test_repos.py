from __future__ import annotations

import pytest

from tests.github.asking import Asking, asking
from tests.github.server import GitHubServer


def test_a_repo_tells_its_settings(github: GitHubServer, ask: Asking) -> None:
    repo = github.add_repo("acme/web", topics=["docker"], archived=True, allow_auto_merge=True)

    told = ask("GET", "/repos/acme/web").json()

    assert told["id"] == repo.id
    assert told["full_name"] == "acme/web"
    assert told["topics"] == ["docker"]
    assert (told["archived"], told["fork"], told["allow_auto_merge"]) == (True, False, True)
    assert told["permissions"]["push"]


def test_lists_come_by_pages_with_links(github: GitHubServer, ask: Asking) -> None:
    for number in range(4):
        github.add_repo(f"acme/r{number}")

    answer = ask("GET", "/orgs/acme/repos?per_page=2&page=2")

    assert [one["name"] for one in answer.json()] == ["r1", "r2"]
    assert {name: link["url"][-6:] for name, link in answer.links.items()} == {
        "prev": "page=1",
        "next": "page=3",
        "last": "page=3",
        "first": "page=1",
    }


def test_the_last_page_has_no_next(github: GitHubServer, ask: Asking) -> None:
    answer = ask("GET", "/orgs/acme/repos")

    assert answer.links == {}


def test_what_has_not_changed_is_304_and_free(github: GitHubServer, ask: Asking) -> None:
    first = ask("GET", "/repos/acme/app")

    again = ask("GET", "/repos/acme/app", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert int(ask("GET", "/rate_limit").json()["rate"]["used"]) == 1


def test_a_renamed_repo_is_redirected(github: GitHubServer, ask: Asking) -> None:
    repo = github.repo("acme/app")
    github.rename("acme/app", "acme/new")

    answer = ask("GET", "/repos/acme/app/pulls?state=all")
    followed = ask("GET", "/repos/acme/app/pulls?state=all", allow_redirects=True)
    write = ask("POST", "/repos/acme/app/issues", {"title": "x"})

    assert answer.status_code == 301
    assert answer.headers["Location"].endswith(f"/repositories/{repo.id}/pulls?state=all")
    assert followed.json() == []
    assert write.status_code == 307


def test_an_archived_repo_takes_no_writes(github: GitHubServer, ask: Asking) -> None:
    github.repo("acme/app").archived = True

    answer = ask("POST", "/repos/acme/app/issues", {"title": "x"})

    assert answer.status_code == 403
    assert answer.json()["message"] == "Repository was archived so is read-only."


def test_a_private_repo_is_not_there_for_strangers(github: GitHubServer) -> None:
    github.add_repo("acme/secret", private=True, permission="")

    with asking(github, github.token()) as stranger, asking(github, None) as nobody:
        answers = [
            stranger("GET", "/repos/acme/secret"),
            nobody("GET", "/repos/acme/secret"),
        ]
        listed = stranger("GET", "/orgs/acme/repos").json()

    assert [answer.status_code for answer in answers] == [404, 404]
    assert [one["name"] for one in listed] == ["app"]


@pytest.mark.parametrize(
    "token, said",
    [
        pytest.param("ghp_nobody", (401, "Bad credentials"), id="unknown"),
        pytest.param("revoked", (401, "Bad credentials"), id="revoked"),
        pytest.param("expired", (401, "Bad credentials"), id="expired"),
    ],
)
def test_a_bad_token_is_refused(github: GitHubServer, token: str, said: tuple[int, str]) -> None:
    known = github.token(expires_in=60)
    if token == "revoked":
        github.revoke(known)
    if token == "expired":
        github.clock.advance(61)

    with asking(github, token if token.startswith("ghp") else known) as ask:
        answer = ask("GET", "/repos/acme/app")

    assert (answer.status_code, answer.json()["message"]) == said


def test_a_classic_token_tells_its_scopes(github: GitHubServer) -> None:
    with asking(github, github.token(scopes=["repo", "workflow"])) as ask:
        answer = ask("GET", "/user")

    assert answer.json()["login"] == "digestbot-user"
    assert answer.headers["X-OAuth-Scopes"] == "repo, workflow"


def test_a_classic_token_without_the_scope_sees_nothing_to_write(github: GitHubServer) -> None:
    with asking(github, github.token(scopes=[])) as ask:
        answer = ask("POST", "/repos/acme/app/issues", {"title": "x"})

    assert answer.status_code == 404


def test_a_fine_grained_token_is_told_what_it_lacks(github: GitHubServer) -> None:
    token = github.token(permissions={"metadata": "read", "contents": "read"})

    with asking(github, token) as ask:
        body = {"content": "x"}
        answer = ask("POST", "/repos/acme/app/git/blobs", body)

    assert answer.status_code == 403
    assert answer.json()["message"] == "Resource not accessible by personal access token"
    assert answer.headers["X-Accepted-GitHub-Permissions"] == "contents=write"


def test_the_paths_of_an_enterprise_server_work_too(github: GitHubServer, ask: Asking) -> None:
    answer = ask("GET", "/api/v3/repos/acme/app")
    graphql = ask("POST", "/api/graphql", {"query": "{ viewer { login } }"})

    assert answer.json()["name"] == "app"
    assert graphql.json() == {"data": {"viewer": {"login": "digestbot-user"}}}


def test_the_log_knows_requests_but_no_secrets(github: GitHubServer) -> None:
    token = github.token()

    with asking(github, token) as ask:
        ask("GET", "/repos/acme/app")
        ask("POST", "/repos/acme/app/issues", {"title": "x"})
        ask.graphql("query Who { viewer { login } }")

    assert [str(one) for one in github.requests] == [
        "GET /repos/acme/app 200",
        "POST /repos/acme/app/issues 201",
        "POST /graphql [Who] 200",
    ]
    assert [one.operation for one in github.writes] == ["issues/create"]
    assert {one.who for one in github.requests} == {"digestbot-user"}
    assert token.value not in repr(github.requests)
