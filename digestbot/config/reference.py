"""The reference of the configuration, as Markdown, made from the models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from digestbot.config.models import SECTIONS
from digestbot.config.schema import settings_schema

# What stands before the keys of a section that there are many of.
_MANY = {"ignore": "ignore[].", "registries": "registries.<host>."}
_Schema = Mapping[str, Any]


def settings_reference() -> str:
    """A Markdown table of every key: name, type, default, meaning."""
    schema = settings_schema()
    rows = ["| Key | Type | Default | Meaning |", "| --- | --- | --- | --- |"]
    rows += _rows(schema, "")
    for key, model in SECTIONS.items():
        section = _definition(schema, model.__name__)
        rows += _rows(section, _MANY.get(key, f"{key}."))
    return "\n".join(rows) + "\n"


def _rows(section: _Schema, prefix: str) -> list[str]:
    required = section.get("required", [])
    return [
        f"| `{prefix}{key}` | {_type(spec)} | {_default(spec, required=key in required)} "
        f"| {spec['description']} |"
        for key, spec in section["properties"].items()
    ]


def _definition(schema: _Schema, name: str) -> _Schema:
    definition: _Schema = schema["$defs"][name]
    return definition


def _type(spec: _Schema) -> str:
    if "enum" in spec:
        return ", ".join(f"`{choice}`" for choice in spec["enum"])
    if "$ref" in spec:
        return "keys"
    match spec["type"]:
        case "array":
            return f"list of {_type(spec['items'])}"
        case "object":
            return _mapping(spec)
        case "string":
            return str(spec.get("format", "text"))
        case "integer" | "number":
            return f"{spec['type']}{_limits(spec)}"
        case other:
            return str(other)


def _mapping(spec: _Schema) -> str:
    if "additionalProperties" in spec:
        return "keys per host"
    values = next(iter(spec["patternProperties"].values()))
    return "prefix to prefix" if values["type"] == "string" else f"name to {_type(values)}"


def _limits(spec: _Schema) -> str:
    above = f" above {spec['exclusiveMinimum']}," if "exclusiveMinimum" in spec else ""
    low = f" from {spec['minimum']}" if "minimum" in spec else above
    return f"{low} up to {spec['maximum']}" if "maximum" in spec else low.rstrip(",")


def _default(spec: _Schema, *, required: bool) -> str:
    if required:
        return "required"
    return f"`{json.dumps(spec['default'])}`" if "default" in spec else "none"
