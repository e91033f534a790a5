"""Why somebody was not told."""

from __future__ import annotations

from digestbot.errors import DigestbotError


class NotifyError(DigestbotError):
    """A message was not delivered; neither the address nor a token is ever part of the text."""
