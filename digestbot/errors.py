"""The errors of digestbot: one small tree, each with its own advice.

```
DigestbotError
├── InvalidReferenceError  image     a text is not an image reference
├── UsageError             cli       the command line or the configuration is wrong
│   └── ConfigError        config    …and this is the file and line
├── NoInputError           scan      there is nothing to read
├── RegistryError          registry  a registry gave no answer that can be trusted
├── ForgeError             forge     a forge did not do what it was asked
├── EditRefusedError       files     an edit would not be safe
├── WriteError             scan      a file could not be written
├── StoreError             store     the state cannot be read or written
└── NotifyError            service   somebody could not be told
```
"""

from __future__ import annotations


class DigestbotError(Exception):
    """Something digestbot cannot do: `str()` says what and where, `hint` says what to do."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(DigestbotError):
    """The command line asks for something that cannot be."""


class NoInputError(DigestbotError):
    """There is nothing to read: no file of a known format was found."""


class EditRefusedError(DigestbotError):
    """An edit would not be safe; `reason` is a stable slug."""

    def __init__(self, message: str, *, reason: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class WriteError(DigestbotError):
    """A file could not be written; it is left as it was."""
