"""What GitHub answers: the records of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from digestbot.forge.errors import ForgeError


@dataclass(frozen=True, slots=True)
class Answer:
    """What GitHub answered: `data` is the JSON, None without a body.

    The names of `headers` are in lower case.
    """

    status: int
    data: object = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """What GitHub says went wrong, each of its errors included; empty where nothing did."""
        if not isinstance(self.data, dict):
            return ""
        errors = self.data.get("errors")
        said = [self.data, *(errors if isinstance(errors, list) else [])]
        texts = [one.get("message") if isinstance(one, dict) else one for one in said]
        return "; ".join(text for text in texts if isinstance(text, str) and text)


@dataclass(frozen=True, slots=True)
class Partial:
    """The data of a GraphQL answer, and what is wrong with parts of it.

    The key of `errors` is the path of a part, as (`repository`, `pullRequests`, 0).
    """

    data: Mapping[str, object]
    errors: Mapping[tuple[str | int, ...], ForgeError] = field(default_factory=dict)
