"""The JSON of a stranger: bounded, and looked at before it is used.

What is wrong is said in words of ours alone: a message never holds a part of the body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import NoReturn, TypeAlias

from digestbot.service.hooks.delivery import MalformedError

Fields: TypeAlias = Mapping[str, object]

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_ITEMS = 10_000
_ID = re.compile(r"[\x21-\x7e]{1,128}")


def read_object(body: bytes) -> Fields:
    """The JSON object that the body is.

    Raises:
        MalformedError: It is none, or larger or deeper than any source needs.
    """
    if len(body) > MAX_BYTES:
        raise MalformedError(f"the body has more than {MAX_BYTES} bytes")
    try:
        data: object = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        # The error would carry the body into a log.
        raise MalformedError("the body is not JSON in UTF-8, or is too deep") from None
    if not isinstance(data, dict):
        raise MalformedError("the body is not a JSON object")
    if _is_deep(data):
        raise MalformedError(f"the body is more than {MAX_DEPTH} levels deep")
    return data


def text(fields: Fields, key: str) -> str:
    """The text of this name.

    Raises:
        MalformedError: There is none.
    """
    value = fields.get(key)
    if not isinstance(value, str):
        raise MalformedError(f"{key} is not a text")
    return value


def text_or_empty(fields: Fields, key: str) -> str:
    """The text of this name; empty where it is left out or null.

    Raises:
        MalformedError: It is something else.
    """
    return "" if fields.get(key) is None else text(fields, key)


def section(fields: Fields, key: str) -> Fields:
    """The object of this name.

    Raises:
        MalformedError: There is none.
    """
    value = fields.get(key)
    if not isinstance(value, dict):
        raise MalformedError(f"{key} is not an object")
    return value


def section_or_empty(fields: Fields, key: str) -> Fields:
    """The object of this name; an empty one where it is left out or null.

    Raises:
        MalformedError: It is something else.
    """
    return {} if fields.get(key) is None else section(fields, key)


def sections(fields: Fields, key: str) -> tuple[Fields, ...]:
    """The objects in the list of this name.

    Raises:
        MalformedError: It is no list of at most `MAX_ITEMS` objects.
    """
    values = _items(fields.get(key), key)
    found = tuple(value for value in values if isinstance(value, dict))
    if len(found) < len(values):
        raise MalformedError(f"{key} holds something that is not an object")
    return found


def texts(fields: Fields, key: str) -> tuple[str, ...]:
    """The texts in the list of this name, or the keys of the object of this name.

    Raises:
        MalformedError: It is neither, holds anything but texts, or more than `MAX_ITEMS`.
    """
    value = fields.get(key)
    values = _items(list(value) if isinstance(value, dict) else value, key)
    found = tuple(value for value in values if isinstance(value, str))
    if len(found) < len(values):
        raise MalformedError(f"{key} holds something that is not a text")
    return found


def known_id(written: str) -> str:
    """The sender's name of a delivery, where it is fit to be kept; empty otherwise."""
    return written if _ID.fullmatch(written) else ""


def _items(value: object, key: str) -> list[object]:
    if not isinstance(value, list):
        raise MalformedError(f"{key} is not a list")
    if len(value) > MAX_ITEMS:
        raise MalformedError(f"{key} holds more than {MAX_ITEMS}")
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _is_deep(data: object) -> bool:
    level: list[object] = [data]
    for _ in range(MAX_DEPTH):
        level = [child for one in level for child in _children(one)]
        if not level:
            return False
    return True


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
