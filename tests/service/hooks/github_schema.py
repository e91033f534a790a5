"""GitHub's own description of its webhook payloads, from npm, at a pinned version."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema_rs

from tests.npm import GITHUB_WEBHOOKS, fetch


def problems(name: str, payload: Any) -> list[str]:
    """What the description of this event (`push$event`) does not allow in the payload.

    What the payload leaves out is no problem: fixtures hold what is read, and little more.
    """
    root = {"definitions": _partial()["definitions"], "$ref": f"#/definitions/{name}"}
    validator = jsonschema_rs.Draft7Validator(root)
    return [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(payload)]


def is_required(name: str, *path: str) -> bool:
    """Whether a payload of this event always has what is read at this path."""
    here: list[Any] = [_whole()["definitions"][name]]
    for key in path:
        parts = [part for one in here for part in _parts(one)]
        if not any(key in part.get("required", ()) for part in parts):
            return False
        here = [part["properties"][key] for part in parts if key in part.get("properties", {})]
    return True


def _parts(schema: Any) -> list[Any]:
    """The schema without references, and all that it is put together from."""
    if "$ref" in schema:
        return _parts(_whole()["definitions"][schema["$ref"].rpartition("/")[2]])
    inner = [*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())]
    return [schema, *(part for one in inner for part in _parts(one))]


@cache
def _whole() -> Any:
    return json.loads(fetch(GITHUB_WEBHOOKS).read_bytes())


@cache
def _partial() -> Any:
    return _without_required(_whole())


def _without_required(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_required(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    # Without what is required, several of the alternatives may fit.
    renamed = {"oneOf": "anyOf"}
    return {
        renamed.get(key, key): _without_required(value)
        for key, value in schema.items()
        if not (key == "required" and isinstance(value, list))
    }
