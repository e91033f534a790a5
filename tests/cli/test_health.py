"""`digestbot health`: what a container's health check is told."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from digestbot.service.endpoint import make_app, serving
from digestbot.service.figures import Figures
from digestbot.service.metrics import Metrics
from digestbot.service.readiness import Reason
from tests.cli.program import ROOT, digestbot

REASONS = (
    Reason("engine-stopped", "the engine takes no jobs"),
    Reason("cycle-late", "a cycle last came to its end: never yet"),
)


@contextmanager
def service(*reasons: Reason) -> Iterator[str]:
    """A service that is not ready for these reasons; gives where it listens."""
    app = make_app(lambda: reasons, Metrics(Figures).exposition)
    with serving(app, "127.0.0.1", 0) as port:
        yield f"127.0.0.1:{port}"


@contextmanager
def saying(answer: bytes) -> Iterator[str]:
    """A server that says just this to the first who asks."""

    def serve() -> None:
        client = server.accept()[0]
        with client:
            client.recv(65536)
            client.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def nobody() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def response(body: bytes, status: bytes = b"200 OK") -> bytes:
    length = str(len(body)).encode()
    return b"HTTP/1.1 %b\r\nContent-Length: %b\r\n\r\n%b" % (status, length, body)


def test_a_service_that_works_is_ready() -> None:
    with service() as where:
        outcome = digestbot("health", "--url", f"http://{where}")

    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, "ready\n", "")


def test_a_service_that_does_not_work_says_why() -> None:
    with service(*REASONS) as where:
        outcome = digestbot("health", "--url", f"http://{where}/")

    assert outcome.code == 1
    assert outcome.stdout == (
        "not ready: the engine takes no jobs; a cycle last came to its end: never yet\n"
    )


def test_it_may_live_without_being_ready() -> None:
    with service(*REASONS) as where:
        outcome = digestbot("health", "--live", "--url", f"http://{where}")

    assert (outcome.code, outcome.stdout) == (0, "ok\n")


def test_without_a_service_nobody_answers() -> None:
    where = nobody()

    outcome = digestbot("health", "--url", f"http://{where}")

    assert outcome.code == 5
    assert outcome.stdout == f"nobody answers at http://{where}: Connection refused\n"
    assert outcome.stderr == ""


def test_where_it_was_not_said_whom_to_ask_it_is_said_how_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where = nobody()
    monkeypatch.setenv("DIGESTBOT_LISTEN", where)

    outcome = digestbot("health")

    assert outcome.stdout == f"nobody answers at http://{where}: Connection refused\n"
    assert outcome.stderr == "hint: if it listens elsewhere, say where: --url http://HOST:PORT\n"


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_it_is_asked_where_it_listens(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with service() as where:
        port = where.rpartition(":")[2]
        monkeypatch.setenv("DIGESTBOT_LISTEN", f"{address}:{port}")

        outcome = digestbot("health")

    assert (outcome.code, outcome.stdout) == (0, "ready\n")


@pytest.mark.parametrize(
    "listen, asked",
    [
        ("", "http://127.0.0.1:8080"),
        ("[::]:9", "http://[::1]:9"),
        ("0.0.0.0:9", "http://127.0.0.1:9"),
    ],
)
def test_where_nobody_answers_it_says_where_it_asked(
    listen: str, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_keywords: object) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setenv("DIGESTBOT_LISTEN", listen)

    assert digestbot("health").stdout.startswith(f"nobody answers at {asked}: ")


def test_the_option_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGESTBOT_LISTEN", nobody())

    with service() as where:
        outcome = digestbot("health", "--url", f"http://{where}")

    assert outcome.code == 0


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(response(b"<html>hello</html>"), id="page"),
        pytest.param(response(b'{"status": 7}'), id="another contract"),
        pytest.param(response(b"[" * 60_000), id="deep"),
        pytest.param(response(b"no", b"404 Not Found"), id="not found"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="no HTTP"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", id="half of it"),
    ],
)
def test_what_is_no_service_is_not_ready(answer: bytes) -> None:
    with saying(answer) as where:
        outcome = digestbot("health", "--url", f"http://{where}")

    assert outcome.code == 5
    assert len(outcome.stdout.splitlines()) == 1
    assert where in outcome.stdout


@pytest.mark.parametrize(
    "body, line",
    [
        (b'{"status": "not ready"}', "not ready (503)"),
        (b'{"status": "not ready", "reasons": 3}', "not ready (503)"),
        (
            b'{"status": "not ready", "reasons": [{"message": "a\\nb\\u001b[2J"}]}',
            r"not ready: a\nb\x1b[2J",
        ),
    ],
)
def test_what_it_says_is_one_line(body: bytes, line: str) -> None:
    with saying(response(body, b"503 Service Unavailable")) as where:
        outcome = digestbot("health", "--url", f"http://{where}")

    assert (outcome.code, outcome.stdout) == (1, f"{line}\n")


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8080",
        "https://127.0.0.1",
        "http://",
        "http://a:b@127.0.0.1",
        "http://h:x",
        "http://[",
        "file:///etc/passwd",
    ],
)
def test_what_is_no_address_is_a_usage_error(url: str) -> None:
    outcome = digestbot("health", "--url", url)

    assert outcome.code == 2
    assert "hint: it looks like http://127.0.0.1:8080" in outcome.stderr


def test_it_is_quick_as_it_imports_nothing_heavy(tmp_path: Path) -> None:
    heavy = ["pydantic", "yaml", "requests", "urllib3", "rich", "sqlalchemy", "starlette"]
    heavy += ["apscheduler", "structlog", "prometheus_client", "github", "git", "asyncio"]
    program = (
        "import sys; from digestbot.cli.main import run; run(['health', '--url', sys.argv[1]]); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, f"http://{nobody()}"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines()[-1] == "[]"
