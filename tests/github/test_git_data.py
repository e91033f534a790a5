from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.github.asking import Asking, asking
from tests.github.server import GitHubServer, executable, submodule, symlink

GIT = "/repos/acme/app/git"


def new_tree(ask: Asking, base: str, *entries: dict[str, Any]) -> str:
    answer = ask("POST", f"{GIT}/trees", {"base_tree": base, "tree": list(entries)})
    return str(answer.json()["sha"])


def blob_entry(path: str, content: str, mode: str = "100644") -> dict[str, Any]:
    return {"path": path, "mode": mode, "type": "blob", "content": content}


def new_commit(ask: Asking, tree: str, *parents: str, **more: Any) -> dict[str, Any]:
    body = {"message": "Change", "tree": tree, "parents": list(parents), **more}
    answer: dict[str, Any] = ask("POST", f"{GIT}/commits", body).json()
    return answer


def test_a_tree_shows_every_mode(github: GitHubServer, ask: Asking) -> None:
    github.add_repo(
        "acme/all",
        {
            "a/run.sh": executable(b"#!/bin/sh\n"),
            "link": symlink("a/run.sh"),
            "sub": submodule("5" * 40),
            "Dockerfile": b"FROM a\n",
        },
    )

    told = ask("GET", "/repos/acme/all/git/trees/main?recursive=1").json()

    shown = {one["path"]: (one["mode"], one["type"], one.get("size")) for one in told["tree"]}
    assert shown == {
        "Dockerfile": ("100644", "blob", 7),
        "a": ("040000", "tree", None),
        "a/run.sh": ("100755", "blob", 10),
        "link": ("120000", "blob", 8),
        "sub": ("160000", "commit", None),
    }
    assert told["truncated"] is False


def test_the_objects_are_those_of_real_git(github: GitHubServer) -> None:
    repo = github.add_repo("acme/real", {"b/c/d": "x", "a": executable(b"y"), "b.txt": "z"})

    checked = repo.git.git("fsck", "--strict", "--full")
    listed = repo.git.git("ls-tree", "-r", "main")

    assert (checked.returncode, checked.stderr) == (0, "")
    assert [line.split("\t")[1] for line in listed.stdout.splitlines()] == ["a", "b.txt", "b/c/d"]


def test_a_large_tree_is_cut_and_can_be_walked(github: GitHubServer, ask: Asking) -> None:
    github.add_repo("acme/big", {f"d{n}/f": "x" for n in range(5)})
    github.tree_limit = 3

    cut = ask("GET", "/repos/acme/big/git/trees/main?recursive=1").json()
    top = ask("GET", "/repos/acme/big/git/trees/main").json()

    assert (cut["truncated"], len(cut["tree"])) == (True, 3)
    assert (top["truncated"], len(top["tree"])) == (False, 5)


def test_an_empty_repo_has_no_git_data(github: GitHubServer, ask: Asking) -> None:
    github.add_repo("acme/empty", {})

    answer = ask("GET", "/repos/acme/empty/git/trees/main")

    assert (answer.status_code, answer.json()["message"]) == (409, "Git Repository is empty.")


def test_a_blob_comes_as_base64(github: GitHubServer, ask: Asking) -> None:
    content = b"FROM \xff\x00 a\n" * 20
    github.commit("acme/app", "main", {"bin": content})
    sha = github.repo("acme/app").git.objects.write("blob", content)

    told = ask("GET", f"{GIT}/blobs/{sha}").json()

    assert base64.b64decode(told["content"]) == content
    assert (told["size"], told["encoding"]) == (len(content), "base64")


def test_a_change_keeps_what_it_does_not_name(github: GitHubServer, ask: Asking) -> None:
    github.add_repo("acme/app2")
    github.commit("acme/app", "main", {"a/run": executable(b"1"), "a/gone": "2"})
    repo = github.repo("acme/app")
    head = str(repo.head())
    blob = ask("POST", f"{GIT}/blobs", {"content": "MQ==", "encoding": "base64"}).json()["sha"]

    tree = new_tree(
        ask,
        repo.git.tree_of(head),
        blob_entry("Dockerfile", "FROM b\n"),
        {"path": "a/gone", "mode": "100644", "type": "blob", "sha": None},
        {"path": "a/new", "mode": "100755", "type": "blob", "sha": blob},
    )
    commit = new_commit(ask, tree, head)
    ask("POST", f"{GIT}/refs", {"ref": "refs/heads/work", "sha": commit["sha"]})

    assert github.files("acme/app", "work") == {
        "Dockerfile": b"FROM b\n",
        "a/run": b"1",
        "a/new": b"1",
    }
    assert repo.git.files(tree)["a/new"].mode == "100755"
    assert repo.git.git("fsck", "--strict").returncode == 0


def test_a_commit_of_a_user_is_unsigned(github: GitHubServer, ask: Asking) -> None:
    head = str(github.repo("acme/app").head())
    tree = github.repo("acme/app").git.tree_of(head)

    commit = new_commit(ask, tree, head)

    assert commit["verification"]["verified"] is False
    assert commit["author"]["name"] == "digestbot-user"
    assert ask("GET", f"{GIT}/commits/{commit['sha']}").json() == commit


