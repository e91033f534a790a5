"""The sections of the configuration about proposals, and about the forges they go to."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import ConfigDict, Field, JsonValue, model_validator

from digestbot.config.fields import (
    ApiUrl,
    Cron,
    Day,
    FilePath,
    Many,
    Model,
    Signoff,
    Text,
    Title,
    Variable,
    Zone,
)


def _has(key: str) -> dict[str, JsonValue]:
    return {"required": [key]}


class FreezeConfig(Model):
    """Days on which nothing new is opened."""

    start: Day = Field(description="The first day: `2026-12-19`.")
    end: Day = Field(description="The last day.")
    reason: Text | None = Field(default=None, description="Why, in your words.")

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.end < self.start:
            raise ValueError("ends before it starts")
        return self


class ScheduleConfig(Model):
    """When new proposals may be opened; what is open is kept up to date at any time."""

    cron: Many[Cron] = Field(
        max_length=100,
        json_schema_extra={"minItems": 1},
        description="Cron expressions of five fields; proposals are opened in every minute that "
        "one of them matches: `* 6-18 * * mon-fri`.",
    )
    timezone: Zone = Field(default="UTC", description="The time zone of `cron`: `Europe/Berlin`.")

    @model_validator(mode="after")
    def _check_there_is_one(self) -> Self:
        # Not as `min_length`, which counts the right ones only: a wrong one would be two mistakes.
        if not self.cron:
            raise ValueError("needs at least one cron expression")
        return self


class CommitConfig(Model):
    """How titles and commits read."""

    title: Title | None = Field(
        default=None,
        description="Template of the pull request's title and the commit's subject; it knows "
        "`{image}`, `{tag}`, `{old}`, `{new}` and `{count}`.",
    )
    conventional: Text | None = Field(
        default=None,
        description="What stands before the title, for conventional commits: `chore(deps)`.",
    )
    signoff: Signoff | None = Field(
        default=None,
        description="`Name <mail>` for a `Signed-off-by` trailer.",
    )


class LimitsConfig(Model):
    """How many proposals there may be."""

    open_per_repo: int = Field(default=10, ge=1, le=1000, description="Open proposals in one repo.")
    open: int | None = Field(
        default=None, ge=0, description="Open proposals in all repos of a run together."
    )
    per_hour: int | None = Field(
        default=None, ge=0, description="New proposals in an hour, over all repos of a run."
    )


class GitHubConfig(Model):
    """Which GitHub, and as whom."""

    # The same pairs as _check_pairs, for editors.
    model_config = ConfigDict(
        json_schema_extra={
            "dependentRequired": {"app_id": ["app_key_file"], "app_key_file": ["app_id"]},
            "dependentSchemas": {
                "token_env": {"not": {"anyOf": [_has("token_file"), _has("app_id")]}},
                "token_file": {"not": _has("app_id")},
            },
        }
    )

    url: ApiUrl = Field(
        default="https://api.github.com",
        description="Address of the API; of GitHub Enterprise Server `https://HOST/api/v3`.",
    )
    token_env: Variable | None = Field(
        default=None,
        description="Name of the environment variable that holds the token. Without it and "
        "without the other ways, `GITHUB_TOKEN`, then `GH_TOKEN`.",
    )
    token_file: FilePath | None = Field(default=None, description="File that holds the token.")
    app_id: Text | None = Field(
        default=None,
        description="Id, or client id, of a GitHub App; needs `app_key_file`. Its installation "
        "is found by itself.",
    )
    app_key_file: FilePath | None = Field(
        default=None, description="PEM file with the private key of the App."
    )
    write_by: Literal["api", "git"] = Field(
        default="api",
        description="How commits get there: `api` shows those of an App as verified; `git` "
        "clones, signs and pushes.",
    )
    rate_limits: bool = Field(
        default=True,
        description="Keep to the limits of github.com; GitHub Enterprise Server may have none.",
    )

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        ways = (self.token_env, self.token_file, self.app_id)
        if sum(way is not None for way in ways) > 1:
            raise ValueError("has several of token_env, token_file and app_id; keep one")
        if (self.app_id is None) != (self.app_key_file is None):
            raise ValueError("needs both app_id and app_key_file, or neither")
        return self


class SigningConfig(Model):
    """How commits are signed that are made by git."""

    format: Literal["ssh", "gpg"] = Field(description="Kind of the key.")
    key: Text = Field(description="File of the SSH key, or id of the GPG key.")


class ReposConfig(Model):
    """Which repos of an owner count."""

    names: Many[Text] = Field(
        default=(), description="Globs on their names; without any, all: `api-*`."
    )
    topics: Many[Text] = Field(default=(), description="Only repos that have one of these topics.")


Overridable = Literal[
    "enabled",
    "ignore",
    "exclude",
    "pin",
    "group",
    "groups",
    "labels",
    "reviewers",
    "assignees",
    "draft",
    "automerge",
    "automerge_without_checks",
    "rebase",
    "schedule",
    "freeze",
    "commit",
]
