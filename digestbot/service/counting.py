"""Counts by host, for metrics: however many hosts there are, the counts of them have an end."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection
from http import HTTPStatus
from typing import Final

MOST_HOSTS = 200
LONGEST_HOST = 260
"""No name in DNS with a port has as many characters; files may name longer ones."""
WELL_KNOWN: Final = frozenset(
    {
        "docker.io",
        "gcr.io",
        "ghcr.io",
        "mcr.microsoft.com",
        "public.ecr.aws",
        "quay.io",
        "registry.gitlab.com",
        "registry.k8s.io",
    }
)
"""Registries of everybody: whatever one repo names, their counts are not to be missed."""
OTHER = "other"
_STATUSES = frozenset(str(status.value) for status in HTTPStatus)


class HostNames:
    """Which hosts are counted by their own name: those that are known, and so many others.

    Hosts come from files that anybody may write; each one that is counted stays in memory, here
    and in whatever reads the metrics.
    """

    def __init__(self, known: Collection[str] = (), most: int = MOST_HOSTS) -> None:
        self._known = WELL_KNOWN.union(known)
        self._others: set[str] = set()
        self._most = most
        self._lock = threading.Lock()

    def name(self, host: str) -> str:
        """The host, or `other`."""
        with self._lock:
            if host in self._known or host in self._others:
                return host
            if len(self._others) >= self._most or len(host) > LONGEST_HOST:
                return OTHER
            self._others.add(host)
            return host


class Answers:
    """Counts what hosts answered; called with the host and a status, or the slug of an error."""

    def __init__(self, names: HostNames | None = None) -> None:
        self._names = names or HostNames()
        self._counts: Counter[tuple[str, ...]] = Counter()
        self._lock = threading.Lock()

    def __call__(self, host: str, code: str) -> None:
        """Count one answer. Safe to call from many threads."""
        key = (self._names.name(host), _code(code))
        with self._lock:
            self._counts[key] += 1

    def counts(self) -> dict[tuple[str, ...], int]:
        """How many answers there were so far, by host and code."""
        with self._lock:
            return dict(self._counts)


class Remaining:
    """How much hosts may still be asked, by what they said last."""

    def __init__(self, names: HostNames | None = None) -> None:
        self._names = names or HostNames()
        self._left: dict[tuple[str, ...], float] = {}
        self._lock = threading.Lock()

    def __call__(self, host: str, resource: str, left: float) -> None:
        """Note what is left of one of a host's budgets. Safe to call from many threads."""
        name = self._names.name(host)
        if name != OTHER:
            with self._lock:
                self._left[name, resource] = left

    def left(self) -> dict[tuple[str, ...], float]:
        """What is left, by host and resource."""
        with self._lock:
            return dict(self._left)


def _code(code: str) -> str:
    """The code itself; `4xx` for a status that is none, as there are hundreds of them."""
    if not code.isdecimal() or code in _STATUSES:
        return code
    return f"{code[0]}xx"
