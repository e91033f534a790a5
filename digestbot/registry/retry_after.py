"""How long a registry asks to wait, in every form seen in the wild."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

from digestbot.registry.message import Response

LONGEST_S = 24 * 3600.0
_SECONDS = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
# Larger than any number of seconds one could wait: a time, in seconds since 1970.
_FIRST_TIMESTAMP = 1_000_000_000.0
_IN_TEXT = re.compile(
    r"retry-after:\s{0,8}((?:[0-9]{1,12}(?:\.[0-9]{1,9})?(?:ns|us|µs|μs|ms|s|m|h)){1,6})"
)
_GO_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|μs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}


def read_retry_after(response: Response, now: float) -> float | None:
    """Seconds to wait, at least 0 and at most a day; None where the answer does not say.

    Understood are seconds, an HTTP date, a UNIX timestamp, and a Go duration in the text of
    the answer (`retry-after: 880.092µs`, as ghcr.io writes).

    Args:
        response: An answer with status 429 or 5xx.
        now: The time, in seconds since 1970.
    """
    seconds = _from_header(response.header("retry-after"), now)
    if seconds is None:
        seconds = _from_text(response.body)
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_S)


def _from_header(value: str, now: float) -> float | None:
    if _SECONDS.fullmatch(value):
        number = float(value)
        return number - now if number >= _FIRST_TIMESTAMP else number
    try:
        return parsedate_to_datetime(value).timestamp() - now
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _from_text(body: bytes) -> float | None:
    found = _IN_TEXT.search(body.decode("utf-8", "replace").lower())
    if found is None:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _GO_PART.findall(found[1]))
