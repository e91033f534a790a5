"""Who wants to know is told of each answer of GitHub, and can do no harm."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from digestbot.forge.errors import ForgeError
from digestbot.forge.github.answer import Answer
from digestbot.forge.github.limits import Limiter, OnAnswer
from digestbot.forge.github.session import Session
from digestbot.forge.github.settings import GitHubSettings
from digestbot.forge.github.wire import Wire
from digestbot.secret import Secret
from tests.github.faults import FaultKind
from tests.github.server import GitHubServer

REPO = "/repos/acme/app"
QUERY = 'query Head { repository(owner: "acme", name: "app") { name } }'


class Listener:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, str]] = []
        self.left: dict[tuple[str, str], float] = {}

    def answered(self, host: str, code: str) -> None:
        self.answers.append((host, code))

    def noted(self, host: str, resource: str, left: float) -> None:
        self.left[host, resource] = left

    @property
    def codes(self) -> list[str]:
        return [code for _, code in self.answers]


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer() as server:
        server.add_repo("acme/app", {"Dockerfile": "FROM a\n"})
        yield server


@contextmanager
def session_telling(
    github: GitHubServer, listener: Listener, on_answer: OnAnswer | None = None
) -> Iterator[Session]:
    settings = dataclasses.replace(
        GitHubSettings(token=Secret(github.token().value)), api_url=github.url
    )
    clock = github.clock.as_clock()
    limiter = Limiter(
        settings.windows,
        settings.concurrency,
        clock,
        on_answer=on_answer or listener.answered,
        on_left=listener.noted,
    )
    session = Session(settings, "acme", clock, limiter)
    try:
        yield session
    finally:
        session.close()


def test_an_answer_is_told_by_host_and_status(github: GitHubServer) -> None:
    listener = Listener()

    with session_telling(github, listener) as session:
        session.rest("GET", REPO)
        with pytest.raises(ForgeError):
            session.rest("GET", "/repos/acme/none")

    host = github.url.partition("//")[2]
    assert listener.answers == [(host, "200"), (host, "404")]


def test_what_is_left_is_told_for_each_budget(github: GitHubServer) -> None:
    listener = Listener()

    with session_telling(github, listener) as session:
        session.rest("GET", REPO)
        session.graphql(QUERY, {})
        session.rest("GET", REPO)

    host = github.url.partition("//")[2]
    assert listener.left.keys() == {(host, "rest"), (host, "graphql")}
    assert all(left > 100 for left in listener.left.values())


@pytest.mark.parametrize(
    "fault, codes",
    [
        pytest.param("502-before", ["502", "200"], id="failure"),
        pytest.param("secondary", ["403", "200"], id="limit"),
        pytest.param("secondary-429", ["429", "200"], id="limit as 429"),
    ],
)
def test_each_try_counts(github: GitHubServer, fault: FaultKind, codes: list[str]) -> None:
    listener = Listener()
    github.faults.add(fault)

    with session_telling(github, listener) as session:
        session.rest("GET", REPO)

    assert listener.codes == codes


@pytest.mark.parametrize("fault", ["drop-before", "malformed"])
def test_no_answer_is_told_by_the_code_of_its_error(github: GitHubServer, fault: FaultKind) -> None:
    listener = Listener()
    github.faults.add(fault)

    with session_telling(github, listener) as session:
        session.rest("GET", REPO)

    lost, found = listener.codes
    assert not lost.isdecimal()
    assert found == "200"


def test_a_limit_in_an_answer_of_graphql_is_one(
    github: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener()
    limited = Answer(200, {"errors": [{"type": "RATE_LIMITED"}]}, {"retry-after": "9999"})
    monkeypatch.setattr(Wire, "send", lambda *_: limited)

    with session_telling(github, listener) as session, pytest.raises(ForgeError):
        session.graphql(QUERY, {})

    assert listener.codes == ["rate-limited"]


def test_a_listener_that_fails_costs_nobody_an_answer(github: GitHubServer) -> None:
    def fail(_host: str, _code: str) -> None:
        raise RuntimeError("no")

    with session_telling(github, Listener(), fail) as session:
        answer = session.rest("GET", REPO)

    assert answer.status == 200