def test_a_commit_can_name_its_author(github: GitHubServer, ask: Asking) -> None:
    tree = github.repo("acme/app").git.tree_of(str(github.repo("acme/app").head()))
    author = {"name": "Ann", "email": "ann@example.org", "date": "2026-01-02T03:04:05Z"}

    commit = new_commit(ask, tree, author=author)

    assert commit["author"] == commit["committer"] == author


@pytest.mark.parametrize(
    "method, path, body, said",
    [
        pytest.param(
            "POST",
            "refs",
            {"ref": "refs/heads/main", "sha": "HEAD"},
            (422, "Reference already exists"),
            id="it exists",
        ),
        pytest.param(
            "POST",
            "refs",
            {"ref": "refs/heads/x", "sha": "0" * 40},
            (422, "Object does not exist"),
            id="no such object",
        ),
        pytest.param(
            "POST",
            "refs",
            {"ref": "refs/heads/main/x", "sha": "HEAD"},
            (422, "Reference update failed"),
            id="below another ref",
        ),
        pytest.param(
            "POST",
            "refs",
            {"ref": "refs/heads/a..b", "sha": "HEAD"},
            (422, "refs/heads/a..b is not a valid ref name."),
            id="bad name",
        ),
        pytest.param(
            "PATCH",
            "refs/heads/no",
            {"sha": "HEAD"},
            (422, "Reference does not exist"),
            id="nothing to move",
        ),
        pytest.param(
            "DELETE",
            "refs/heads/no",
            None,
            (422, "Reference does not exist"),
            id="nothing to delete",
        ),
        pytest.param("GET", "ref/heads/no", None, (404, "Not Found"), id="nothing to read"),
        pytest.param("GET", f"blobs/{'0' * 40}", None, (404, "Not Found"), id="no such blob"),
    ],
)
def test_refusals_have_the_words_of_github(
    github: GitHubServer,
    ask: Asking,
    method: str,
    path: str,
    body: dict[str, str] | None,
    said: tuple[int, str],
) -> None:
    if body and body["sha"] == "HEAD":
        body = {**body, "sha": str(github.repo("acme/app").head())}

    answer = ask(method, f"{GIT}/{path}", body)

    assert (answer.status_code, answer.json()["message"]) == said


def test_a_ref_moves_back_by_force_only(github: GitHubServer, ask: Asking) -> None:
    old = github.repo("acme/app").head()
    github.commit("acme/app", "main", {"a": "b"})

    refused = ask("PATCH", f"{GIT}/refs/heads/main", {"sha": old})
    forced = ask("PATCH", f"{GIT}/refs/heads/main", {"sha": old, "force": True})

    assert refused.json()["message"] == "Update is not a fast forward"
    assert forced.json()["object"]["sha"] == old == github.branches("acme/app")["main"]


def test_a_deleted_branch_leaves_room_for_one_below_it(github: GitHubServer, ask: Asking) -> None:
    head = github.repo("acme/app").head()
    ask("POST", f"{GIT}/refs", {"ref": "refs/heads/a/b", "sha": head})

    gone = ask("DELETE", f"{GIT}/refs/heads/a/b")
    again = ask("POST", f"{GIT}/refs", {"ref": "refs/heads/a", "sha": head})

    assert (gone.status_code, again.status_code) == (204, 201)


@pytest.mark.parametrize(
    "more, status, reason",
    [
        pytest.param({"scopes": ["repo"]}, 404, "Not Found", id="classic"),
        pytest.param(
            {"permissions": {"contents": "write"}},
            403,
            "Resource not accessible by personal access token",
            id="fine-grained",
        ),
        pytest.param({"scopes": ["repo", "workflow"]}, 201, "", id="with the scope"),
    ],
)
def test_workflows_need_a_permission_of_their_own(
    github: GitHubServer, more: dict[str, Any], status: int, reason: str
) -> None:
    body = {"tree": [blob_entry(".github/workflows/ci.yaml", "on: push\n")]}

    with asking(github, github.token(**more)) as ask:
        answer = ask("POST", f"{GIT}/trees", body)

    assert (answer.status_code, answer.json().get("message", "")) == (status, reason)


def test_a_rule_that_wants_signatures_is_kept(github: GitHubServer, ask: Asking) -> None:
    repo = github.repo("acme/app")
    repo.rules.append(
        {
            "type": "required_signatures",
            "ruleset_source_type": "Repository",
            "ruleset_source": "acme/app",
            "ruleset_id": 1,
        }
    )

    answer = ask("POST", f"{GIT}/refs", {"ref": "refs/heads/x", "sha": repo.head()})
    rules = ask("GET", "/repos/acme/app/rules/branches/digestbot/images").json()

    assert "verified signatures" in answer.json()["message"]
    assert [rule["type"] for rule in rules] == ["required_signatures"]
