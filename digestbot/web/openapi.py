"""What programs may ask the dashboard, as an OpenAPI 3.1 document: made from the pages themselves.

Written anew by `python -m digestbot.web.openapi > config/dashboard.openapi.json`; a test compares.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from digestbot.web import badges
from digestbot.web.answers import SCHEMA, Fault
from digestbot.web.exports import Export
from digestbot.web.openapi_actions import action_paths, action_schemas
from digestbot.web.openapi_parts import (
    CSV,
    JSON,
    REF,
    SVG,
    Json,
    Plain,
    content,
    envelope,
    parameters,
    path_of,
    refs,
    shared_answers,
)
from digestbot.web.page import Page
from digestbot.web.pages import PAGES
from digestbot.web.tables import EXPORTS

PATH = "/openapi.json"
_ABOUT = """\
Each page of the dashboard has a twin for programs: the same view as JSON, at its path with `.json`.
What is there stays; new keys may come, so take no key that you do not know for an error. Times
are in UTC. What an address asks and nobody knows is disregarded, and an empty value is none.

Programs send the token of a user: `Authorization: Bearer …`. Faults are JSON for whoever sends a
token, right or wrong, and does not ask for `text/html`; for whoever asks with
`Accept: application/json`; and at every path that ends with `.json`. Else they are pages, and who
is not signed in is led to `/login`."""
_TIME = {"type": "string", "format": "date-time", "description": "As of when, in UTC."}


def document() -> Json:
    """The document as plain data."""
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "digestbot's dashboard",
            "summary": "How fresh the base images of a fleet of repos are.",
            "description": _ABOUT,
            "version": SCHEMA.rpartition("/")[2],
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": {
            **{path_of(page.twin): {"get": _page(page)} for page in PAGES.values()},
            **{export.path: {"get": _export(export)} for export in EXPORTS.values()},
            **_badges(),
            PATH: {"get": _itself()},
            **action_paths(),
        },
        "components": {
            "schemas": _schemas(),
            "responses": shared_answers(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "Of a user."}
            },
        },
    }


@cache
def document_text() -> str:
    """The document as it is committed: indented, one line break at the end."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def openapi_routes() -> list[BaseRoute]:
    """The route of the document."""

    def answer(_request: Request) -> Response:
        return Response(document_text(), media_type=JSON)

    return [Route(PATH, answer)]


def _schemas() -> Json:
    mode: JsonSchemaMode = "serialization"
    views = {page.name: TypeAdapter[Any](page.view) for page in PAGES.values()}
    told = [(name, mode, view) for name, view in views.items()]
    kinds = [*told, ("", mode, TypeAdapter[Any](Fault))]
    found, shared = TypeAdapter.json_schemas(kinds, ref_template=REF, schema_generator=Plain)
    schemas: Json = dict(shared["$defs"])
    for page in PAGES.values():
        data = {"page": {"const": page.name}, "at": _TIME, "data": found[page.name, mode]}
        schemas[_answer_of(page)] = envelope(data)
    schemas["Problem"] = envelope({"error": found["", mode]})
    return dict(sorted((schemas | action_schemas()).items()))


def _answer_of(page: Page[Any, Any]) -> str:
    return f"{page.view.__name__}Answer"


def _page(page: Page[Any, Any]) -> Json:
    asked = parameters(page.question, page.path)
    faults = ["400"] * bool(asked) + ["401", "429", "500", "503"]
    is_one = any(one["in"] == "path" for one in asked)
    return {
        "operationId": page.name,
        "summary": page.title,
        "description": page.view.__doc__ or "",
        "parameters": asked,
        "responses": {
            "200": content(JSON, {"$ref": REF.format(model=_answer_of(page))}, page.title),
            **refs(*faults, *["404"] * is_one),
        },
    }


def _export(export: Export[Any, Any]) -> Json:
    columns = ", ".join(f"`{name}`" for name in export.columns)
    about = (
        f"RFC 4180, UTF-8. The first line names the columns: {columns}. A text that a spreadsheet "
        "would compute has an apostrophe in front."
    )
    return {
        "operationId": f"export_{export.name}",
        "summary": f"All {export.name} as CSV",
        "description": f"Each line is {export.about}. Page and order are disregarded.",
        "parameters": parameters(export.question, export.path),
        "responses": {
            "200": content(CSV, {"type": "string"}, about),
            **refs("303", "400", "401", "429", "500", "503"),
        },
    }


def _badges() -> Json:
    name = {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9._-]+$"}
    one = _badge("badge_repo", "The badge of a repo")
    one["parameters"] = [
        {"name": part, "in": "path", "required": True, "schema": name} for part in ("owner", "repo")
    ]
    one["responses"]["404"] = content(
        SVG, {"type": "string"}, "There is no such repo: the badge says `unknown`."
    )
    return {
        badges.FLEET: {"get": _badge("badge_fleet", "The badge of the whole fleet")},
        f"{badges.REPOS}{{owner}}/{{repo}}.svg": {"get": one},
    }


def _badge(name: str, summary: str) -> Json:
    return {
        "operationId": name,
        "summary": summary,
        "description": "For anybody, where `dashboard.public_badges` of the configuration says so.",
        # Nobody needs a token for what is public.
        "security": [{"token": []}, {}],
        "responses": {
            "200": content(SVG, {"type": "string"}, "The badge"),
            "304": {"description": "It is the one that `If-None-Match` names."},
            **refs("303", "401", "429", "500", "503"),
        },
    }


def _itself() -> Json:
    return {
        "operationId": "openapi",
        "summary": "This document",
        "responses": {
            "200": content(JSON, {"type": "object"}, "This document"),
            **refs("401", "429", "500"),
        },
    }


if __name__ == "__main__":
    sys.stdout.write(document_text())
