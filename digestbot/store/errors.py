"""What can be wrong with the state."""

from __future__ import annotations

from digestbot.errors import DigestbotError, NoInputError


class StoreError(DigestbotError):
    """The state cannot be read or written."""


class NoStateError(StoreError, NoInputError):
    """There is no state yet where the configuration says that it is."""


class BusyError(StoreError):
    """Another process works with this state."""


class NewerError(StoreError):
    """The state was written by a newer digestbot."""
