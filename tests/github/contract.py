"""Holds every request and every answer against GitHub's own description.

There is no switch to turn it off. A violation is kept, answered with 500, and raised when the
server closes. What the description is known to get wrong stands in `exceptions.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

from tests.github import exceptions, schemas


class ContractError(AssertionError):
    """Somebody, client or test GitHub, did what GitHub does not do."""


@dataclass(frozen=True)
class Operation:
    """One operation of REST as GitHub describes it; `name` is `GET /repos/{owner}/{repo}`."""

    name: str
    id: str
    parameters: tuple[Mapping[str, Any], ...]
    body: Any
    needs_body: bool
    answers: Mapping[str, Any]

    def check_request(self, path: Mapping[str, str], query: Mapping[str, str], body: Any) -> None:
        """Raises: ContractError: The description does not allow this request."""
        told = {"path": path, "query": query}
        for parameter in self.parameters:
            self._check_parameter(parameter, told.get(parameter["in"], {}))
        known = {one["name"] for one in self.parameters if one["in"] == "query"}
        for name in query.keys() - known:
            raise ContractError(f"{self.name}: there is no query parameter {name!r}")
        if body is None and self.needs_body:
            raise ContractError(f"{self.name}: it needs a body")
        if body is not None and self.body is None:
            raise ContractError(f"{self.name}: it takes no body")
        if body is not None and not exceptions.allows_request(self.name, body):
            _check(f"{self.name}: request", self.body, body)

    def _check_parameter(self, parameter: Mapping[str, Any], told: Mapping[str, str]) -> None:
        name = parameter["name"]
        if name not in told:
            if parameter["required"] and parameter["in"] in {"path", "query"}:
                raise ContractError(f"{self.name}: parameter {name!r} is missing")
            return
        value = _typed(parameter["schema"], told[name])
        _check(f"{self.name}: parameter {name}", parameter["schema"], value)

    def check_answer(self, status: int, data: Any) -> None:
        """Raises: ContractError: The description knows no such answer."""
        known = self.answers.get(str(status))
        if str(status) not in self.answers and status < 400:
            raise ContractError(f"{self.name}: it never answers {status}")
        if data is None and known is None:
            return
        if status >= 400 and known is None:
            known = {"$ref": "#/components/schemas/basic-error"}
        if status != 304:
            _check(f"{self.name}: answer {status}", known, data)

    def complete(self, status: int, data: Any) -> Any:
        """The data with what the description requires and nobody said, as empty as allowed."""
        return _completed(self.answers.get(str(status)), data) if status < 300 else data


@dataclass
class Contract:
    """All operations, and the violations so far."""

    violations: list[str] = field(default_factory=list)

    def violated(self, error: ContractError) -> str:
        self.violations.append(str(error))
        return str(error)

    def close(self) -> None:
        """Raises: ContractError: There were violations."""
        if self.violations:
            raise ContractError("\n".join(["GitHub's description was violated:", *self.violations]))


@cache
def operations() -> dict[str, Operation]:
    """By name."""
    known = schemas.rest()["operations"]
    return {
        name: Operation(
            name,
            one["id"],
            tuple(one["parameters"]),
            one["body"],
            one["needs_body"],
            one["answers"],
        )
        for name, one in known.items()
    }


@cache
def _routes() -> list[tuple[str, re.Pattern[str], Operation]]:
    # Literal parts are more telling than variable ones, so they are tried first.
    ordered = sorted(operations().values(), key=lambda one: _specificity(one.name))
    return [(name.split()[0], _pattern(name), one) for one in ordered for name in (one.name,)]


def find(method: str, path: str) -> tuple[Operation, dict[str, str]]:
    """The operation behind a path, and the parts that the path names.

    Raises:
        ContractError: The test GitHub serves none.
    """
    for verb, pattern, operation in _routes():
        found = pattern.fullmatch(path) if verb == method else None
        if found is not None:
            return operation, {name: unquote(text) for name, text in found.groupdict().items()}
    raise ContractError(f"{method} {path}: not an operation that the test GitHub serves")


# A ref or a path has slashes of its own.
_DEEP = {"ref", "branch", "path", "tree_sha"}


def _pattern(name: str) -> re.Pattern[str]:
    path = re.escape(name.split()[1]).replace(r"\{", "{").replace(r"\}", "}")
    return re.compile(
        re.sub(
            r"\{(\w+)\}",
            lambda m: f"(?P<{m[1]}>.+)" if m[1] in _DEEP else f"(?P<{m[1]}>[^/]+)",
            path,
        )
    )


def _specificity(name: str) -> tuple[int, int]:
    path = name.split()[1]
    return (sum(f"{{{one}}}" in path for one in _DEEP), -path.count("/"))


def _typed(schema: Mapping[str, Any], text: str) -> Any:
    """A parameter as its schema wants it; the text itself where it is no such value."""
    if schema.get("type") == "integer" and re.fullmatch("-?[0-9]+", text):
        return int(text)
    if schema.get("type") == "boolean" and text in {"true", "false"}:
        return text == "true"
    if "oneOf" in schema:
        return int(text) if text.isdigit() else text
    return text


def _check(where: str, schema: Any, value: Any) -> None:
    validator = _validator(_Node(schema))
    if validator.is_valid(value):
        return
    error = next(iter(validator.iter_errors(value)))
    place = "/".join(map(str, error.instance_path))
    raise ContractError(f"{where}: {place or 'the whole'}: {error.message[:600]}")


class _Node:
    """A schema as a key: the trimmed description lives as long as the process."""

    def __init__(self, schema: Any) -> None:
        self.schema = schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Node) and other.schema is self.schema


@cache
def _validator(node: _Node) -> jsonschema_rs.Validator:
    schema = {
        "allOf": [node.schema if node.schema is not None else True],
        "components": schemas.rest()["components"],
    }
    return jsonschema_rs.Draft202012Validator(schema)


def _completed(schema: Any, data: Any) -> Any:
    schema = _fitting(schema, data)
    if isinstance(data, list):
        inner = schema.get("items")
        return [_completed(inner, one) for one in data]
    if not isinstance(data, dict):
        return data
    known = schema.get("properties", {})
    made = {
        name: _completed(known[name], value) if name in known else value
        for name, value in data.items()
    }
    for name in schema.get("required", ()):
        if name not in made and name in known:
            made[name] = _emptiest(_Node(known[name]))
    return made


def _fitting(schema: Any, data: Any) -> dict[str, Any]:
    """The schema itself, or that of its alternatives which knows all of these fields."""
    known = _resolved(schema)
    if "allOf" in known:
        parts = [_fitting(one, data) for one in known["allOf"]]
        fields = {k: v for one in parts for k, v in one.get("properties", {}).items()}
        return {
            "properties": {**fields, **known.get("properties", {})},
            "required": [name for one in parts for name in one.get("required", ())],
        }
    for key in ("anyOf", "oneOf"):
        for one in known.get(key, ()):
            fitting = _fitting(one, data)
            if isinstance(data, dict) and data.keys() <= fitting.get("properties", {}).keys():
                return fitting
            if isinstance(data, list) and "items" in fitting:
                return fitting
    return known


def _resolved(schema: Any) -> dict[str, Any]:
    found: dict[str, Any] = schema if isinstance(schema, dict) else {}
    while "$ref" in found:
        found = _components()[found["$ref"].rpartition("/")[2]]
    return found


def _components() -> dict[str, dict[str, Any]]:
    known: dict[str, dict[str, Any]] = schemas.rest()["components"]["schemas"]
    return known


@cache
def _emptiest(node: _Node) -> Any:
    schema = _resolved(node.schema)
    alternatives = [one for key in ("anyOf", "oneOf") for one in schema.get(key, ())]
    kinds = schema.get("type", "")
    if "null" in kinds or {"type": "null"} in alternatives:
        return None
    if "enum" in schema:
        return schema["enum"][0]
    if alternatives:
        return _emptiest(_Node(alternatives[0]))
    if kinds == "object" or "properties" in schema or "allOf" in schema:
        return _completed(schema, {})
    return _PLAINEST.get(schema.get("format", ""), _PLAINEST.get(kinds, ""))


_PLAINEST: dict[str, Any] = {
    "array": [],
    "boolean": False,
    "integer": 0,
    "number": 0,
    "date-time": "2020-01-01T00:00:00Z",
    "uri": "https://api.github.test/",
}
