"""The session against the test GitHub: what goes wrong, and what becomes of it."""

from __future__ import annotations

import dataclasses
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from digestbot.forge.errors import DeferredError, ForgeError, RefusedError, UnsettledError
from digestbot.forge.github import wire
from digestbot.forge.github.answer import Answer
from digestbot.forge.github.later import Later, read_later
from digestbot.forge.github.session import RETRIES, Session
from digestbot.forge.github.settings import GitHubSettings
from digestbot.secret import Secret
from tests.forge.github.talking import session_with
from tests.github.faults import FaultKind
from tests.github.server import GitHubServer

REPO = "/repos/acme/app"
QUERY = 'query Head($name: String!) { repository(owner: "acme", name: $name) { name } }'


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer() as server:
        server.add_repo("acme/app", {"Dockerfile": "FROM a\n"})
        yield server


@pytest.fixture
def session(github: GitHubServer) -> Iterator[Session]:
    with session_with(github) as session:
        yield session


def write(session: Session) -> Answer:
    return session.rest("POST", f"{REPO}/issues", {"title": "A title"})


def test_answer_has_status_data_and_headers(session: Session) -> None:
    answer = session.rest("GET", REPO)

    assert answer.status == 200
    assert isinstance(answer.data, dict)
    assert answer.data["full_name"] == "acme/app"
    assert answer.headers["x-ratelimit-resource"] == "core"


def test_query_and_body_arrive(session: Session, github: GitHubServer) -> None:
    write(session)

    answer = session.rest("GET", f"{REPO}/issues", query={"per_page": 1, "state": "open"})

    assert isinstance(answer.data, list)
    assert [one["title"] for one in answer.data] == ["A title"]


def test_answer_without_a_body_has_no_data(session: Session, github: GitHubServer) -> None:
    github.commit("acme/app", "old", {"a": "b"})

    assert session.rest("DELETE", f"{REPO}/git/refs/heads/old") == Answer(204, None, ANY)


class _Any:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


ANY: Any = _Any()


def test_graphql_gives_its_data(session: Session) -> None:
    assert session.graphql(QUERY, {"name": "app"}) == {"repository": {"name": "app"}}


def test_graphql_error_is_raised(session: Session) -> None:
    with pytest.raises(RefusedError, match="GraphQL Head: ") as caught:
        session.graphql(QUERY, {"name": "none"})

    assert caught.value.code == "not-found-or-no-access"


def test_one_broken_part_leaves_the_others(session: Session) -> None:
    document = """query Two {
        a: repository(owner: "acme", name: "app") { name }
        b: repository(owner: "acme", name: "gone") { name }
    }"""

    partial = session.graphql_partial(document, {})

    assert partial.data == {"a": {"name": "app"}, "b": None}
    assert [(path, error.code) for path, error in partial.errors.items()] == [
        (("b",), "not-found-or-no-access")
    ]


@pytest.mark.parametrize("fault", ["502-before", "drop-before", "malformed"])
def test_read_is_tried_again(session: Session, github: GitHubServer, fault: FaultKind) -> None:
    github.faults.add(fault, times=RETRIES)

    assert session.rest("GET", REPO).status == 200
    assert len(github.requests) == RETRIES + 1


@pytest.mark.parametrize("fault", ["502-before", "drop-before", "malformed"])
def test_query_is_tried_again(session: Session, github: GitHubServer, fault: FaultKind) -> None:
    github.faults.add(fault, times=RETRIES)

    assert session.graphql(QUERY, {"name": "app"})["repository"] == {"name": "app"}


@pytest.mark.parametrize(
    "fault, code",
    [("502-before", "unavailable"), ("drop-before", "unavailable"), ("malformed", "malformed")],
)
def test_read_fails_in_the_end(
    session: Session, github: GitHubServer, fault: FaultKind, code: str
) -> None:
    github.faults.add(fault, times=0)

    with pytest.raises(ForgeError) as caught:
        session.rest("GET", REPO)

    assert caught.value.code == code
    assert len(github.requests) == RETRIES + 1


