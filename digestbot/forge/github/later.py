"""Whether an answer says: not now, and for how long not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from digestbot.forge.github.answer import Answer

_LIMITS = frozenset({403, 429})
_OK = 200
_TOO_MANY = 429
_TEXTS = ("rate limit", "submitted too quickly", "abuse detection")
_TYPES = frozenset({"RATE_LIMITED", "RATE_LIMIT", "graphql_rate_limit"})


@dataclass(frozen=True, slots=True)
class Later:
    """Seconds to wait, None where GitHub does not say; `is_primary`: the hour's budget is gone."""

    seconds: float | None
    is_primary: bool = False


def read_later(answer: Answer, now: float) -> Later | None:
    """What an answer says of limits that are hurt; None where it is about something else.

    Args:
        answer: Of any status.
        now: The time, in seconds since 1970.
    """
    is_primary = read_remaining(answer.headers) == 0
    if not _is_limited(answer, is_primary=is_primary):
        return None
    asked = _number(answer.headers.get("retry-after", ""))
    if asked is not None:
        return Later(asked)
    return Later(read_reset(answer.headers, now), is_primary=True) if is_primary else Later(None)


def read_remaining(headers: Mapping[str, str]) -> float | None:
    """How many calls, or points, are left until the reset."""
    return _number(headers.get("x-ratelimit-remaining", ""))


def read_reset(headers: Mapping[str, str], now: float) -> float | None:
    """In how many seconds the budget is full again."""
    reset = _number(headers.get("x-ratelimit-reset", ""))
    return None if reset is None else max(0.0, reset - now)


def _is_limited(answer: Answer, *, is_primary: bool) -> bool:
    if answer.status == _OK:
        return _is_limited_graphql(answer)
    text = answer.message.lower()
    if any(one in text for one in _TEXTS):
        return True
    has_wait = is_primary or "retry-after" in answer.headers
    return answer.status == _TOO_MANY or (answer.status in _LIMITS and has_wait)


def _is_limited_graphql(answer: Answer) -> bool:
    errors = answer.data.get("errors") if isinstance(answer.data, dict) else None
    if not isinstance(errors, list):
        return False
    return any(isinstance(error, dict) and error.get("type") in _TYPES for error in errors)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None
