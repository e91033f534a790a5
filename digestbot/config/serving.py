"""The sections of the configuration about the scheduled service: its state, its pace, its voice."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from digestbot.config.fields import (
    Cron,
    Duration,
    FilePath,
    HttpUrl,
    Listen,
    Many,
    Model,
    Slug,
    StateUrl,
    Variable,
    Zone,
)


class StateConfig(Model):
    """Where the state is kept: a folder with an SQLite file, or a PostgreSQL database."""

    folder: FilePath | None = Field(
        default=None,
        description="Folder of the state, on a local disk; it is made where there is none.",
    )
    url: StateUrl | None = Field(
        default=None,
        description="Address of a PostgreSQL database, without password: "
        "`postgresql://digestbot@db.example.com/digestbot`.",
    )
    password_env: Variable | None = Field(
        default=None, description="Name of the environment variable that holds its password."
    )
    password_file: FilePath | None = Field(
        default=None, description="File that holds its password."
    )

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        if (self.folder is None) == (self.url is None):
            raise ValueError("needs folder or url, and not both")
        if self.password_env is not None and self.password_file is not None:
            raise ValueError("has both password_env and password_file; keep one")
        has_password = self.password_env is not None or self.password_file is not None
        if has_password and self.url is None:
            raise ValueError("has a password but no url")
        return self


class HoldConfig(Model):
    """What is held back, and how long."""

    settle: Duration = Field(
        default=timedelta(hours=3),
        json_schema_extra={"default": "3h"},
        description="How long a digest must have been the tag's, as the state tells, before it is "
        "proposed: an index that is pushed one architecture after the other, or a tag that flaps, "
        "then costs nobody a pull request. Without `state` it does not apply.",
    )
    min_age: Duration = Field(
        default=timedelta(),
        json_schema_extra={"default": "0s"},
        description="How old a digest must be, since it was first seen, before it is proposed; "
        "the newest one that is old enough is. Without `state` it does not apply.",
    )
    lost_platforms: bool = Field(
        default=True,
        description="Hold an index that lost a platform, or that became a single image.",
    )
    same_images: bool = Field(
        default=True,
        description="Hold an index whose images are all unchanged: only attestations moved.",
    )


class ServiceConfig(Model):
    """How `digestbot serve` works."""

    cron: Many[Cron] = Field(
        default=("*/30 * * * *",),
        max_length=100,
        json_schema_extra={"minItems": 1},
        description="Cron expressions of five fields: when a cycle begins.",
    )
    timezone: Zone = Field(default="UTC", description="The time zone of `cron`.")
    run_on_start: bool = Field(default=True, description="Begin with a cycle.")
    jitter: Duration = Field(
        default=timedelta(seconds=30),
        json_schema_extra={"default": "30s"},
        description="Begin a cycle up to this much later, so that not everybody asks at once.",
    )
    jobs: int = Field(default=8, ge=1, le=64, description="How many repos are worked on at a time.")
    listen: Listen = Field(
        default="127.0.0.1:8080",
        description="Where the dashboard, `/healthz`, `/readyz`, `/metrics` and `/hooks/…` are "
        "served.",
    )

    @model_validator(mode="after")
    def _check_there_is_one(self) -> Self:
        if not self.cron:
            raise ValueError("needs at least one cron expression")
        return self


Event = Literal["lookups", "repos", "held", "denied", "proposals", "cycle", "rollout"]


class NotifyConfig(Model):
    """Somebody who is told what changed; never twice of the same."""

    # The same pairs as _check_pairs, for editors.
    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["url"]}, {"required": ["url_env"]}, {"required": ["url_file"]}]
        }
    )

    name: Slug = Field(description="What logs and metrics call it.")
    kind: Literal["slack", "webhook", "apprise"] = Field(
        description="A Slack incoming webhook, a POST of JSON, or any service that Apprise knows."
    )
    url: HttpUrl | None = Field(
        default=None, description="Where to, where the address itself is no secret."
    )
    url_env: Variable | None = Field(
        default=None, description="Name of the environment variable that holds the address."
    )
    url_file: FilePath | None = Field(default=None, description="File that holds the address.")
    token_env: Variable | None = Field(
        default=None,
        description="Name of the environment variable whose value a `webhook` is sent as bearer "
        "token.",
    )
    events: Many[Event] = Field(
        default=("lookups", "repos", "held", "denied", "proposals", "cycle", "rollout"),
        description="What it is told of.",
    )

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        if sum(way is not None for way in (self.url, self.url_env, self.url_file)) != 1:
            raise ValueError("needs one of url, url_env and url_file")
        if self.kind == "apprise" and self.url is not None:
            raise ValueError("has an Apprise address in it, which is a secret; use url_env")
        if self.token_env is not None and self.kind != "webhook":
            raise ValueError("has a token_env, which only a webhook takes")
        return self
