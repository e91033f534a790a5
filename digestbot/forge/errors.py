"""The errors of forges, by what the caller can do about them.

```
ForgeError               this repo gets nothing in this run
├── UnsettledError       look again: a write may or may not have happened, or somebody was faster
├── DeferredError        come back later: a limit is used up for longer than we may wait
└── RefusedError         the forge says no, and would say so again
```
"""

from __future__ import annotations

from datetime import datetime

from digestbot.errors import DigestbotError


class ForgeError(DigestbotError):
    """A forge did not do what it was asked for; `code` is a stable slug."""

    def __init__(self, message: str, *, code: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class UnsettledError(ForgeError):
    """What the forge has now is unknown: survey it again before the next step."""


class DeferredError(ForgeError):
    """A limit is used up; `until` is when to come back, where that is known."""

    def __init__(
        self, message: str, *, code: str, until: datetime | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, code=code, hint=hint)
        self.until = until


class RefusedError(ForgeError):
    """The forge refuses, for a reason that another try does not change."""
