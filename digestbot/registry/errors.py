"""Why a registry gave no answer that can be trusted."""

from __future__ import annotations

from digestbot.errors import DigestbotError


class RegistryError(DigestbotError):
    """A lookup failed: `code` is a stable slug, `host` who was asked."""

    def __init__(self, message: str, *, code: str, host: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.host = host
