"""GitHub's limits, on the virtual clock.

Source: docs.github.com, "Rate limits for the REST API"; the texts are those that clients meet.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from tests.github.errors import ApiError

SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)
TOO_QUICKLY = "was submitted too quickly"


@dataclass
class _Used:
    reset_at: float = 0.0
    rest: int = 0
    graphql: int = 0
    points: deque[tuple[float, int]] = field(default_factory=deque)
    graph_points: deque[tuple[float, int]] = field(default_factory=deque)
    writes: deque[float] = field(default_factory=deque)
    under_way: int = 0


@dataclass
class Limits:
    """How much one account may ask; tests may set any of it, or `is_enforced` to False.

    GitHub Enterprise Server enforces none by default. A `status` of 429 is as common as 403.
    """

    is_enforced: bool = True
    primary: int = 5000
    graphql_primary: int = 5000
    writes_per_minute: int = 80
    writes_per_hour: int = 500
    points_per_minute: int = 900
    graphql_points_per_minute: int = 2000
    concurrent: int = 100
    status: int = 403
    most_under_way: int = 0
    refused: int = 0
    _used: dict[str, _Used] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, key: str, now: float, *, is_graphql: bool, is_write: bool) -> None:
        """Count a request, or refuse it. Call `leave` in any case."""
        with self._lock:
            used = self._of(key, now)
            used.under_way += 1
            self.most_under_way = max(self.most_under_way, used.under_way)
            if self.is_enforced:
                try:
                    self._count(used, now, is_graphql=is_graphql, is_write=is_write)
                except ApiError:
                    self.refused += 1
                    raise

    def leave(self, key: str) -> None:
        with self._lock:
            self._used[key].under_way -= 1

    def charge(self, key: str, points: int) -> None:
        """Count what a GraphQL query costs beyond one point."""
        with self._lock:
            self._used[key].graphql += points

    def give_back(self, key: str) -> None:
        """Uncount one request of REST."""
        with self._lock:
            used = self._used.get(key)
            if used is not None:
                used.rest = max(0, used.rest - 1)

    def _of(self, key: str, now: float) -> _Used:
        used = self._used.setdefault(key, _Used(reset_at=now + 3600))
        if now >= used.reset_at:
            used.reset_at, used.rest, used.graphql = now + 3600, 0, 0
        return used

    def _count(self, used: _Used, now: float, *, is_graphql: bool, is_write: bool) -> None:
        if used.under_way > self.concurrent:
            raise secondary(60, self.status)
        if (used.graphql if is_graphql else used.rest) >= self._primary(is_graphql=is_graphql):
            raise exceeded(200 if is_graphql else self.status)
        self._count_points(used, now, is_graphql=is_graphql, is_write=is_write)
        if is_write:
            self._count_write(used, now)
        if is_graphql:
            used.graphql += 1
        else:
            used.rest += 1

    def _count_points(self, used: _Used, now: float, *, is_graphql: bool, is_write: bool) -> None:
        spent = used.graph_points if is_graphql else used.points
        while spent and spent[0][0] <= now - 60:
            spent.popleft()
        limit = self.graphql_points_per_minute if is_graphql else self.points_per_minute
        cost = 5 if is_write else 1
        if sum(points for _, points in spent) + cost > limit:
            raise secondary(int(spent[0][0] + 60 - now) + 1, self.status)
        spent.append((now, cost))

    def _count_write(self, used: _Used, now: float) -> None:
        while used.writes and used.writes[0] <= now - 3600:
            used.writes.popleft()
        last_minute = [at for at in used.writes if at > now - 60]
        if len(last_minute) >= self.writes_per_minute:
            raise secondary(int(last_minute[0] + 60 - now) + 1, self.status)
        if len(used.writes) >= self.writes_per_hour:
            raise secondary(int(used.writes[0] + 3600 - now) + 1, self.status)
        used.writes.append(now)

    def _primary(self, *, is_graphql: bool) -> int:
        return self.graphql_primary if is_graphql else self.primary

    def exhaust(self, key: str, now: float, *, is_graphql: bool = False) -> None:
        """Use up what is left of the hour."""
        used = self._of(key, now)
        if is_graphql:
            used.graphql = self.graphql_primary
        else:
            used.rest = self.primary

    def headers(self, key: str, now: float, *, is_graphql: bool) -> dict[str, str]:
        if not self.is_enforced:
            return {}
        state = self.state(key, now, is_graphql=is_graphql)
        named = {f"X-RateLimit-{name.title()}": str(value) for name, value in state.items()}
        return {**named, "X-RateLimit-Resource": "graphql" if is_graphql else "core"}

    def state(self, key: str, now: float, *, is_graphql: bool) -> dict[str, int]:
        with self._lock:
            used = self._of(key, now)
        spent = used.graphql if is_graphql else used.rest
        limit = self._primary(is_graphql=is_graphql)
        return {
            "limit": limit,
            "remaining": max(0, limit - spent),
            "reset": int(used.reset_at) + 1,
            "used": spent,
        }


def secondary(retry_after: int | None, status: int = 403) -> ApiError:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return ApiError(status, SECONDARY, kind="RATE_LIMITED", headers=headers)


def too_quickly() -> ApiError:
    reason = {"resource": "Issue", "code": "custom", "field": "base", "message": TOO_QUICKLY}
    return ApiError(403, TOO_QUICKLY, [reason], kind="RATE_LIMITED")


def exceeded(status: int) -> ApiError:
    message = "API rate limit exceeded for user ID 1001."
    return ApiError(status, message, kind="RATE_LIMITED")
