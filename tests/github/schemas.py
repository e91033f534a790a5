"""GitHub's own descriptions of its API: OpenAPI for REST, the public schema for GraphQL.

They come from npm (`tests/npm.py`, which tests/run starts) and stay out of the repository.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from functools import cache
from typing import Any

from graphql import DocumentNode, GraphQLSchema, build_ast_schema, parse

from tests.npm import FOLDER, GITHUB_GRAPHQL, GITHUB_REST, Wanted

_FORM = "2"
# Behind the name of a component: the same, but it refuses no fields of others.
_OPEN = "~open"
_DROPPED = {"description", "example", "examples", "externalDocs", "x-github", "summary", "tags"}

OPERATIONS = (
    "GET /app",
    "GET /app/installations",
    "POST /app/installations/{installation_id}/access_tokens",
    "GET /installation/repositories",
    "GET /orgs/{org}",
    "GET /orgs/{org}/installation",
    "GET /orgs/{org}/repos",
    "GET /rate_limit",
    "GET /repos/{owner}/{repo}",
    "GET /repos/{owner}/{repo}/branches",
    "GET /repos/{owner}/{repo}/branches/{branch}",
    "GET /repos/{owner}/{repo}/commits/{ref}/check-runs",
    "GET /repos/{owner}/{repo}/commits/{ref}/status",
    "GET /repos/{owner}/{repo}/git/blobs/{file_sha}",
    "POST /repos/{owner}/{repo}/git/blobs",
    "POST /repos/{owner}/{repo}/git/commits",
    "GET /repos/{owner}/{repo}/git/commits/{commit_sha}",
    "GET /repos/{owner}/{repo}/git/matching-refs/{ref}",
    "GET /repos/{owner}/{repo}/git/ref/{ref}",
    "POST /repos/{owner}/{repo}/git/refs",
    "PATCH /repos/{owner}/{repo}/git/refs/{ref}",
    "DELETE /repos/{owner}/{repo}/git/refs/{ref}",
    "POST /repos/{owner}/{repo}/git/trees",
    "GET /repos/{owner}/{repo}/git/trees/{tree_sha}",
    "GET /repos/{owner}/{repo}/installation",
    "GET /repos/{owner}/{repo}/issues",
    "POST /repos/{owner}/{repo}/issues",
    "GET /repos/{owner}/{repo}/issues/{issue_number}",
    "PATCH /repos/{owner}/{repo}/issues/{issue_number}",
    "POST /repos/{owner}/{repo}/issues/{issue_number}/assignees",
    "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
    "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
    "POST /repos/{owner}/{repo}/issues/{issue_number}/labels",
    "GET /repos/{owner}/{repo}/pulls",
    "POST /repos/{owner}/{repo}/pulls",
    "GET /repos/{owner}/{repo}/pulls/{pull_number}",
    "PATCH /repos/{owner}/{repo}/pulls/{pull_number}",
    "GET /repos/{owner}/{repo}/pulls/{pull_number}/files",
    "PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge",
    "POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers",
    "GET /repos/{owner}/{repo}/rules/branches/{branch}",
    "GET /user",
    "GET /user/repos",
    "GET /users/{username}",
    "GET /users/{username}/installation",
    "GET /users/{username}/repos",
)
"""What the test GitHub serves of REST."""


@cache
def rest() -> dict[str, Any]:
    """The operations above, by `GET /app`, with what they refer to under `components`."""
    return json.loads(_made("rest", ".json", _trim_rest))  # type: ignore[no-any-return]


@cache
def graphql() -> GraphQLSchema:
    """GitHub's public GraphQL schema."""
    # The file is of our own making, in a folder that only the tests write.
    document: DocumentNode = pickle.loads(_made("graphql", ".pickle", _trim_graphql))
    return build_ast_schema(document, assume_valid=True, assume_valid_sdl=True)


def _made(name: str, suffix: str, make: Any) -> bytes:
    """The trimmed form, made where it is not there yet."""
    known = hashlib.sha256("\n".join((_FORM, *OPERATIONS)).encode()).hexdigest()[:12]
    path = FOLDER / f"{name}-{known}{suffix}"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        made: bytes = make()
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_bytes(made)
    new.replace(path)
    return made


