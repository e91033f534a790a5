"""Spans arrive where they are collected, and cost nothing where nobody does."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.proto.trace.v1.trace_pb2 import Status as SpanStatus

from digestbot import __version__
from digestbot.errors import UsageError
from digestbot.service.tracing import ENDPOINT, PROTOCOL, span, start_tracing, stop_tracing
from tests.cli.program import ROOT


class Collector(ThreadingHTTPServer):
    """Takes spans as an OpenTelemetry collector does, over HTTP as protobuf."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[ExportTraceServiceRequest] = []
        self.paths: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def spans(self) -> dict[str, Span]:
        return {
            one.name: one
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for one in scope.spans
        }

    @property
    def resource(self) -> dict[str, str]:
        attributes = self.requests[0].resource_spans[0].resource.attributes
        return {one.key: one.value.string_value for one in attributes}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        self.server.paths.append(self.path)
        self.server.requests.append(request)
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def collecting() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector that the environment names; tracing has begun."""
    with collecting() as server:
        monkeypatch.setenv(ENDPOINT, server.url)
        assert start_tracing()
        yield server
        stop_tracing()


def attributes(found: Span) -> dict[str, object]:
    return {
        one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in found.attributes
    }


def test_spans_arrive_with_what_they_are_about(collector: Collector) -> None:
    with span("cycle", run_id="r1", repos=3, ratio=0.5, first=True):
        pass
    stop_tracing()

    assert collector.paths == ["/v1/traces"]
    assert attributes(collector.spans["cycle"]) == {
        "digestbot.run_id": "r1",
        "digestbot.repos": 3,
        "digestbot.ratio": 0.5,
        "digestbot.first": True,
    }


def test_a_span_inside_another_belongs_to_it(collector: Collector) -> None:
    with span("cycle"):
        with span("cycle.list"):
            pass
        with span("cycle.lookups"):
            pass
    stop_tracing()

    found = collector.spans
    assert found.keys() == {"cycle", "cycle.list", "cycle.lookups"}
    assert found["cycle"].parent_span_id == b""
    assert found["cycle.list"].parent_span_id == found["cycle"].span_id
    assert found["cycle.lookups"].trace_id == found["cycle"].trace_id
    assert found["cycle"].end_time_unix_nano >= found["cycle.lookups"].end_time_unix_nano


def test_it_says_who_speaks(collector: Collector) -> None:
    with span("cycle"):
        pass
    stop_tracing()

    assert collector.resource["service.name"] == "digestbot"
    assert collector.resource["service.version"] == __version__


def test_the_environment_may_give_it_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "digestbot-eu")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=prod")

    with collecting() as server:
        monkeypatch.setenv(ENDPOINT, server.url)
        start_tracing()
        with span("cycle"):
            pass
        stop_tracing()

    assert server.resource["service.name"] == "digestbot-eu"
    assert server.resource["deployment.environment"] == "prod"


def test_what_is_raised_makes_a_span_an_error_without_its_secrets(collector: Collector) -> None:
    url = "https://me:C4nary@ghcr.io/"
    with pytest.raises(ValueError, match="C4nary"), span("repo.update", url=url):
        raise ValueError(f"GET {url}\nfailed")
    stop_tracing()

    found = collector.spans["repo.update"]
    assert found.status.code == SpanStatus.STATUS_CODE_ERROR
    assert found.status.message == r"ValueError: GET https://***@ghcr.io/\nfailed"
    assert attributes(found) == {"digestbot.url": "https://***@ghcr.io/"}
    assert "C4nary" not in str(collector.requests)


def test_without_an_address_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)

    assert not start_tracing()
    with span("cycle", run_id="r1"):
        pass
    stop_tracing()


def test_after_the_end_spans_are_nothing_again(collector: Collector) -> None:
    stop_tracing()

    with span("cycle"):
        pass

    assert collector.requests == []


def test_starting_again_loses_nothing(collector: Collector) -> None:
    with span("first"):
        pass
    start_tracing()
    with span("second"):
        pass
    stop_tracing()

    assert collector.spans.keys() == {"first", "second"}


@pytest.mark.parametrize(
    "endpoint, protocol, words",
    [
        pytest.param("collector:4318", "", "is no address", id="no scheme"),
        pytest.param("http://", "", "is no address", id="no host"),
        pytest.param("http://h:x", "", "is no address", id="no port"),
        pytest.param("http://collector:4317", "grpc", "does not speak", id="grpc"),
    ],
)
def test_what_cannot_be_used_is_said_at_once(
    endpoint: str, protocol: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENDPOINT, endpoint)
    monkeypatch.setenv(PROTOCOL, protocol)

    with pytest.raises(UsageError, match=words) as caught:
        start_tracing()

    assert "4318" in caught.value.hint


def test_packages_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:4318")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)

    with pytest.raises(UsageError, match="is not installed") as caught:
        start_tracing()

    assert "digestbot[telemetry]" in caught.value.hint


def test_nothing_of_it_is_imported_where_nobody_collects(tmp_path: Path) -> None:
    program = (
        "import sys; from digestbot.service.tracing import span, start_tracing; start_tracing()\n"
        "with span('cycle'): print([name for name in sys.modules if 'opentelemetry' in name])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "[]\n"
