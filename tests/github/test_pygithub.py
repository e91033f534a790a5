"""The client that digestbot uses, against the test GitHub."""

from __future__ import annotations

from collections.abc import Iterator

import github as pygithub
import pytest

from tests.github.server import GitHubServer


@pytest.fixture
def client(github: GitHubServer) -> Iterator[pygithub.Github]:
    auth = pygithub.Auth.Token(github.token().value)
    made = pygithub.Github(
        auth=auth,
        base_url=github.url,
        retry=None,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )
    yield made
    made.close()


def test_from_a_tree_to_a_merged_pull_request(
    github: GitHubServer, client: pygithub.Github
) -> None:
    repo = client.get_repo("acme/app")
    main = repo.get_branch("main").commit.sha
    tree = repo.get_git_tree("main", recursive=True)
    assert repo.get_git_blob(tree.tree[0].sha).size == 17

    change = pygithub.InputGitTreeElement("Dockerfile", "100644", "blob", content="FROM b\n")
    new_tree = repo.create_git_tree([change], base_tree=tree)
    commit = repo.create_git_commit("Update", new_tree, [repo.get_git_commit(main)])
    repo.create_git_ref("refs/heads/digestbot/images", commit.sha)
    pull = repo.create_pull(base="main", head="digestbot/images", title="t", body="b")
    pull.add_to_labels("deps")
    pull.create_issue_comment("hello")
    pull.edit(title="T")
    pull.merge(merge_method="squash", sha=commit.sha)

    assert github.files("acme/app") == {"Dockerfile": b"FROM b\n"}
    assert [one.title for one in repo.get_pulls(state="closed")] == ["T"]
    assert [one.name for one in repo.get_pull(1).labels] == ["deps"]


def test_lists_are_followed_over_pages(github: GitHubServer, client: pygithub.Github) -> None:
    for number in range(40):
        github.add_repo(f"acme/r{number:02}")

    names = [one.name for one in client.get_organization("acme").get_repos()]

    assert len(names) == 41


def test_a_second_pull_request_is_refused(github: GitHubServer, client: pygithub.Github) -> None:
    github.open_pull("acme/app", "work", {"a": "b"})
    repo = client.get_repo("acme/app")

    with pytest.raises(pygithub.GithubException, match="already exists for acme:work"):
        repo.create_pull(base="main", head="work", title="t", body="b")


def test_a_renamed_repo_is_followed(github: GitHubServer, client: pygithub.Github) -> None:
    github.rename("acme/app", "acme/new")

    assert client.get_repo("acme/app").full_name == "acme/new"


def test_graphql_errors_are_told(github: GitHubServer, client: pygithub.Github) -> None:
    query = '{ repository(owner: "acme", name: "none") { id } }'

    with pytest.raises(pygithub.GithubException, match="Could not resolve to a Repository"):
        client.requester.graphql_query(query, {})


def test_three_hundred_repos_are_made_at_once(client: pygithub.Github) -> None:
    with GitHubServer() as github:
        for number in range(300):
            github.add_repo(f"acme/r{number}", {"Dockerfile": f"FROM a:{number}\n"})

        assert len(github.world.repos) == 300