@pytest.mark.parametrize(
    "fault, happened",
    [
        ("502-before", False),
        ("drop-before", False),
        ("502-after", True),
        ("drop-after", True),
        ("malformed", True),
    ],
)
def test_write_is_never_tried_again(
    session: Session, github: GitHubServer, fault: FaultKind, happened: bool
) -> None:
    github.faults.add(fault, times=0)

    with pytest.raises(UnsettledError):
        write(session)

    assert len(github.requests) == 1
    assert len(github.repo("acme/app").issues) == int(happened)


def test_write_with_an_expired_token_is_refused(session: Session, github: GitHubServer) -> None:
    github.faults.add("expired", times=0)

    with pytest.raises(RefusedError) as caught:
        write(session)

    assert caught.value.code == "unauthorized"
    assert len(github.requests) == 1


@pytest.mark.parametrize("fault", ["secondary", "too-quickly", "secondary-silent"])
def test_write_that_hurt_a_limit_is_made_later(github: GitHubServer, fault: FaultKind) -> None:
    settings = GitHubSettings(token=Secret(github.token().value), max_wait_s=100)
    start = github.clock.now()
    with session_with(github, settings=settings) as session:
        github.faults.add(fault)

        assert write(session).status == 201

    assert github.clock.now() - start >= (30 if fault == "secondary" else 60)
    assert len(github.repo("acme/app").issues) == 1


@pytest.mark.parametrize("fault", ["too-quickly", "secondary-silent"])
def test_pause_longer_than_the_patience_is_deferred_for_all(
    session: Session, github: GitHubServer, fault: FaultKind
) -> None:
    github.faults.add(fault)
    start = github.clock.now()

    for _ in range(3):
        with pytest.raises(DeferredError, match="GitHub asks for a pause") as caught:
            write(session)
        assert caught.value.until is not None
        assert 55 <= caught.value.until.timestamp() - start <= 65

    assert len(github.requests) == 1
    assert github.clock.now() == start


def test_limit_that_never_ends_is_deferred_in_the_end(github: GitHubServer) -> None:
    settings = GitHubSettings(token=Secret(github.token().value), max_wait_s=1e6)
    with session_with(github, settings=settings) as session:
        github.faults.add("secondary", times=0)

        with pytest.raises(DeferredError, match="again and again"):
            session.rest("GET", REPO)

    assert len(github.requests) < 20


@pytest.mark.parametrize("is_graphql", [False, True], ids=["rest", "graphql"])
def test_empty_budget_is_waited_for_or_deferred(github: GitHubServer, is_graphql: bool) -> None:
    token = github.token()
    github.limits.exhaust(token.key, github.clock.now(), is_graphql=is_graphql)
    settings = GitHubSettings(token=Secret(token.value))

    def ask(session: Session) -> object:
        return session.graphql(QUERY, {"name": "app"}) if is_graphql else session.rest("GET", REPO)

    with session_with(github, settings=settings) as session:
        for _ in range(3):
            with pytest.raises(DeferredError, match="budget"):
                ask(session)
    assert len(github.requests) == 1

    patient = dataclasses.replace(settings, max_wait_s=4000.0)
    with session_with(github, settings=patient) as session:
        assert ask(session)


def test_last_call_of_a_budget_stops_the_next_before_it_is_made(github: GitHubServer) -> None:
    github.limits.primary = 2
    with session_with(github) as session:
        for _ in range(2):
            session.rest("GET", REPO)
        with pytest.raises(DeferredError):
            session.rest("GET", REPO)

    assert github.limits.refused == 0


def test_limits_are_kept_over_many_writes(github: GitHubServer) -> None:
    with session_with(github) as session:
        for _ in range(120):
            write(session)

    assert github.limits.refused == 0
    assert len(github.requests) == 120


