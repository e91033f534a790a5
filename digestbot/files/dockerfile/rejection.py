"""Why BuildKit would not build from a file at all."""

from __future__ import annotations

from digestbot.errors import DigestbotError


class RejectedError(DigestbotError):
    """The file cannot be read as a Dockerfile.

    `line` counts from 1 and says where, `str()` which rule is broken, `reason` is a slug.
    """

    def __init__(self, line: int, message: str, reason: str = "invalid-dockerfile") -> None:
        super().__init__(message)
        self.line = line
        self.reason = reason