def _original(wanted: Wanted) -> str:
    try:
        return wanted.path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise AssertionError(
            f"{wanted.path} is missing: run ./tests/run, which fetches it"
        ) from None


def _trim_graphql() -> bytes:
    return pickle.dumps(parse(_original(GITHUB_GRAPHQL), no_location=True))


def _trim_rest() -> bytes:
    whole = json.loads(_original(GITHUB_REST))
    operations = {name: _operation(whole, name) for name in OPERATIONS}
    kept: dict[str, Any] = {}
    wanted = _names(operations) | {"basic-error"}
    while wanted:
        name = wanted.pop()
        schema = whole["components"]["schemas"][name.removesuffix(_OPEN)]
        kept[name] = _plain(schema, is_part=name.endswith(_OPEN))
        wanted |= _names(kept[name]) - kept.keys()
    return json.dumps({"operations": operations, "components": {"schemas": kept}}).encode()


def _operation(whole: dict[str, Any], name: str) -> dict[str, Any]:
    method, path = name.split()
    operation = whole["paths"][path][method.lower()]
    body = operation.get("requestBody", {})
    return {
        "id": operation["operationId"],
        "parameters": [
            _parameter(_resolved(whole, one)) for one in operation.get("parameters", ())
        ],
        "body": _plain(_json(body)),
        "needs_body": body.get("required", False),
        "answers": {
            status: _plain(_json(_resolved(whole, answer)))
            for status, answer in operation["responses"].items()
        },
    }


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": parameter["name"],
        "in": parameter["in"],
        "required": parameter.get("required", False),
        "schema": _plain(parameter["schema"]),
    }


def _resolved(whole: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = whole
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def _json(node: dict[str, Any]) -> Any:
    return node.get("content", {}).get("application/json", {}).get("schema")


def _plain(node: Any, *, is_part: bool = False, is_names: bool = False) -> Any:
    """OpenAPI 3.0 as JSON Schema 2020-12: no prose, `nullable` as a type, unknown fields refused.

    Args:
        node: A schema or a part of one.
        is_part: Whether it is one of several schemas for the same value, which may not
            refuse what the others allow.
        is_names: Whether the keys are names of properties, not words of the language.
    """
    if isinstance(node, list):
        return [_plain(one, is_part=is_part) for one in node]
    if not isinstance(node, dict):
        return node
    if is_names:
        return {name: _plain(one) for name, one in node.items()}
    if is_part and "$ref" in node:
        return {"$ref": f"{node['$ref']}{_OPEN}"}
    made = {
        key: _plain(
            value,
            is_part=key == "allOf" or (is_part and key in {"anyOf", "oneOf"}),
            is_names=key == "properties",
        )
        for key, value in node.items()
        if key not in _DROPPED and key != "nullable"
    }
    if not is_part:
        made = _closed(made)
    return _nullable(made) if node.get("nullable") else made


def _closed(node: dict[str, Any]) -> dict[str, Any]:
    if "allOf" in node:
        return {"unevaluatedProperties": False, **node}
    if "properties" not in node or {"anyOf", "oneOf"} & node.keys():
        return node
    return {"additionalProperties": False, **node}


def _nullable(node: dict[str, Any]) -> dict[str, Any]:
    if isinstance(node.get("type"), str) and not {"allOf", "anyOf", "oneOf"} & node.keys():
        more = {"enum": [*node["enum"], None]} if "enum" in node else {}
        return {**node, "type": [node["type"], "null"], **more}
    return {"anyOf": [node, {"type": "null"}]}


def _names(node: Any) -> set[str]:
    """The components that a schema refers to."""
    if isinstance(node, list):
        return set().union(*map(_names, node))
    if not isinstance(node, dict):
        return set()
    own = node.get("$ref")
    found = {own.rpartition("/")[2]} if isinstance(own, str) else set()
    return found.union(*(_names(one) for one in node.values()))
