"""Takes JSON apart that may be anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def dig(data: object, *keys: str) -> object:
    """What stands under these keys, one in the other; None where one is missing."""
    for key in keys:
        if not isinstance(data, Mapping):
            return None
        data = data.get(key)
    return data


def items(data: object) -> Iterator[object]:
    """The elements of a list; none where it is no list."""
    return iter(data) if isinstance(data, list) else iter(())


def text(data: object, *keys: str) -> str:
    """The text under these keys; empty where there is none."""
    found = dig(data, *keys)
    return found if isinstance(found, str) else ""
