"""What the test GitHub was asked; no secret is in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Request:
    """One request.

    Attributes:
        operation: The id of REST, such as `pulls/create`; of GraphQL the name of the document,
            or its root fields.
        fields: The root fields of a GraphQL document.
        who: The label of the token, never the token; empty without one.
    """

    method: str
    path: str
    operation: str = ""
    fields: tuple[str, ...] = ()
    is_write: bool = False
    is_git: bool = False
    who: str = ""
    status: int = 0

    def __str__(self) -> str:
        what = f" [{self.operation}]" if self.path.endswith("/graphql") else ""
        return f"{self.method} {self.path}{what} {self.status}"


@dataclass(frozen=True)
class Write:
    """A write, before or after it happens; `number` counts from 1."""

    number: int
    moment: str
    what: str
