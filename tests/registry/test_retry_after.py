from __future__ import annotations

import pytest

from digestbot.registry.message import Response
from digestbot.registry.retry_after import LONGEST_S, read_retry_after

# 2026-11-21 00:00:00 UTC
NOW = 1_795_219_200.0


@pytest.mark.parametrize(
    "header, body, seconds",
    [
        pytest.param("7", "", 7, id="seconds"),
        pytest.param("0", "", 0, id="at-once"),
        pytest.param("1.5", "", 1.5, id="fraction"),
        pytest.param("Sat, 21 Nov 2026 00:01:00 GMT", "", 60, id="http-date"),
        pytest.param("Fri, 20 Nov 2026 00:00:00 GMT", "", 0, id="date-in-the-past"),
        pytest.param("1795219230", "", 30, id="unix-timestamp"),
        pytest.param("999999999", "", LONGEST_S, id="years"),
        pytest.param("999999999999", "", LONGEST_S, id="timestamp-far-away"),
        pytest.param("-5", "", None, id="negative"),
        pytest.param("soon", "", None, id="word"),
        pytest.param("Sat, 99 Nov 2026 00:00:00 GMT", "", None, id="impossible-date"),
        pytest.param("", "", None, id="nothing"),
        pytest.param("", "toomanyrequests: retry-after: 880.092µs, allowed", 0.000880092, id="µs"),
        pytest.param("", "Retry-After: 1m30s", 90, id="go-duration"),
        pytest.param("", "retry-after: 2h0m1.5s", 7201.5, id="hours"),
        pytest.param("", "retry-after: 15ms", 0.015, id="ms"),
        pytest.param("", "retry-after: 15", None, id="no-unit"),
        pytest.param("3", "retry-after: 9s", 3, id="header-before-body"),
    ],
)
def test_wait_is_read(header: str, body: str, seconds: float | None) -> None:
    headers = (("retry-after", header),) if header else ()

    found = read_retry_after(Response(429, headers, body.encode()), NOW)

    assert found == (None if seconds is None else pytest.approx(seconds))
