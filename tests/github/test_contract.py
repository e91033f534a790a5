from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests import npm
from tests.github import contract, schemas
from tests.github.asking import asking
from tests.github.contract import ContractError
from tests.github.rest import HANDLERS
from tests.github.rest.router import Call, Reply
from tests.github.server import GitHubServer

PULLS = "/repos/acme/app/pulls"
_BAD_REF = {"name": "refs/heads/a", "afterOid": "12"}


@contextmanager
def violating(reason: str) -> Iterator[GitHubServer]:
    """A test GitHub that complains in the end."""
    stack = ExitStack()
    github = stack.enter_context(GitHubServer())
    github.add_repo("acme/app")
    try:
        yield github
    finally:
        with pytest.raises(ContractError, match=reason):
            stack.close()


@pytest.mark.parametrize(
    "method, path, body, reason",
    [
        pytest.param("GET", "/nowhere", None, "not an operation", id="unknown path"),
        pytest.param("GET", f"{PULLS}?colour=red", None, "'colour'", id="unknown query"),
        pytest.param("GET", f"{PULLS}?state=red", None, "state", id="wrong value in the query"),
        pytest.param("GET", f"{PULLS}/one", None, "pull_number", id="wrong type in the path"),
        pytest.param("POST", PULLS, {"head": "a", "base": "main", "dratf": 1}, "dratf", id="field"),
        pytest.param("POST", PULLS, {"head": "a"}, "base", id="field left out"),
        pytest.param("POST", PULLS, {"head": "a", "base": 1}, "string", id="wrong type"),
        pytest.param("POST", PULLS, None, "needs a body", id="no body"),
        pytest.param("DELETE", "/repos/acme/app/git/refs/x", {"a": 1}, "no body", id="a body"),
        pytest.param(
            "POST",
            "/repos/acme/app/git/trees",
            {"tree": [{"path": "a", "mode": "100600", "type": "blob", "content": "x"}]},
            "mode",
            id="wrong value deep inside",
        ),
    ],
)
def test_a_request_that_github_does_not_describe_fails_the_test(
    method: str, path: str, body: Any, reason: str
) -> None:
    with violating(reason) as github:
        with asking(github, github.token()) as ask:
            answer = ask(method, path, body)

        assert answer.status_code == 500
        assert reason in answer.json()["message"]


@pytest.mark.parametrize(
    "query, variables, reason",
    [
        pytest.param("{ viewer { nme } }", {}, "nme", id="unknown field"),
        pytest.param("{ viewer { login }", {}, "Syntax Error", id="syntax"),
        pytest.param("{ repository(owner: 1, name: 2) { id } }", {}, "String", id="argument"),
        pytest.param("query($a: Int!) { node(id: $a) { id } }", {}, r"\$a", id="variable's type"),
        pytest.param("query($a: ID!) { node(id: $a) { id } }", {}, "non-null", id="missing"),
        pytest.param("{ viewer { login } } { viewer { id } }", {}, "operation", id="two at once"),
        pytest.param(
            "mutation($i: UpdateRefsInput!) { updateRefs(input: $i) { clientMutationId } }",
            {
                "i": {
                    "repositoryId": "x",
                    "refUpdates": [_BAD_REF],
                }
            },
            "GitObjectID",
            id="scalar",
        ),
        pytest.param("{ viewer { bio } }", {}, "does not serve User.bio", id="not served"),
    ],
)
def test_graphql_that_the_schema_does_not_allow_fails_the_test(
    query: str, variables: dict[str, Any], reason: str
) -> None:
    with violating(reason) as github:
        with asking(github, github.token()) as ask:
            answer = ask("POST", "/graphql", {"query": query, "variables": variables})

        assert answer.status_code == 500


@pytest.mark.parametrize(
    "reply, reason",
    [
        pytest.param(Reply(200, {"id": "seven"}), "integer", id="wrong type"),
        pytest.param(Reply(200, {"id": 7, "idea": 1}), "idea", id="field that is not described"),
        pytest.param(Reply(204), "never answers 204", id="status that is not described"),
        pytest.param(Reply(404, {"message": 5}), "message", id="malformed error"),
        pytest.param(Reply(422, {"message": 5}), "message", id="malformed error not described"),
    ],
)
def test_an_answer_that_github_does_not_describe_fails_the_test(
    reply: Reply, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(call: Call) -> Reply:
        return reply

    with violating(reason) as github:
        monkeypatch.setitem(HANDLERS, "GET /repos/{owner}/{repo}", wrong)
        with asking(github, github.token()) as ask:
            answer = ask("GET", "/repos/acme/app")

        assert answer.status_code == 500


def test_a_fault_of_the_test_github_fails_the_test_and_tells_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(call: Call) -> Reply:
        raise KeyError("surprise")

    with violating("surprise") as github:
        monkeypatch.setitem(HANDLERS, "GET /user", broken)
        with asking(github, github.token()) as ask:
            answer = ask("GET", "/user")

        assert answer.status_code == 500


def test_violations_do_not_hide_the_error_of_the_test_itself() -> None:
    def failing() -> None:
        with GitHubServer() as github, asking(github, github.token()) as ask:
            ask("GET", "/nowhere")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()


def test_every_operation_that_is_described_is_served_and_the_other_way_round() -> None:
    assert HANDLERS.keys() == set(schemas.OPERATIONS) == contract.operations().keys()


def test_what_is_required_and_unsaid_is_as_empty_as_allowed() -> None:
    operation = contract.operations()["GET /repos/{owner}/{repo}"]

    made = operation.complete(200, {"name": "app"})

    assert made["name"] == "app"
    assert made["license"] is None
    assert made["forks_count"] == 0
    assert made["archived"] is False
    assert made["owner"]["login"] == ""


def test_without_the_descriptions_it_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(schemas, "FOLDER", tmp_path)
    monkeypatch.setattr(npm, "FOLDER", tmp_path)
    schemas.rest.cache_clear()

    with pytest.raises(AssertionError, match=r"run \./tests/run"):
        schemas.rest()

    schemas.rest.cache_clear()
