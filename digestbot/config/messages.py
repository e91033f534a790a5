"""What pydantic found wrong, in the words of the person who wrote the configuration."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from digestbot.config.issues import KeyPath, shown
from digestbot.config.models import SECTIONS, Settings

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

_PLACES: dict[type[BaseModel], str] = {Settings: "at the top"} | {
    model: {"registries": "under registries.<host>", "ignore": "in ignore"}.get(key, f"under {key}")
    for key, model in SECTIONS.items()
}
_SECRETS = {"api_key", "auth", "passwd", "password", "secret", "token"}
# What a secret is called, where that is not "password".
_WORDS = {"github": "token", "hooks": "secret", "dashboard": "token"}
_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "keys with values",
    "finite_number": "a number",
    "float_type": "a number",
    "int_type": "a whole number",
    "model_type": "keys with values",
    "string_type": "text",
    "tuple_type": "a list",
}
_LIMITS = {
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than_equal": "at most {le:g}",
}
# Before int: a bool is one.
_KINDS = ((bool, "true or false"), (int | float, "a number"), (str, "text"), (dict, "keys"))


def path_of(error: ErrorDetails) -> KeyPath:
    """The key the error is about; pydantic marks a bad key of a mapping with `[key]` behind it."""
    path = error["loc"]
    return path[:-1] if path and path[-1] == "[key]" else path


def explain(error: ErrorDetails) -> str:
    """What is wrong and what to write instead, as the rest of a sentence that names the key.

    No value is repeated that could be a password.
    """
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        return _explain_unknown(path_of(error))
    if kind == "missing":
        return "is missing"
    if kind == "literal_error":
        return _explain_choice(value, str(context["expected"]))
    if kind in _LIMITS:
        return f"must be {_LIMITS[kind].format_map(context)}, not {value}"
    if kind == "too_long":
        return f"must have at most {context['max_length']} of them"
    if kind in _EXPECTED:
        return f"must be {_EXPECTED[kind]}, not {_kind_of(value)}{_advice(kind, value)}"
    return f"is not valid: {error['msg']}"


def _explain_unknown(path: KeyPath) -> str:
    key = str(path[-1])
    model = _model_at(path)
    if key.lower() in _SECRETS:
        word = _WORDS.get(str(path[0]), "password")
        return f"no secret is written here; use {word}_env or {word}_file"
    close = get_close_matches(key.replace("-", "_").lower(), model.model_fields, n=1)
    if close:
        return f"unknown key; did you mean {close[0]!r}?"
    for other, place in _PLACES.items():
        if key in other.model_fields:
            return f"unknown key here; it belongs {place}"
    return f"unknown key; known are {', '.join(model.model_fields)}"


def _model_at(path: KeyPath) -> type[BaseModel]:
    """Whose key this is: the innermost section on the way to it."""
    names = [str(part) for part in path[:-1]]
    for length in range(len(names), 0, -1):
        found = SECTIONS.get(".".join(names[:length]))
        if found is not None:
            return found
    return Settings


def _explain_choice(value: object, expected: str) -> str:
    choices = expected.replace(" or ", ", ").replace("'", "").split(", ")
    close = get_close_matches(str(value), choices, n=1)
    instead = f"; did you mean {close[0]!r}?" if close else ""
    return f"must be {expected}, not {shown(str(value))!r}{instead}"


def _kind_of(value: object) -> str:
    return next((words for kind, words in _KINDS if isinstance(value, kind)), "a list")


def _advice(kind: str, value: object) -> str:
    if kind == "string_type" and isinstance(value, bool | int | float):
        return "; put it in quotes"
    if kind == "tuple_type" and isinstance(value, str):
        return "; put it in [ ]"
    return ""
