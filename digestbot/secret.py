"""A text that is never shown by accident."""

from __future__ import annotations

import hmac
from collections.abc import Callable


class Secret:
    """Holds a password or token; only `reveal()` says it.

    The source may be a function, so that a password in a file or in the environment is read
    only when the host that it is for asks for it.
    """

    __slots__ = ("_source",)

    def __init__(self, source: str | Callable[[], str]) -> None:
        self._source = source

    def reveal(self) -> str:
        """The text itself."""
        return self._source if isinstance(self._source, str) else self._source()

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.reveal().encode(), other.reveal().encode())

    def __hash__(self) -> int:
        return hash(self.reveal())

    def __repr__(self) -> str:
        return "Secret('***')"

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not written down")


NO_SECRET = Secret("")
