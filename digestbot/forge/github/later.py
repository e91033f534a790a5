"""Whether an answer says: not now, and for how long not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from digestbot.forge.github.answer import Answer
from digestbot.forge.github.reading import dig, items, text

_LIMITS = frozenset({403, 429})
_OK = 200
_INVALID = 422
_TOO_MANY = 429
_TOO_QUICKLY = "submitted too quickly"
_TEXTS = ("rate limit", "abuse detection", _TOO_QUICKLY)
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
    said = answer.message.lower()
    if answer.status == _OK:
        return any(map(_is_limit, _errors(answer)))
    if answer.status == _INVALID:
        return _TOO_QUICKLY in said
    if answer.status not in _LIMITS:
        return False
    has_wait = is_primary or "retry-after" in answer.headers
    return answer.status == _TOO_MANY or has_wait or any(one in said for one in _TEXTS)


def _errors(answer: Answer) -> Iterator[object]:
    """The errors of a GraphQL answer, which come with status 200."""
    return items(dig(answer.data, "errors"))


def _is_limit(error: object) -> bool:
    return text(error, "type") in _TYPES or _TOO_QUICKLY in text(error, "message").lower()


def _number(written: str) -> float | None:
    try:
        number = float(written)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None
