"""Trouble by script: what goes wrong, with which request, and at which call of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tests.github.errors import ApiError, ConnectionDropped
from tests.github.limits import secondary, too_quickly

FaultKind = Literal[
    "502-before",  # nothing happens, 502
    "502-after",  # it happens, 502
    "drop-before",  # nothing happens, the connection ends
    "drop-after",  # it happens, the connection ends
    "secondary",  # the secondary limit, with Retry-After
    "secondary-429",  # the same as 429
    "secondary-silent",  # the same without it
    "too-quickly",  # "was submitted too quickly"
    "truncated",  # a tree says that it is cut, and is
    "malformed",  # 200 with half of the JSON
    "huge",  # an answer of 64 MiB
    "expired",  # 401, the token is revoked from now on
]

Asked = tuple[str, str, tuple[str, ...]]
"""Method, path, and the names of GraphQL operation and root fields."""


@dataclass
class Fault:
    """One rule: the `nth` matching call, and `times` in a row (0: for ever)."""

    what: FaultKind | Callable[[], object]
    method: str = ""
    path: str = "*"
    operation: str = ""
    nth: int = 1
    times: int = 1
    seen: int = 0

    def meets(self, asked: Asked) -> bool:
        """Whether it strikes now; counts."""
        method, path, names = asked
        if self.method not in ("", method) or not _matches(self.path, path):
            return False
        if self.operation and self.operation not in names:
            return False
        self.seen += 1
        return self.seen >= self.nth and (not self.times or self.seen < self.nth + self.times)


@dataclass
class Faults:
    """The script. `add("502-after", method="POST", path="/repos/*/pulls", nth=2)`.

    A function may be given, too: it is called before the answer is made, and may raise an
    `ApiError` to be the answer.
    """

    rules: list[Fault] = field(default_factory=list)

    def add(
        self,
        what: FaultKind | Callable[[], object],
        *,
        method: str = "",
        path: str = "*",
        operation: str = "",
        nth: int = 1,
        times: int = 1,
    ) -> Fault:
        """Script one fault, or anything else to be done before a call is answered."""
        rule = Fault(what, method, path, operation, nth, times)
        self.rules.append(rule)
        return rule

    def due(self, asked: Asked) -> list[FaultKind]:
        """What strikes this call; calls what was given as a function."""
        struck = [rule.what for rule in self.rules if rule.meets(asked)]
        kinds: list[FaultKind] = []
        for one in struck:
            if callable(one):
                one()
            else:
                kinds.append(one)
        return kinds


def before(kinds: list[FaultKind]) -> None:
    """What strikes before anything happened.

    Raises:
        ApiError: The answer in place of the real one.
        ConnectionDropped: None at all.
    """
    for kind in kinds:
        if kind == "502-before":
            raise ApiError(502, "Server Error")
        if kind == "drop-before":
            raise ConnectionDropped
        if kind in {"secondary", "secondary-429", "secondary-silent"}:
            status = 429 if kind == "secondary-429" else 403
            raise secondary(None if kind == "secondary-silent" else 30, status)
        if kind == "too-quickly":
            raise too_quickly()
        if kind == "expired":
            raise ApiError(401, "Bad credentials")


def after(kinds: list[FaultKind], body: bytes) -> bytes:
    """What strikes once it happened: the bytes that are sent.

    Raises:
        ApiError: The answer in place of the real one.
        ConnectionDropped: None at all.
    """
    for kind in kinds:
        if kind == "502-after":
            raise ApiError(502, "Server Error")
        if kind == "drop-after":
            raise ConnectionDropped
        if kind == "malformed":
            return body[: len(body) // 2] or b"{"
        if kind == "huge":
            return b'["' + b"x" * (64 << 20) + b'"]'
    return body


def _matches(pattern: str, path: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), path) is not None
