"""The section of the configuration about webhooks: who may say that something moved."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from digestbot.config.fields import FilePath, Host, Model, Slug, Variable


class HookConfig(Model):
    """Somebody who says that something moved; registries and GitHub are then asked themselves."""

    # The same pairs as _check_pairs, for editors.
    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["secret_env"]}, {"required": ["secret_file"]}],
            "if": {"properties": {"kind": {"const": "github"}}},
            "then": {"not": {"required": ["registry"]}},
            "else": {"required": ["registry"]},
        }
    )

    name: Slug = Field(description="What logs and metrics call it; it is posted to `/hooks/name`.")
    kind: Literal[
        "harbor", "dockerhub", "ghcr", "quay", "distribution", "acr", "jfrog", "nexus", "github"
    ] = Field(
        description="Who sends: a kind of registry, or `github` for what happens in repos. "
        "`distribution` is docker-registry, and what is built on it."
    )
    secret_env: Variable | None = Field(
        default=None,
        description="Name of the environment variable that holds the secret which only the "
        "sender knows.",
    )
    secret_file: FilePath | None = Field(default=None, description="File that holds that secret.")
    registry: Host | None = Field(
        default=None,
        description="The registry that it speaks of, as image names spell it: `harbor.corp`, "
        "`docker.io`. Not for `github`.",
    )

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        if (self.secret_env is None) == (self.secret_file is None):
            raise ValueError("needs secret_env or secret_file, and not both")
        if self.kind == "github" and self.registry is not None:
            raise ValueError("has a registry, which github is not; for images there use ghcr")
        if self.kind != "github" and self.registry is None:
            raise ValueError(f"needs the registry that {self.kind} speaks of")
        return self
