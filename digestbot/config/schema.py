"""The JSON Schema of the configuration, for editors and for other people's checks.

It is generated, and committed as `config/digestbot.schema.json`. It knows keys, types and
limits; what the loader says beyond that (hosts, globs, prefixes) an editor does not see.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema

from digestbot.config.models import Settings

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema

SCHEMA_URL = (
    "https://raw.githubusercontent.com/digestbot/digestbot/main/config/digestbot.schema.json"
)
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Schema(GenerateJsonSchema):
    """Leaves out null, as a key without a value is an error, and titles that repeat the key."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default") is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def settings_schema() -> dict[str, Any]:
    """The schema as plain data, JSON Schema 2020-12."""
    schema = Settings.model_json_schema(schema_generator=_Schema)
    for key, field in Settings.model_fields.items():
        # Pydantic leaves it out beside a reference to a section.
        schema["properties"][key].setdefault("description", field.description)
    return {"$schema": DIALECT, "$id": SCHEMA_URL, **schema}


def schema_text() -> str:
    """The schema as it is committed: indented, one line break at the end."""
    return json.dumps(settings_schema(), indent=2, ensure_ascii=False) + "\n"
