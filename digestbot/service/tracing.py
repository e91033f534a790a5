"""Traces of what the service does, for who collects them with OpenTelemetry.

They are made only where `OTEL_EXPORTER_OTLP_ENDPOINT` says where to send them; without it a
span costs nothing, and none of OpenTelemetry is imported.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from digestbot import __version__
from digestbot.errors import UsageError
from digestbot.report.plain import one_line
from digestbot.service.masking import masked

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
SPOKEN = "http/protobuf"
STOP_S = 3.0
"""How long the end waits for a collector that does not answer."""

Attribute = str | int | float | bool


class _Tracing:
    """What `start_tracing` made; None where nobody collects."""

    provider: TracerProvider | None = None
    tracer: Tracer | None = None


def start_tracing() -> bool:
    """Send spans from now on where the environment says so; whether it does.

    Everything else is OpenTelemetry's own environment variables, too.

    Raises:
        UsageError: The packages are not installed, or what is set cannot be used.
    """
    endpoint = os.environ.get(ENDPOINT, "").strip()
    if not endpoint:
        return False
    _check(endpoint, os.environ.get(PROTOCOL, "").strip() or SPOKEN)
    stop_tracing()
    try:
        _Tracing.provider = _provider()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "opentelemetry":
            raise
        raise UsageError(
            f"{ENDPOINT} is set, but OpenTelemetry is not installed ({error.name})",
            hint="pip install 'digestbot[telemetry]', or unset the variable",
        ) from error
    _Tracing.tracer = _Tracing.provider.get_tracer("digestbot", __version__)
    return True


def stop_tracing() -> None:
    """Send what was not sent yet, as far as that takes a few seconds, and make no more spans."""
    provider, _Tracing.provider, _Tracing.tracer = _Tracing.provider, None, None
    if provider is not None:
        # It would wait for half a minute, longer than anybody has who was told to end.
        thread = threading.Thread(target=provider.shutdown, name="tracing-end", daemon=True)
        thread.start()
        thread.join(STOP_S)


def span(name: str, **attributes: Attribute) -> AbstractContextManager[None]:
    """The time in which something is done; what is raised inside makes the span an error.

    Args:
        name: A static word, as there is one series for each: `cycle`, `repo.update`.
        attributes: What this one is about; texts are masked and cut as in the log.
    """
    if _Tracing.tracer is None:
        return nullcontext()
    return _span(_Tracing.tracer, name, attributes)


@contextmanager
def _span(
    tracer: Tracer, name: str, attributes: Mapping[str, Attribute]
) -> Generator[None, None, None]:
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415 - only where it is used

    shown = {
        f"digestbot.{key}": _text(value) if isinstance(value, str) else value
        for key, value in attributes.items()
    }
    # The trace of an error may hold anything, so that the error is told here, masked.
    with tracer.start_as_current_span(
        name, attributes=shown, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except BaseException as error:
            what = _text(f"{type(error).__name__}: {error}")
            current.set_status(Status(StatusCode.ERROR, what))
            raise


def _provider() -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415 - likewise
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - likewise
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - likewise

    own = Resource.create({"service.name": "digestbot", "service.version": __version__})
    provider = TracerProvider(
        resource=own.merge(OTELResourceDetector().detect()), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _check(endpoint: str, protocol: str) -> None:
    try:
        url = urlsplit(endpoint)
        is_one = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        is_one = False
    if not is_one:
        raise UsageError(
            f"{ENDPOINT} is no address", hint="it looks like http://collector.example.com:4318"
        )
    if protocol != SPOKEN:
        raise UsageError(
            f"{PROTOCOL} is {one_line(protocol)}, which digestbot does not speak",
            hint=f"set it to {SPOKEN}, and {ENDPOINT} to the collector's port for that (4318)",
        )


def _text(value: str) -> str:
    return one_line(masked(value))
