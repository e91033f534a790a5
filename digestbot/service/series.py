"""The series that `/metrics` shows, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["gauge", "counter", "histogram"]


@dataclass(frozen=True, slots=True)
class Series:
    """One metric: its name, what tells its values apart, and a sentence."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()


BUILD: Final = Series(
    "digestbot_build_info", "gauge", "Always 1; the labels say what runs.", ("version", "python")
)
REPOS: Final = Series(
    "digestbot_repos",
    "gauge",
    "Repos that are watched, by state: `live`, `left_out`, `gone`; `with_problems` are those of "
    "the live ones where something went wrong.",
    ("state",),
)
FINDINGS: Final = Series(
    "digestbot_findings", "gauge", "Places where an image stands, by status.", ("status",)
)
FRESH: Final = Series(
    "digestbot_pins_fresh_ratio",
    "gauge",
    "Share of the followed pins that are what their tag is now, from 0 to 1; missing where there "
    "are none.",
)
OLDEST_STALE: Final = Series(
    "digestbot_oldest_stale_seconds",
    "gauge",
    "For how long the tag of a stale pin has its digest, at most; 0 without any.",
)
PROPOSALS: Final = Series("digestbot_proposals", "gauge", "Proposals, by state.", ("state",))
IMAGES_FAILING: Final = Series(
    "digestbot_images_failing", "gauge", "Images that registries give no answer about."
)
ROLLOUT_STATE: Final = Series(
    "digestbot_rollout_state",
    "gauge",
    "Always 1; the label says what a rollout with something left to do is doing.",
    ("rollout", "state"),
)
ROLLOUT_TARGETS: Final = Series(
    "digestbot_rollout_targets",
    "gauge",
    "Repos of the last 20 rollouts with something left to do, by what became of them.",
    ("rollout", "state"),
)
LAST_SUCCESS: Final = Series(
    "digestbot_last_success_timestamp_seconds",
    "gauge",
    "When a cycle last came to its end, in seconds since 1970; missing before the first.",
)
STATE_ERRORS: Final = Series(
    "digestbot_state_errors_total",
    "counter",
    "How often the state could not be read for these metrics; the gauges are missing then.",
)
LOOKUPS: Final = Series(
    "digestbot_lookups_total",
    "counter",
    "Answers of registries, by HTTP status or error; hosts beyond the first 200 are `other`.",
    ("host", "code"),
)
FORGE_CALLS: Final = Series(
    "digestbot_forge_calls_total",
    "counter",
    "Answers of forges, by HTTP status or error.",
    ("host", "code"),
)
RATE_LIMIT: Final = Series(
    "digestbot_rate_limit_remaining",
    "gauge",
    "How much a host may still be asked, as it said last.",
    ("host", "resource"),
)
JOB_SECONDS: Final = Series(
    "digestbot_job_seconds", "histogram", "How long jobs took.", ("job", "result")
)
JOBS_RUNNING: Final = Series("digestbot_jobs_running", "gauge", "Jobs under way, by job.", ("job",))
NOTIFICATIONS: Final = Series(
    "digestbot_notifications_total",
    "counter",
    "Notifications, by what became of them.",
    ("notifier", "result"),
)
HOOKS: Final = Series(
    "digestbot_hooks_total",
    "counter",
    "What was posted to webhooks, by what became of it: `taken`, `seen` before, `ignored` as of "
    "no interest, `refused`, `malformed`, `too_large`, `too_slow`, `cut_off`; hooks that nobody "
    "configured are `unknown`.",
    ("hook", "result"),
)
TAG_MOVES: Final = Series(
    "digestbot_tag_moves_total", "counter", "How often a tag had another digest than before."
)

SERIES: Final = (
    BUILD,
    REPOS,
    FINDINGS,
    FRESH,
    OLDEST_STALE,
    PROPOSALS,
    IMAGES_FAILING,
    LAST_SUCCESS,
    ROLLOUT_STATE,
    ROLLOUT_TARGETS,
    STATE_ERRORS,
    LOOKUPS,
    FORGE_CALLS,
    RATE_LIMIT,
    JOB_SECONDS,
    JOBS_RUNNING,
    NOTIFICATIONS,
    HOOKS,
    TAG_MOVES,
)
