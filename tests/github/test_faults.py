from __future__ import annotations

import signal
import subprocess
import sys

import pytest
import requests

from tests.github.asking import Asking
from tests.github.clock import VirtualClock
from tests.github.errors import ApiError, ConnectionDropped
from tests.github.faults import FaultKind
from tests.github.log import Write
from tests.github.server import GitHubServer
from tests.github.state import node_id

_WRITER = """
import sys, urllib.request
headers = {"Authorization": "Bearer " + sys.argv[2]}
for _ in range(9):
    asked = urllib.request.Request(sys.argv[1], b'{"title": "x"}', headers)
    urllib.request.urlopen(asked, timeout=20).read()
"""
ISSUES = "/repos/acme/app/issues"


def create(ask: Asking) -> requests.Response:
    return ask("POST", ISSUES, {"title": "x"})


@pytest.mark.parametrize(
    "kind, happened",
    [pytest.param("502-before", 0, id="before"), pytest.param("502-after", 1, id="after")],
)
def test_a_502_comes_before_or_after_the_write(
    github: GitHubServer, ask: Asking, kind: FaultKind, happened: int
) -> None:
    github.faults.add(kind, method="POST", path="/repos/*/issues")

    answer = create(ask)

    assert (answer.status_code, answer.json()["message"]) == (502, "Server Error")
    assert len(github.repo("acme/app").issues) == happened


@pytest.mark.parametrize(
    "kind, happened",
    [pytest.param("drop-before", 0, id="before"), pytest.param("drop-after", 1, id="after")],
)
def test_a_connection_drops_before_or_after_the_write(
    github: GitHubServer, ask: Asking, kind: FaultKind, happened: int
) -> None:
    github.faults.add(kind, method="POST")

    with pytest.raises(requests.ConnectionError):
        create(ask)

    assert len(github.repo("acme/app").issues) == happened


def test_only_the_scripted_calls_are_struck(github: GitHubServer, ask: Asking) -> None:
    github.faults.add("502-before", method="POST", path=ISSUES, nth=2, times=2)

    codes = [create(ask).status_code for _ in range(4)]

    assert codes == [201, 502, 502, 201]
    assert ask("GET", ISSUES).status_code == 200


def test_a_fault_can_last_for_ever(github: GitHubServer, ask: Asking) -> None:
    github.faults.add("502-before", times=0)

    assert {ask("GET", "/user").status_code for _ in range(5)} == {502}


@pytest.mark.parametrize("kind", ["502-before", "502-after"])
def test_graphql_is_struck_by_operation_or_field(
    github: GitHubServer, ask: Asking, kind: FaultKind
) -> None:
    github.faults.add(kind, operation="createRef")
    repo = github.repo("acme/app")
    told = {"repositoryId": node_id(repo), "name": "refs/heads/x", "oid": repo.head()}
    query = "mutation Make($i: CreateRefInput!) { createRef(input: $i) { clientMutationId } }"

    answer = ask("POST", "/graphql", {"query": query, "variables": {"i": told}})

    assert answer.status_code == 502
    assert ("x" in github.branches("acme/app")) == (kind == "502-after")


@pytest.mark.parametrize(
    "kind, status, retry_after, text",
    [
        pytest.param("secondary", 403, "30", "secondary rate limit", id="with Retry-After"),
        pytest.param("secondary-429", 429, "30", "secondary rate limit", id="429"),
        pytest.param("secondary-silent", 403, None, "secondary rate limit", id="without"),
        pytest.param("too-quickly", 403, None, "was submitted too quickly", id="too quickly"),
    ],
)
def test_limits_can_be_scripted(
    github: GitHubServer,
    ask: Asking,
    kind: FaultKind,
    status: int,
    retry_after: str | None,
    text: str,
) -> None:
    github.faults.add(kind)

    answer = create(ask)

    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == retry_after
    assert text in answer.json()["message"]


def test_a_tree_can_be_cut(github: GitHubServer, ask: Asking) -> None:
    github.commit("acme/app", "main", {"a/b": "x", "c/d": "y"})
    github.faults.add("truncated", path="*/git/trees/*")

    cut, whole = (ask("GET", "/repos/acme/app/git/trees/main?recursive=1").json() for _ in range(2))

    assert (cut["truncated"], whole["truncated"]) == (True, False)
    assert len(cut["tree"]) < len(whole["tree"])


def test_an_answer_can_be_half_of_one(github: GitHubServer, ask: Asking) -> None:
    github.faults.add("malformed")

    answer = ask("GET", "/user")

    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_an_answer_can_be_huge(github: GitHubServer, ask: Asking) -> None:
    github.faults.add("huge")

    answer = ask("GET", "/user")

    assert len(answer.content) > 64 << 20


def test_a_token_can_expire_in_the_middle(github: GitHubServer, ask: Asking) -> None:
    github.faults.add("expired", nth=2)

    codes = [ask("GET", "/user").status_code for _ in range(3)]

    assert codes == [200, 401, 401]


def test_anything_can_happen_before_a_call(github: GitHubServer, ask: Asking) -> None:
    def archive() -> None:
        github.repo("acme/app").archived = True

    def refuse() -> None:
        raise ApiError(451, "Repository access blocked")

    github.faults.add(archive, method="POST", nth=2)
    github.faults.add(refuse, method="GET")

    codes = [create(ask).status_code, create(ask).status_code, ask("GET", "/user").status_code]

    assert codes == [201, 403, 451]


def test_every_write_is_announced_before_and_after(github: GitHubServer, ask: Asking) -> None:
    seen: list[Write] = []
    github.on_write = seen.append
    repo = github.repo("acme/app")
    refs = [{"name": "refs/heads/x", "afterOid": repo.head()}]

    create(ask)
    ask("GET", "/user")
    ask.graphql(
        "mutation($i: UpdateRefsInput!) { updateRefs(input: $i) { clientMutationId } }",
        i={"repositoryId": node_id(repo), "refUpdates": refs},
    )

    assert seen == [
        Write(1, "before", f"POST {ISSUES}"),
        Write(1, "after", f"POST {ISSUES}"),
        Write(2, "before", "updateRefs"),
        Write(2, "after", "updateRefs"),
    ]


def test_a_process_is_killed_at_the_write_of_ones_choice() -> None:
    with GitHubServer(VirtualClock(is_running=True)) as github:
        github.add_repo("acme/app")
        words = [sys.executable, "-c", _WRITER, f"{github.url}{ISSUES}", github.token().value]
        with subprocess.Popen(words) as writer:

            def kill(write: Write) -> None:
                if (write.number, write.moment) == (3, "after"):
                    writer.kill()

            github.on_write = kill
            writer.wait(timeout=20)

        assert writer.returncode == -signal.SIGKILL
        assert len(github.repo("acme/app").issues) == 3


@pytest.mark.parametrize("moment, happened", [("before", 0), ("after", 1)])
def test_a_callback_can_cut_the_connection(
    github: GitHubServer, ask: Asking, moment: str, happened: int
) -> None:
    def cut(write: Write) -> None:
        if write.moment == moment:
            raise ConnectionDropped

    github.on_write = cut

    with pytest.raises(requests.ConnectionError):
        create(ask)

    assert len(github.repo("acme/app").issues) == happened
