"""The endpoint over a real connection: what it answers, and that it ends."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse_plain
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from digestbot.errors import DigestbotError, UsageError
from digestbot.service import endpoint
from digestbot.service.endpoint import make_app, serving
from digestbot.service.figures import Figures
from digestbot.service.metrics import Metrics
from digestbot.service.readiness import Reason


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        return json.loads(self.body)


@dataclass
class Service:
    """A service whose reasons are set by the test."""

    port: int = 0
    reasons: list[Reason] = field(default_factory=list)

    def ask(
        self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> Answer:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request(method, path, headers=dict(headers or {}))
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, response.read())


def is_served(port: int) -> bool:
    """Whether the thread that serves this port lives."""
    return f"endpoint-{port}" in {thread.name for thread in threading.enumerate()}


def dial(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def own(_request: Request) -> Response:
    return PlainTextResponse("mine", headers={"Cache-Control": "max-age=60"})


@pytest.fixture(scope="module")
def shared() -> Iterator[Service]:
    found = Service()
    metrics = Metrics(Figures)
    app = make_app(lambda: found.reasons, metrics.exposition, [Route("/own", own)])
    with serving(app, "127.0.0.1", 0) as port:
        found.port = port
        yield found


@pytest.fixture
def service(shared: Service) -> Service:
    """A service that is ready; started once, as stopping takes its time."""
    shared.reasons = []
    return shared


def test_a_process_that_lives_says_so(service: Service) -> None:
    answer = service.ask("/healthz")

    assert answer.status == 200
    assert answer.json() == {"status": "ok"}
    assert answer.headers["content-type"] == "application/json"


def test_a_service_that_is_ready_says_so(service: Service) -> None:
    answer = service.ask("/readyz")

    assert answer.status == 200
    assert answer.json() == {"status": "ready"}


def test_a_service_that_is_not_ready_says_why(service: Service) -> None:
    service.reasons = [Reason("cycle-late", "late"), Reason("engine-stopped", "stopped")]

    answer = service.ask("/readyz")

    assert answer.status == 503
    assert answer.json() == {
        "status": "not ready",
        "reasons": [
            {"reason": "cycle-late", "message": "late"},
            {"reason": "engine-stopped", "message": "stopped"},
        ],
    }
    assert service.ask("/healthz").status == 200


@pytest.mark.parametrize(
    "accept, parse, begins",
    [
        pytest.param("*/*", parse_plain, "text/plain; version=0.0.4", id="plain"),
        pytest.param(
            "application/openmetrics-text;version=1.0.0,text/plain;q=0.5",
            parse_open,
            "application/openmetrics-text; version=1.0.0",
            id="openmetrics",
        ),
    ],
)
def test_prometheus_reads_the_metrics(
    service: Service, accept: str, parse: type, begins: str
) -> None:
    answer = service.ask("/metrics", headers={"Accept": accept})

    assert answer.status == 200
    assert answer.headers["content-type"].startswith(begins)
    assert "digestbot_build_info" in {family.name for family in parse(answer.body.decode())}


def test_a_state_that_fails_is_no_failure_of_the_metrics() -> None:
    def fail() -> Figures:
        raise DigestbotError("the disk is full")

    app = make_app(list, Metrics(fail).exposition)
    with serving(app, "127.0.0.1", 0) as port:
        answer = Service(port).ask("/metrics")

    assert answer.status == 200
    assert b"digestbot_state_errors_total 1.0" in answer.body


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
class TestEach:
    def test_head_is_answered_without_a_body(self, service: Service, path: str) -> None:
        answer = service.ask(path, "HEAD")

        assert answer.status == 200
        assert answer.body == b""
        assert int(answer.headers["content-length"]) > 0

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "NONSENSE"])
    def test_other_methods_are_refused(self, service: Service, path: str, method: str) -> None:
        answer = service.ask(path, method)

        assert answer.status == 405
        assert {one.strip() for one in answer.headers["allow"].split(",")} == {"GET", "HEAD"}

    def test_nobody_keeps_it_and_nobody_learns_what_serves_it(
        self, service: Service, path: str
    ) -> None:
        answer = service.ask(path)

        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "server" not in answer.headers

    def test_a_slash_too_many_leads_nowhere(self, service: Service, path: str) -> None:
        answer = service.ask(f"{path}/", headers={"Host": "evil.example"})

        assert answer.status == 404
        assert "location" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/nonsense", "/healthz/x", "/metrics%00", "//evil.example/"])
def test_unknown_paths_are_not_found(service: Service, path: str) -> None:
    answer = service.ask(path)

    assert answer.status == 404
    assert answer.headers["cache-control"] == "no-store"


def test_others_may_have_routes_beside_it(service: Service) -> None:
    answer = service.ask("/own")

    assert answer.body == b"mine"
    assert answer.headers["cache-control"] == "max-age=60"


def test_it_lives_even_if_nothing_else_answers() -> None:
    is_over = threading.Event()

    def hang() -> list[Reason]:
        is_over.wait(30)
        return []

    app = make_app(hang, Metrics(Figures).exposition)
    with serving(app, "127.0.0.1", 0) as port:
        service = Service(port)
        threads = [threading.Thread(target=service.ask, args=("/readyz",)) for _ in range(50)]
        for thread in threads:
            thread.start()

        answer = service.ask("/healthz")

        is_over.set()
        for thread in threads:
            thread.join()
    assert answer.status == 200


def test_nobody_can_connect_once_it_is_over() -> None:
    with serving(make_app(list, Metrics(Figures).exposition), "127.0.0.1", 0) as port:
        assert Service(port).ask("/healthz").status == 200
        assert is_served(port)

    with pytest.raises(ConnectionRefusedError):
        Service(port).ask("/healthz")
    assert not is_served(port)


def test_clients_that_say_nothing_do_not_hold_it() -> None:
    app = make_app(list, Metrics(Figures).exposition)
    with serving(app, "127.0.0.1", 0) as port:
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(5)]
        assert Service(port).ask("/healthz").status == 200

    assert [one.recv(1) for one in silent] == [b""] * 5
    for one in silent:
        one.close()
    assert not is_served(port)


@pytest.mark.parametrize("said", [b"", b"GET /healthz HTTP/1.1\r\nHost: "])
def test_clients_soon_say_what_they_want_or_are_left(
    said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "FIRST_REQUEST_S", 0.05)
    app = make_app(list, Metrics(Figures).exposition)
    with serving(app, "127.0.0.1", 0) as port, dial(port) as client:
        client.sendall(said)

        answer = client.recv(1)

    assert answer == b""


def test_who_asked_may_ask_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "FIRST_REQUEST_S", 0.05)
    app = make_app(list, lambda _accept: (b"", "text/plain"))
    with (
        serving(app, "127.0.0.1", 0) as port,
        closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection,
    ):
        connection.request("GET", "/healthz")
        assert connection.getresponse().read()
        kept = connection.sock

        threading.Event().wait(0.2)

        connection.request("GET", "/healthz")
        assert connection.getresponse().read()
        assert connection.sock is kept


def test_no_answer_waits_for_word_that_its_beginning_arrived() -> None:
    with (
        closing(endpoint._listen("127.0.0.1", 0)) as listener,
        closing(dial(listener.getsockname()[1])),
        closing(listener.accept()[0]) as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_what_strangers_send_that_is_no_http_does_not_fill_the_log(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with dial(service.port) as stranger:
        stranger.sendall(b"\x16\x03 no HTTP at all\r\n\r\n")
        answer = stranger.recv(12)

    assert answer == b"HTTP/1.1 400"
    assert caplog.messages == []


def test_clients_that_stay_keep_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "MOST_CLIENTS", 3)
    app = make_app(list, Metrics(Figures).exposition)
    with serving(app, "127.0.0.1", 0) as port, ExitStack() as stack:
        staying = [stack.enter_context(dial(port)) for _ in range(3)]
        for one in staying:
            # One request, and then the beginning of another that never ends.
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert one.recv(8) == b"HTTP/1.1"
            one.sendall(b"GET /")

        answers = [Service(port).ask("/healthz").status for _ in range(10)]

    assert answers == [200] * 10


def test_many_who_come_at_once_are_never_more_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(endpoint, "MOST_CLIENTS", 5)
    app = make_app(list, Metrics(Figures).exposition)
    with serving(app, "127.0.0.1", 0) as port, ExitStack() as stack:
        many = [stack.enter_context(dial(port)) for _ in range(100)]

        assert Service(port).ask("/healthz").status == 200
        gone = [one for one in many if is_gone(one)]

    assert len(gone) >= 95


def is_gone(client: socket.socket) -> bool:
    client.settimeout(0.05)
    try:
        return client.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_where_there_is_no_room_who_is_there_for_longest_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(endpoint, "MOST_CLIENTS", 1)
    app = make_app(list, Metrics(Figures).exposition)
    with serving(app, "127.0.0.1", 0) as port, dial(port) as first:
        assert Service(port).ask("/healthz").status == 200

        with suppress(ConnectionError):
            assert first.recv(1) == b""


def test_it_can_be_served_again_at_once() -> None:
    app = make_app(list, Metrics(Figures).exposition)
    with serving(app, "127.0.0.1", 0) as port:
        Service(port).ask("/healthz")

    with serving(app, "127.0.0.1", port) as again:
        assert again == port
        assert Service(port).ask("/healthz").status == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1", "no host", "[::g]", "x" * 300])
def test_where_nobody_can_listen_it_says_what_to_do(host: str) -> None:
    app = make_app(list, Metrics(Figures).exposition)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(UsageError) as caught, serving(app, host, port):
            pass

    assert f":{port}" in str(caught.value)
    assert "service.listen" in caught.value.hint
