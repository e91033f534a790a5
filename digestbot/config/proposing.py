"""The sections of the configuration about proposals, and about the forges they go to."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from digestbot.config.fields import (
    Cron,
    FilePath,
    Many,
    Model,
    Signoff,
    Text,
    Title,
    Variable,
    Zone,
)

MOST_CRONS = 100


class ScheduleConfig(Model):
    """When new proposals may be opened; what is open is kept up to date at any time."""

    cron: Many[Cron] = Field(
        description="Cron expressions of five fields; proposals are opened in every minute that "
        "one of them matches: `* 6-18 * * mon-fri`."
    )
    timezone: Zone = Field(default="UTC", description="The time zone of `cron`: `Europe/Berlin`.")

    @model_validator(mode="after")
    def _check_count(self) -> Self:
        if not 0 < len(self.cron) <= MOST_CRONS:
            raise ValueError(f"needs at least one cron expression, and at most {MOST_CRONS}")
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

    url: Text = Field(
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
    "commit",
]
