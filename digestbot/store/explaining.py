"""What a database says, in words that may be shown."""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from digestbot.store.errors import StoreError
from digestbot.store.location import Location

_FILE_HINT = "see to the folder and its disk; digestbot db check"
_SERVER_HINT = "see that the database runs, and that address, user and password are right"
_HINTS: Final = {
    "database is locked": "another process keeps it locked; end it, or wait",
    "disk is full": "make room on its disk",
    "readonly database": "see who may write to its folder",
    "malformed": "digestbot db check tells more; go back to a backup",
    "not a database": "go back to a backup, or move the file away: a new one is made",
}


def explained(error: SQLAlchemyError, location: Location) -> StoreError:
    """What the database said, in its first line: what follows may be secret."""
    said = str(error.orig if isinstance(error, DBAPIError) and error.orig else error)
    if location.password:
        said = said.replace(location.password.reveal(), "***")
    first = next(iter(said.strip().splitlines()), type(error).__name__)
    hint = next((hint for words, hint in _HINTS.items() if words in first), None)
    hint = hint or (_FILE_HINT if location.folder is not None else _SERVER_HINT)
    return StoreError(f"the state in {location}: {first}", hint=hint)
