"""What the OpenAPI document of the dashboard is put together from: parameters, answers, faults."""

from __future__ import annotations

import re
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from digestbot.web.answers import SCHEMA
from digestbot.web.page import Question

Json = dict[str, Any]
JSON, HTML, SVG, CSV = "application/json", "text/html", "image/svg+xml", "text/csv"
REF = "#/components/schemas/{model}"

_FAULTS = {
    "400": "What cannot be asked; the message begins with the name of the field.",
    "401": "Nobody may look who is not signed in.",
    "403": "Whoever only looks may ask for nothing.",
    "404": "What is named is not there, or not any more.",
    "409": "That cannot be done with what is named.",
    "413": "The form is too large.",
    "415": "That is no form.",
    "429": "So much was asked for, or so many wrong tokens were sent, that it has to wait.",
    "500": "The service is at fault; its log says how.",
    "503": "The state does not answer.",
}
_PART = re.compile(r"\{(\w+)(?::\w+)?\}")


class Plain(GenerateJsonSchema):
    """Leaves out titles that repeat the key."""

    def field_title_should_be_set(self, schema: object) -> bool:
        """Of no field."""
        return False


def path_of(path: str) -> str:
    """A path as OpenAPI writes it: without what Starlette is told of its parts."""
    return _PART.sub(r"{\1}", path)


def parameters(question: type[Question], path: str) -> list[Json]:
    """The fields of a question as parameters: in the path where it has them, else in the query."""
    schema = TypeAdapter(question).json_schema(schema_generator=Plain)
    in_path = set(_PART.findall(path))
    return [_parameter(name, spec, in_path) for name, spec in schema["properties"].items()]


def envelope(more: Json) -> Json:
    """What every answer is wrapped in."""
    told = {"schema": {"const": SCHEMA}, "version": {"type": "string"}, **more}
    return {"type": "object", "properties": told, "required": list(told)}


def content(kind: str, schema: Json, description: str) -> Json:
    """An answer of one media type."""
    return {"description": description, "content": {kind: {"schema": schema}}}


def refs(*codes: str) -> Json:
    """The shared answers with these codes."""
    return {code: {"$ref": f"#/components/responses/{code}"} for code in codes}


def shared_answers() -> Json:
    """What `refs` leads to."""
    problem = {JSON: {"schema": {"$ref": REF.format(model="Problem")}}}
    page = {HTML: {"schema": {"type": "string"}}}
    faults = {
        code: {"description": description, "content": {**problem, **page}}
        for code, description in _FAULTS.items()
    }
    led = "A browser is led on: to `/login`, or, after an action, to where it came from."
    return {"303": {"description": led}, **faults}


def _parameter(name: str, spec: Json, in_path: set[str]) -> Json:
    about = {"description": spec["description"]} if "description" in spec else {}
    told = {key: value for key, value in spec.items() if key != "description"}
    if name not in in_path:
        return {"name": name, "in": "query", **about, "schema": told}
    told.pop("default", None)
    return {"name": name, "in": "path", "required": True, **about, "schema": told}
