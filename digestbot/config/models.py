"""The models of the configuration: every key, its type, its default, what it means.

The descriptions become the reference documentation and the JSON Schema. No input or output
happens here; relative paths are joined to `info.context["folder"]` where the loader gives one.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from digestbot.config.dashboard import DashboardConfig, ProxyConfig, UserConfig
from digestbot.config.fields import (
    MOST,
    Day,
    DigestText,
    FailOn,
    FilePath,
    Host,
    ImageGlob,
    Label,
    Login,
    Many,
    Model,
    PathGlob,
    Prefix,
    Reviewer,
    Slug,
    Specifier,
    TargetWord,
    Text,
    Username,
    Variable,
)
from digestbot.config.hooks import HookConfig
from digestbot.config.proposing import (
    CommitConfig,
    FreezeConfig,
    GitHubConfig,
    LimitsConfig,
    Overridable,
    ReposConfig,
    ScheduleConfig,
    SigningConfig,
)
from digestbot.config.rollout import RolloutConfig
from digestbot.config.serving import HoldConfig, NotifyConfig, ServiceConfig, StateConfig


class IgnoreRule(Model):
    """Images that are left alone: where, why and until when."""

    image: ImageGlob = Field(
        description="Glob on the full image name, with or without its tag: "
        "`docker.io/library/debian`, `ghcr.io/acme/*`, `docker.io/library/python:3.1*`. "
        "`*` also matches `/`."
    )
    path: PathGlob | None = Field(
        default=None,
        description="Glob on the path of the file, relative to the scanned folder. "
        "Without it the rule holds everywhere.",
    )
    reason: Text | None = Field(
        default=None, description="Why, in your words; reports repeat it beside the finding."
    )
    until: Day | None = Field(
        default=None,
        description="The last day on which the rule holds (`2027-01-31`). "
        "Without it the rule holds for ever.",
    )

    @property
    def by(self) -> str:
        """Whose rule it is, as the end of a sentence."""
        return "the configuration"


class RegistryConfig(Model):
    """How one registry is asked: credentials, certificates, limits."""

    # The same pairs as _check_pairs, for editors.
    model_config = ConfigDict(
        json_schema_extra={
            "dependentRequired": {
                "password_env": ["username"],
                "password_file": ["username"],
                "client_key": ["client_cert"],
            },
            "dependentSchemas": {
                "username": {
                    "oneOf": [{"required": ["password_env"]}, {"required": ["password_file"]}]
                }
            },
        }
    )

    username: Username | None = Field(
        default=None,
        description="User or robot account to log in with; needs `password_env` or "
        "`password_file`. Without it, the logins of docker and podman are used.",
    )
    password_env: Variable | None = Field(
        default=None, description="Name of the environment variable that holds the password."
    )
    password_file: FilePath | None = Field(
        default=None,
        description="File that holds the password; one line break at its end is dropped.",
    )
    ca_file: FilePath | None = Field(
        default=None,
        description="PEM file with the certificate authorities to trust for this registry, "
        "in place of the system's.",
    )
    client_cert: FilePath | None = Field(
        default=None, description="PEM file with the client certificate to present."
    )
    client_key: FilePath | None = Field(
        default=None,
        description="PEM file with the key of `client_cert`, where it is not in the same file.",
    )
    http: bool = Field(
        default=False,
        description="Ask without TLS. Anyone on the way can read credentials and change "
        "answers; loopback hosts need no such permission.",
    )
    token_hosts: Many[Host] = Field(
        default=(),
        description="Further hosts that this registry may name as its token server, and that "
        "are then sent its credentials.",
    )
    concurrency: int = Field(
        default=8, ge=1, le=64, description="How many questions may be open at a time."
    )

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        if self.password_env is not None and self.password_file is not None:
            raise ValueError("has both password_env and password_file; keep one")
        has_password = self.password_env is not None or self.password_file is not None
        if has_password and self.username is None:
            raise ValueError("has a password but no username")
        if self.username is not None and not has_password:
            raise ValueError("has a username but neither password_env nor password_file")
        if self.client_key is not None and self.client_cert is None:
            raise ValueError("has client_key but no client_cert")
        return self


class Settings(Model):
    """The whole configuration."""

    model_config = ConfigDict(title="digestbot configuration")

    requires: Specifier | None = Field(
        default=None,
        description="Versions of digestbot that this file is written for (`>=0.1,<2`); "
        "any other stops with a clear message.",
    )
    exclude: Many[PathGlob] = Field(
        default=(),
        description="Globs on paths that are not scanned, relative to the scanned folder: "
        "`vendor/**`, `**/testdata/**`.",
    )
    pin: bool = Field(
        default=False,
        description="Also give a first digest to references that have none.",
    )
    fail_on: Many[FailOn] = Field(
        default=("stale",),
        description="Findings that make `digestbot scan` exit with code 1; `[]` is none.",
    )
    jobs: int = Field(
        default=16, ge=1, le=64, description="How many lookups may run at a time, over all hosts."
    )
    timeout: float = Field(
        default=30.0, gt=0, le=3600, description="Seconds that one whole lookup may take."
    )
    ignore: Many[IgnoreRule] = Field(
        default=(),
        description="Images to leave alone; reports show them as skipped, with the reason.",
    )
    registries: dict[Host, RegistryConfig] = Field(
        default={},
        json_schema_extra={"propertyNames": {"pattern": "^[^/@]+$"}},
        description="Settings per registry; the key is the host as image names spell it: "
        "`ghcr.io`, `localhost:5000`, `[::1]:5000`; Docker Hub is `docker.io`. A registry that "
        "is named here may be on a private network address; `{}` is enough to say so.",
    )
    allow_private: bool = Field(
        default=False,
        description="Allow every registry to be on a private network address, named here or not.",
    )
    mirrors: dict[Prefix, Prefix] = Field(
        default={},
        json_schema_extra={"propertyNames": {"pattern": "/$"}},
        description="Who is really asked for a name: the beginning of the pinned name on the "
        "left, what stands in its place on the right, both with `/` at the end "
        "(`harbor.corp/hub/: docker.io/`). The longest match counts; files keep what they say.",
    )
    enabled: bool = Field(
        default=True,
        description="Whether `digestbot update` proposes anything; what is open stays as it is.",
    )
    group: Literal["repo", "image"] = Field(
        default="repo", description="One proposal for each repo, or for each image."
    )
    groups: dict[Slug, Many[ImageGlob]] = Field(
        default={},
        json_schema_extra={"propertyNames": {"pattern": "^[a-z0-9-]{1,40}$"}},
        max_length=100,
        description="Named groups, by globs on the image's name; each is a proposal of its own. "
        "What matches none follows `group`.",
    )
    labels: Many[Label] = Field(default=("digestbot",), description="Labels of new pull requests.")
    reviewers: Many[Reviewer] = Field(
        default=(), description="Who is asked for a review: `ann`, or a team `acme/platform`."
    )
    assignees: Many[Login] = Field(default=(), description="Who is assigned.")
    draft: bool = Field(default=False, description="Open pull requests as drafts.")
    automerge: bool = Field(
        default=False,
        description="Have pull requests merged: by GitHub's auto-merge, or, where that is off, "
        "by digestbot once there are checks and all are green.",
    )
    automerge_without_checks: bool = Field(
        default=False,
        description="Merge where there are no checks at all, too. Nothing has then looked at "
        "the new image.",
    )
    rebase: Literal["conflict", "behind", "never"] = Field(
        default="conflict",
        description="When a branch is built anew on its base: on conflict, whenever the base "
        "moved, or never.",
    )
    schedule: ScheduleConfig | None = Field(
        default=None, description="When new proposals may be opened; without it, at any time."
    )
    freeze: Many[FreezeConfig] = Field(
        default=(),
        description="Days on which nothing new is opened, whatever `schedule` says; in its time "
        "zone, or UTC.",
    )
    commit: CommitConfig = Field(
        default_factory=CommitConfig, description="How titles and commits read."
    )
    limits: LimitsConfig = Field(
        default_factory=LimitsConfig, description="How many proposals there may be."
    )
    overridable: Many[Overridable] = Field(
        default=(
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
            "rebase",
            "schedule",
            "freeze",
        ),
        description="Keys that a repo's own configuration may decide, in a run over repos on a "
        "forge. `ignore`, `exclude` and `freeze` add to what stands here, the others replace it. "
        "`automerge_without_checks` is not among them unless you name it: whoever may write to "
        "a repo would decide alone that nothing looks at what is merged.",
    )
    github: GitHubConfig = Field(
        default_factory=GitHubConfig, description="Which GitHub, and as whom."
    )
    signing: SigningConfig | None = Field(
        default=None, description="How commits are signed that git makes; without it, not at all."
    )
    repos: ReposConfig = Field(
        default_factory=ReposConfig, description="Which repos of an owner count."
    )
    cache: FilePath | None = Field(
        default=None,
        description="Folder for files of repos that were read before. "
        "[default: `digestbot` in the user's cache folder]",
    )

    hold: HoldConfig = Field(default_factory=HoldConfig, description="What is held back.")
    deny: Many[DigestText] = Field(
        default=(),
        description="Digests that are never proposed; who pins one is shown first.",
    )
    targets: Many[TargetWord] = Field(
        default=(),
        description="What `digestbot serve` and `digestbot run` watch: `github:acme`, "
        "`github:acme/app`.",
    )
    state: StateConfig | None = Field(
        default=None,
        description="Where the state is kept. `serve` and `run` need it; `scan` and `update` take "
        "the history of digests from it.",
    )
    service: ServiceConfig = Field(
        default_factory=ServiceConfig, description="How `digestbot serve` works."
    )
    notify: Many[NotifyConfig] = Field(default=(), description="Who is told of what changed.")
    hooks: Many[HookConfig] = Field(
        default=(),
        description="Who may say that something moved: `digestbot serve` then looks at it at once.",
    )
    dashboard: DashboardConfig = Field(
        default_factory=DashboardConfig, description="Who may look at the dashboard, and act."
    )
    rollout: RolloutConfig = Field(
        default_factory=RolloutConfig, description="How rollouts go, and how far one may reach."
    )

    @field_validator("hooks")
    @classmethod
    def _check_hooks(cls, hooks: tuple[HookConfig, ...]) -> tuple[HookConfig, ...]:
        for name, count in Counter(hook.name for hook in hooks).items():
            if count > 1:
                raise ValueError(f"has {count} hooks that are called {name}")
        return hooks

    @field_validator("groups")
    @classmethod
    def _check_groups(cls, groups: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        if sum(map(len, groups.values())) > MOST:
            raise ValueError(f"must have at most {MOST} globs in all groups together")
        return groups


# The sections, by the key of the configuration that holds them or a list or mapping of them.
SECTIONS: dict[str, type[Model]] = {
    "ignore": IgnoreRule,
    "registries": RegistryConfig,
    "schedule": ScheduleConfig,
    "commit": CommitConfig,
    "limits": LimitsConfig,
    "github": GitHubConfig,
    "signing": SigningConfig,
    "repos": ReposConfig,
    "freeze": FreezeConfig,
    "hold": HoldConfig,
    "state": StateConfig,
    "service": ServiceConfig,
    "notify": NotifyConfig,
    "hooks": HookConfig,
    "dashboard": DashboardConfig,
    "dashboard.users": UserConfig,
    "dashboard.proxy": ProxyConfig,
    "rollout": RolloutConfig,
}
