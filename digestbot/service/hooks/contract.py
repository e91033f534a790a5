"""The contract `digestbot/hooks/v1`: what `digestbot hooks --format json` prints.

Only additions are made to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

SCHEMA: Literal["digestbot/hooks/v1"] = "digestbot/hooks/v1"
# Pydantic reads the sentence below each field into the schema.
_DOCUMENTED = {"use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True)
class HookGuide:
    """One webhook, and what to do at its sender."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    name: str
    kind: str
    """Who sends, as in the configuration."""
    registry: str | None
    """The registry that it speaks of; null for GitHub."""
    url: str
    """Where it is posted to; a path where no `--url` was given. `<secret>` stands for the
    secret."""
    secret_env: str | None
    """The environment variable of the service that holds the secret."""
    secret_file: str | None
    """The file that holds it, if no variable does."""
    steps: list[str]
    """What to do, in order."""
    snippet: str | None
    """What to paste or to run, if anything; `<secret>` stands for the secret."""


@dataclass(frozen=True, slots=True)
class HooksReport:
    """The webhooks of a configuration."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    schema: Literal["digestbot/hooks/v1"]
    version: str
    """The version of digestbot."""
    hooks: list[HookGuide]


def hooks_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the contract; unknown keys are allowed, for additions."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - only who wants the schema pays for it

    schema = TypeAdapter(HooksReport).json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        **schema,
        "title": f"{SCHEMA}: what to do so that webhooks arrive",
    }