def test_many_threads_have_their_own_connections(session: Session, github: GitHubServer) -> None:
    statuses: list[int] = []

    def work() -> None:
        statuses.extend(session.rest("GET", REPO).status for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 30


def test_renamed_repo_is_found_with_its_query(session: Session, github: GitHubServer) -> None:
    write(session)
    github.rename("acme/app", "acme/new")

    answer = session.rest("GET", f"{REPO}/issues", query={"state": "closed"})

    assert answer.data == []
    assert github.requests[-1].path == "/repos/acme/new/issues"


def test_enterprise_server_is_spoken_to_at_its_own_paths(github: GitHubServer) -> None:
    settings = GitHubSettings(f"{github.url}/api/v3", Secret(github.token().value))
    session = Session(settings, "acme", github.clock.as_clock())

    assert session.rest("GET", REPO).status == 200
    assert session.graphql(QUERY, {"name": "app"})
    session.close()


# -- What no GitHub does, but anybody in between might.

Give = Callable[[BaseHTTPRequestHandler], tuple[int, dict[str, str], bytes]]


@contextmanager
def stranger(give: Give) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A server that does what it likes; its address, and the paths and logins it saw."""
    seen: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            # Who closes before all is read resets the connection.
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            seen.append((self.path, self.headers.get("Authorization", "")))
            status, headers, body = give(self)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer  # noqa: N815 - as called

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as inherited
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
        server.shutdown()
        thread.join()


def fail_against(give: Give, verb: str = "GET", path: str = "/x") -> tuple[ForgeError, int]:
    """The error of one call, and how often the stranger was asked."""
    with stranger(give) as (url, seen):
        time = GitHubServer().clock.as_clock()
        session = Session(GitHubSettings(url, Secret("canary")), "acme", time)
        is_graphql = path == wire.GRAPHQL
        with pytest.raises(ForgeError) as caught:
            session.graphql(QUERY, {}) if is_graphql else session.rest(verb, path)
        session.close()
    return caught.value, len(seen)


def give(status: int, body: object, **headers: str) -> Give:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda _handler: (status, headers, data)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_token_is_never_sent_to_another_host(status: int, verb: str) -> None:
    with stranger(give(200, {})) as (other, seen):
        error, asked = fail_against(give(status, b"", Location=f"{other}/y"), verb)

    assert isinstance(error, RefusedError)
    assert error.code == "stray-redirect"
    assert (asked, seen) == (1, [])


@pytest.mark.parametrize("target", ["/x", "", "https://127.0.0.1/x", "http://[", "ftp://x/"])
def test_redirect_without_end_or_sense_is_not_followed(target: str) -> None:
    error, asked = fail_against(give(302, b"", Location=target))

    assert error.code == "stray-redirect"
    assert asked <= wire.MAX_REDIRECTS + 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<html>", id="html"),
        pytest.param(b"[" * 200_000, id="deep"),
        pytest.param(b"\xff\xfe\x00", id="bytes"),
        pytest.param(b'{"a": ', id="half"),
    ],
)
@pytest.mark.parametrize("path", ["/x", wire.GRAPHQL])
def test_answer_that_is_no_json_is_said_to_be_none(body: bytes, path: str) -> None:
    error, asked = fail_against(give(200, body), path=path)

    assert error.code == "malformed"
    assert asked == RETRIES + 1


@pytest.mark.parametrize(
    "body", [[], "x", 7, None, {}, {"data": []}, {"data": None, "errors": "x"}, {"errors": [1]}]
)
def test_graphql_without_data_is_malformed(body: object) -> None:
    assert fail_against(give(200, body), path=wire.GRAPHQL)[0].code == "malformed"


def test_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "ANSWER_LIMIT", 1000)

    error, asked = fail_against(give(200, b'"' + b"x" * 2000 + b'"'))

    assert error.code == "answer-too-large"
    assert asked == 1


def test_slow_answer_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LONGEST_ANSWER_S", -1.0)

    assert fail_against(give(200, {"a": 1}))[0].code == "timeout"


def test_answer_that_is_not_ready_is_asked_for_again_without_sleeping() -> None:
    assert fail_against(give(202, {}))[0].code == "unavailable"


@pytest.mark.parametrize("value", ["x", "inf", "1e999", ""])
def test_odd_numbers_in_headers_do_no_harm(value: str) -> None:
    headers = {"x-ratelimit-remaining": value, "x-ratelimit-limit": value}

    error, _ = fail_against(give(404, {"message": "Not Found"}, **headers))

    assert isinstance(error, ForgeError)


def test_page_of_a_proxy_is_known_by_its_status() -> None:
    error, _ = fail_against(give(502, b"<html>Bad Gateway</html>"))

    assert error.code == "unavailable"


def test_server_that_repeats_the_token_is_not_quoted() -> None:
    error, _ = fail_against(give(403, {"message": "bad: canary"}))

    assert "canary" not in str(error)


def test_nobody_there_is_unreachable() -> None:
    with stranger(give(200, {})) as (url, _):
        pass
    session = Session(GitHubSettings(url), "acme", GitHubServer().clock.as_clock())

    with pytest.raises(ForgeError) as caught:
        session.rest("GET", "/x")

    session.close()
    assert caught.value.code == "unreachable"


@pytest.mark.parametrize(
    "status, headers, message, later",
    [
        (200, {}, "", None),
        (404, {}, "Not Found", None),
        (403, {}, "Resource not accessible by integration", None),
        (403, {"retry-after": "7"}, "", Later(7.0)),
        (429, {}, "", Later(None)),
        (429, {"retry-after": "soon"}, "", Later(None)),
        (403, {}, "You have exceeded a secondary rate limit.", Later(None)),
        (422, {}, "was submitted too quickly", Later(None)),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1030"}, "", Later(30.0, True)),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "900"}, "", Later(0.0, True)),
        (403, {"x-ratelimit-remaining": "0"}, "", Later(None, True)),
        (403, {"x-ratelimit-remaining": "7"}, "Forbidden", None),
        (404, {"x-ratelimit-remaining": "0"}, "Not Found", None),
        (422, {}, "the branch rate limit is taken", None),
    ],
)
def test_answer_says_later(
    status: int, headers: dict[str, str], message: str, later: Later | None
) -> None:
    assert read_later(Answer(status, {"message": message}, headers), 1000.0) == later


@pytest.mark.parametrize(
    "type_, message, later",
    [
        ("RATE_LIMITED", "API rate limit exceeded", Later(None)),
        ("RATE_LIMIT", "API rate limit exceeded", Later(None)),
        ("UNPROCESSABLE", "was submitted too quickly", Later(None)),
        ("UNPROCESSABLE", "there is no rate limit here", None),
        (None, None, None),
    ],
)
def test_graphql_says_later_with_status_200(
    type_: str | None, message: str | None, later: Later | None
) -> None:
    answer = Answer(200, {"errors": [7, {"type": type_, "message": message}]})

    assert read_later(answer, 0.0) == later


def test_sessions_of_one_account_share_their_limits(github: GitHubServer) -> None:
    settings = GitHubSettings(github.url, Secret(github.token().value))
    clock = github.clock.as_clock()
    one = Session(settings, "acme", clock)
    other = Session(settings, "other", clock, one.limiter)
    github.faults.add("too-quickly")

    for session in (one, other):
        with pytest.raises(DeferredError):
            session.rest("GET", REPO)
        session.close()

    assert len(github.requests) == 1


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nX-Slow: ", id="header"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n{", id="body"),
    ],
)
def test_a_byte_now_and_then_does_not_hold_a_call_for_ever(
    monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    monkeypatch.setattr(wire, "LONGEST_ANSWER_S", 0.1)
    stopped = threading.Event()

    def drip(server: socket.socket) -> None:
        # Reads are tried again, so that there are several connections.
        while True:
            try:
                client = server.accept()[0]
            except OSError:
                return
            with client:
                client.recv(65536)
                client.sendall(start)
                with suppress(OSError):
                    while not stopped.wait(0.01):
                        client.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        session = Session(
            GitHubSettings(url, Secret("canary")), "acme", GitHubServer().clock.as_clock()
        )
        with pytest.raises(UnsettledError):
            session.rest("POST", "/x", {})
        session.close()
        stopped.set()
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
