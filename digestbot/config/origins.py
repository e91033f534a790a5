"""The effective configuration, row by row, with where each value comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from digestbot.config.issues import KeyPath, dotted
from digestbot.config.load import LoadedSettings

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Row:
    """One key, its value as JSON would have it, and its origin.

    Rows hold no secret: the configuration only says where a password is.
    """

    key: str
    value: object
    origin: str


def effective_rows(loaded: LoadedSettings) -> list[Row]:
    """Every key that has a value, in the order of the reference documentation."""
    data = loaded.settings.model_dump(mode="json", exclude_none=True)
    return [
        Row(dotted(path), value, loaded.origins.get(path, DEFAULT))
        for path, value in _leaves(data, ())
    ]


def _leaves(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, object]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, index))
    else:
        yield path, value
