"""What GitHub says when it says no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DOCS = "https://docs.github.com/rest"


@dataclass
class ApiError(Exception):
    """An answer that is an error; `kind` is its type in GraphQL."""

    status: int
    message: str
    errors: list[Any] | None = None
    kind: str = "UNPROCESSABLE"
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        said: dict[str, Any] = {"message": self.message}
        if self.errors is not None:
            said["errors"] = self.errors
        return {**said, "documentation_url": DOCS, "status": str(self.status)}


def not_found() -> ApiError:
    return ApiError(404, "Not Found", kind="NOT_FOUND")


def invalid(resource: str, message: str) -> ApiError:
    """A 422 with one reason of its own."""
    reason = {"resource": resource, "code": "custom", "message": message}
    return ApiError(422, "Validation Failed", [reason])


def refuse_long(resource: str, field_name: str, text: str | None, limit: int) -> None:
    """Raises: ApiError: The text has too many characters."""
    if text is not None and len(text) > limit:
        message = f"{field_name} is too long (maximum is {limit} characters)"
        reason = {"resource": resource, "code": "custom", "field": field_name, "message": message}
        raise ApiError(422, "Validation Failed", [reason])


class ConnectionDropped(Exception):  # noqa: N818 - it is an event, raised by scripts
    """The connection ends here without an answer."""
