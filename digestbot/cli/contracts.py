"""The JSON that digestbot writes, as tables for the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from digestbot.proposals.report_contract import update_schema
from digestbot.report.contract import scan_schema
from digestbot.rollout.plan_document import document_schema
from digestbot.service.hooks.contract import hooks_schema
from digestbot.service.notify.contract import notice_schema
from digestbot.service.rollouts.standing_contract import rollout_schema, rollouts_schema
from digestbot.service.status_contract import status_schema

_Schema = Mapping[str, Any]
CONTRACTS: Final[tuple[Callable[[], _Schema], ...]] = (
    scan_schema,
    update_schema,
    status_schema,
    notice_schema,
    hooks_schema,
    document_schema,
    rollouts_schema,
    rollout_schema,
)


def contracts() -> str:
    """Each contract with its records, and each record with its keys."""
    return "\n".join(line for schema in CONTRACTS for line in _contract(schema()))


def _contract(schema: _Schema) -> Iterator[str]:
    name, _, meaning = str(schema["title"]).partition(": ")
    yield f"### {name}\n"
    yield f"{meaning[0].upper()}{meaning[1:]}.\n"
    yield _record(schema)
    for title, record in schema.get("$defs", {}).items():
        if "properties" in record:
            yield f"`{title}`: {record['description']}\n"
            yield _record(record)


def _record(record: _Schema) -> str:
    lines = ["| Key | Type | Meaning |", "| --- | --- | --- |"]
    for key, spec in record["properties"].items():
        meaning = " ".join(str(spec.get("description", "")).split())
        lines.append(f"| `{key}` | {_type(spec)} | {meaning} |")
    return "\n".join(lines) + "\n"


def _type(spec: _Schema) -> str:
    if "anyOf" in spec:
        return " or ".join(map(_type, spec["anyOf"]))
    if "$ref" in spec:
        return f"`{spec['$ref'].rpartition('/')[2]}`"
    if "const" in spec:
        return f"`{spec['const']}`"
    if "enum" in spec:
        return ", ".join(f"`{choice}`" for choice in spec["enum"])
    if spec["type"] == "array":
        return f"list of {_type(spec['items'])}"
    if spec["type"] == "object":
        return f"object of {_type(spec['additionalProperties'])}"
    return str(spec["type"])
