"""The section of the configuration about rollouts: how they go, and how far one may reach."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Final, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from digestbot.config.fields import Duration, FilePath, HttpUrl, Many, Model, Text, Variable

ALL: Final = 100
"""Percent."""
_ISSUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}", re.ASCII)


def check_waves(percents: Sequence[int]) -> tuple[int, ...]:
    """How many percent of the repos are reached with each wave."""
    rising = all(one < other for one, other in pairwise(percents))
    if not percents or percents[0] < 1 or percents[-1] != ALL or not rising:
        raise ValueError("must rise from 1 or more to 100, such as 10, 50, 100")
    return tuple(percents)


def _check_repo(text: str) -> str:
    if not _ISSUE.fullmatch(text):
        raise ValueError("is not a repo, such as acme/platform")
    return text


class RolloutConfig(Model):
    """How `digestbot rollout` goes about it where the command line does not say."""

    # The same pairs as _check_probe, for editors.
    model_config = ConfigDict(
        json_schema_extra={
            "not": {"required": ["probe_url", "probe_url_env"]},
            "dependentSchemas": {
                "probe_url_file": {
                    "not": {"anyOf": [{"required": ["probe_url"]}, {"required": ["probe_url_env"]}]}
                }
            },
        }
    )

    canary: Many[Text] = Field(
        default=(),
        description="Globs on `org/name`: repos that come first, such as `acme/canary-*`.",
    )
    canary_topic: Text | None = Field(
        default=None, description="Repos with this topic come first, too."
    )
    canary_count: int = Field(
        default=1,
        ge=0,
        le=1000,
        description="So many repos come first where none of those above is meant.",
    )
    waves: Annotated[Many[int], AfterValidator(check_waves)] = Field(
        default=(10, 50, 100),
        json_schema_extra={"minItems": 1},
        description="About how many percent of the repos are reached with each wave after that.",
    )
    per_owner: int = Field(
        default=0,
        ge=0,
        description="So many repos of one owner in a wave at most, the last one apart; 0 for no "
        "limit. A repo is the first owner's whom CODEOWNERS names, or else its organization's.",
    )
    soak: Duration = Field(
        default=timedelta(hours=1),
        json_schema_extra={"default": "1h"},
        description="How long a wave is waited for after its last pull request was opened.",
    )
    passed: float = Field(
        default=0.9, ge=0, le=1, description="The share of repos that must be merged or green."
    )
    failed: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="The share of repos that may fail; beyond it the rollout halts, after the "
        "canary from two repos on.",
    )
    approve: bool = Field(
        default=False, description="Whether somebody must approve each wave after the canary."
    )
    probe: bool = Field(
        default=False,
        description="Whether an address of yours is asked before each wave after the canary.",
    )
    probe_url: HttpUrl | None = Field(
        default=None, description="Which one, where the address itself is no secret."
    )
    probe_url_env: Variable | None = Field(
        default=None, description="Name of the environment variable that holds the address."
    )
    probe_url_file: FilePath | None = Field(
        default=None, description="File that holds the address."
    )
    pending: int = Field(
        default=50,
        ge=1,
        description="So many pull requests with checks under way at most: CI has limits, too.",
    )
    per_minute: int = Field(
        default=60, ge=5, description="Writes in a minute; a pull request takes about five."
    )
    per_hour: int = Field(default=450, ge=5, description="Writes in an hour.")
    comment_after: Duration | None = Field(
        default=None,
        description="A pull request that is open for so long is commented on; without it, none is.",
    )
    reviewers_after: Duration | None = Field(
        default=None, description="After so long owners of the files are asked for a review."
    )
    merge_after: Duration | None = Field(
        default=None,
        description="After so long it is merged, past what it waits for; needs `allow_merge`.",
    )
    allow_merge: bool = Field(
        default=False, description="Whether a plan may have pull requests merged by a deadline."
    )
    watch_for: Duration = Field(
        default=timedelta(days=7),
        json_schema_extra={"default": "7d"},
        description="How long repos that go back are noticed, once all waves are through.",
    )
    most_share: float = Field(
        default=0.3,
        gt=0,
        le=1,
        description="A plan that reaches a larger share of all repos is started with `--large`.",
    )
    most_repos: int = Field(
        default=1000, ge=1, description="A plan that reaches more repos is, too."
    )
    issue: Annotated[str, AfterValidator(_check_repo)] | None = Field(
        default=None,
        description="The repo in which each rollout has an issue that tells how it stands: "
        "`acme/platform`. Without it there is none.",
    )

    @model_validator(mode="after")
    def _check_probe(self) -> Self:
        ways = (self.probe_url, self.probe_url_env, self.probe_url_file)
        given = sum(way is not None for way in ways)
        if given > 1:
            raise ValueError("has several of probe_url, probe_url_env and probe_url_file; keep one")
        if self.probe and not given:
            raise ValueError("has a probe but no probe_url, probe_url_env or probe_url_file")
        if self.merge_after is not None and not self.allow_merge:
            raise ValueError("has merge_after without allow_merge: true")
        return self
