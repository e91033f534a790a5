"""GitHub's schema with resolvers on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
)
from tests.github import schemas
from tests.github.contract import ContractError
from tests.github.graphql import git, mutations, pull, queries, repository
from tests.github.graphql.context import RESOLVERS, GitObject, Info
from tests.github.state import Account, Check, Event

# Importing these registered their resolvers.
AREAS = (git, mutations, pull, queries, repository)

_NAMES = {
    "Repo": "Repository",
    "Pull": "PullRequest",
    "Comment": "IssueComment",
    "Ref": "Ref",
    "Commit": "Commit",
}
_SCALARS = {
    "DateTime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "GitObjectID": r"[0-9a-f]{40}",
    "GitRefname": r"refs/[^\s~^:?*\[\\]+",
    "URI": r"https?://\S+",
    "GitTimestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
}


@cache
def bound() -> GraphQLSchema:
    """The schema, ready to execute."""
    schema = schemas.graphql()
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            _bind(kind)
        elif isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            kind.resolve_type = lambda value, _info, _kind: name_of(value)
        elif isinstance(kind, GraphQLScalarType) and kind.name in _SCALARS:
            _bind_scalar(kind, _SCALARS[kind.name])
    return schema


def _bind(kind: GraphQLObjectType) -> None:
    for name, field in kind.fields.items():
        field.resolve = RESOLVERS.get((kind.name, name)) or _unserved(kind.name, name)


def _unserved(kind: str, name: str) -> Callable[..., Any]:
    def resolve(source: Any, _info: Info, **_arguments: Any) -> Any:
        if isinstance(source, dict) and name in source:
            return source[name]
        raise ContractError(f"the test GitHub does not serve {kind}.{name}")

    return resolve


def _bind_scalar(kind: GraphQLScalarType, form: str) -> None:
    pattern = re.compile(form)

    def checked(value: Any) -> Any:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ContractError(f"not a {kind.name}: {value!r}")
        return value

    for name in ("serialize", "parse_value", "coerce_output_value", "coerce_input_value"):
        if hasattr(kind, name):
            setattr(kind, name, checked)


def name_of(value: Any) -> str:
    """The name of the type of a value."""
    if isinstance(value, Account):
        return value.kind
    if isinstance(value, Event):
        return value.kind
    if isinstance(value, GitObject):
        return value.kind.title()
    if isinstance(value, Check):
        return "StatusContext" if value.is_status else "CheckRun"
    if isinstance(value, dict):
        return str(value["__typename"])
    return _NAMES.get(type(value).__name__, type(value).__name__)
