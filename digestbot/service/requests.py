"""What one run asks of registries and forges, and what they let it ask still."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

from digestbot.service.counting import OTHER, Answers, HostNames, Remaining
from digestbot.store.runs import Requests

MOST_HOSTS = 50
"""Of so many hosts the counts are kept apart: those that were asked most."""
_Told = ParamSpec("_Told")
_Number = TypeVar("_Number", int, float)


class RequestRecorder:
    """Counts for one run at a time; safe to call from many threads."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forget what was counted so far: another run begins."""
        # Hosts come from files that anybody may write; each of them counts so many at most.
        self._registries, self._forges = Answers(HostNames()), Answers(HostNames())
        self._left = Remaining(HostNames())

    def registry(self, host: str, code: str) -> None:
        """Count an answer of a registry: its status, or the slug of an error."""
        self._registries(host, code)

    def forge(self, host: str, code: str) -> None:
        """Count an answer of a forge."""
        self._forges(host, code)

    def left(self, host: str, resource: str, left: float) -> None:
        """Note what is left of one of a host's limits."""
        self._left(host, resource, left)

    def requests(self) -> Requests:
        """What was counted since the run began."""
        left = _by_host(self._left.left())
        return Requests(
            _most(_by_host(self._registries.counts())),
            _most(_by_host(self._forges.counts())),
            {host: left[host] for host in sorted(left)[:MOST_HOSTS]},
        )


def _by_host(found: Mapping[tuple[str, ...], _Number]) -> dict[str, dict[str, _Number]]:
    result: dict[str, dict[str, _Number]] = defaultdict(dict)
    for (host, name), number in found.items():
        result[host][name] = number
    return dict(result)


def _most(found: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """Those that were asked most, apart; all others in one."""
    order = sorted(found, key=lambda host: (host == OTHER, -sum(found[host].values()), host))
    kept = {host: dict(found[host]) for host in order[:MOST_HOSTS]}
    rest: Counter[str] = Counter(kept.pop(OTHER, {}))
    for host in order[MOST_HOSTS:]:
        rest.update(found[host])
    return {**kept, **({OTHER: dict(rest)} if rest else {})}


def each(*told: Callable[_Told, None] | None) -> Callable[_Told, None]:
    """Tells all of these what it is told."""
    listening = [one for one in told if one is not None]

    def tell(*what: _Told.args, **named: _Told.kwargs) -> None:
        for one in listening:
            one(*what, **named)

    return tell
