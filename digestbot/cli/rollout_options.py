"""The options of `digestbot rollout plan`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import click

from digestbot.cli.options import Decorated, option
from digestbot.cli.rollout_types import DIGEST, DURATION, OWNER, SHARE, TAG, WAVES
from digestbot.image import Digest, ImageTag


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """The command line, as typed; None where the configuration decides."""

    image: str
    config: Path | None
    no_config: bool
    digests_now: tuple[Digest, ...]
    behind: timedelta | None
    orgs: tuple[str, ...]
    repos: tuple[str, ...]
    topics: tuple[str, ...]
    paths: tuple[str, ...]
    owners: tuple[str, ...]
    to_digest: Digest | None
    to: ImageTag | None
    canary: tuple[str, ...]
    canary_topic: str | None
    canary_count: int | None
    waves: tuple[int, ...] | None
    per_owner: int | None
    soak: timedelta | None
    passed: float | None
    failed: float | None
    approve: bool | None
    probe: bool | None
    severity: str
    pending: int | None
    per_hour: int | None
    comment_after: timedelta | None
    reviewers_after: timedelta | None
    merge_after: timedelta | None
    watch_for: timedelta | None
    by: str
    digests: Path | None
    report_format: str
    output: Path | None


_CHOICE = "Which pins (all that is said must hold)"
_WAVES = "Waves"
_GATES = "Between waves"
_PACE = "Pace and deadlines"


OPTIONS = (
    option(
        "--digest",
        "digests_now",
        callback=DIGEST,
        multiple=True,
        heading=_CHOICE,
        env="ROLLOUT_DIGEST",
        metavar="SHA256",
        help="Only what pins this digest now. May be repeated.",
    ),
    option(
        "--behind",
        callback=DURATION,
        heading=_CHOICE,
        env="ROLLOUT_BEHIND",
        metavar="TIME",
        help="Only what is behind its tag for so long (30d); 0s is whatever is not current.",
    ),
    option(
        "--org",
        "orgs",
        multiple=True,
        heading=_CHOICE,
        env="ROLLOUT_ORG",
        metavar="NAME",
        help="Only repos of this organization or user. May be repeated.",
    ),
    option(
        "--repo",
        "repos",
        multiple=True,
        heading=_CHOICE,
        env="ROLLOUT_REPO",
        metavar="GLOB",
        help="Only repos of such a name (acme/api-*). May be repeated.",
    ),
    option(
        "--topic",
        "topics",
        multiple=True,
        heading=_CHOICE,
        env="ROLLOUT_TOPIC",
        metavar="NAME",
        help="Only repos with this topic. May be repeated.",
    ),
    option(
        "--path",
        "paths",
        multiple=True,
        heading=_CHOICE,
        env="ROLLOUT_PATH",
        metavar="GLOB",
        help="Only files of such a path (services/**). May be repeated.",
    ),
    option(
        "--owner",
        "owners",
        multiple=True,
        callback=OWNER,
        heading=_CHOICE,
        env="ROLLOUT_OWNER",
        metavar="NAME",
        help="Only files that CODEOWNERS gives to one of these (@acme/web). May be repeated.",
    ),
    option(
        "--to-digest",
        callback=DIGEST,
        heading="The digest",
        env="ROLLOUT_TO_DIGEST",
        metavar="SHA256",
        help="What they get, in place of what the tag has now; the registry must have it.",
    ),
    option(
        "--to",
        callback=TAG,
        heading="The digest",
        env="ROLLOUT_TO",
        metavar="IMAGE:TAG",
        help="The tag that they follow from then on, with the digest that it has now.",
    ),
    option(
        "--canary",
        multiple=True,
        heading=_WAVES,
        env="ROLLOUT_CANARY",
        metavar="GLOB",
        help="Repos that come first (acme/canary-*). May be repeated.",
    ),
    option(
        "--canary-topic",
        heading=_WAVES,
        env="ROLLOUT_CANARY_TOPIC",
        metavar="NAME",
        help="Repos with this topic come first, too.",
    ),
    option(
        "--canary-count",
        type=click.IntRange(0, 1000),
        heading=_WAVES,
        env="ROLLOUT_CANARY_COUNT",
        metavar="N",
        help="So many come first where none of those is meant. [default: 1]",
    ),
    option(
        "--waves",
        callback=WAVES,
        heading=_WAVES,
        env="ROLLOUT_WAVES",
        metavar="PERCENTS",
        help="How many percent are reached with each wave after that. [default: 10,50,100]",
    ),
    option(
        "--per-owner",
        type=click.IntRange(0),
        heading=_WAVES,
        env="ROLLOUT_PER_OWNER",
        metavar="N",
        help="So many repos of one owner in a wave at most, the last one apart.",
    ),
    option(
        "--soak",
        callback=DURATION,
        heading=_GATES,
        env="ROLLOUT_SOAK",
        metavar="TIME",
        help="Wait so long after the last pull request of a wave. [default: 1h]",
    ),
    option(
        "--passed",
        callback=SHARE,
        heading=_GATES,
        env="ROLLOUT_PASSED",
        metavar="SHARE",
        help="So many must be merged or green. [default: 90%]",
    ),
    option(
        "--failed",
        callback=SHARE,
        heading=_GATES,
        env="ROLLOUT_FAILED",
        metavar="SHARE",
        help="So many may fail; beyond it the rollout halts, after the canary from two repos on. "
        "[default: 10%]",
    ),
    option(
        "--approve/--no-approve",
        default=None,
        heading=_GATES,
        env="ROLLOUT_APPROVE",
        help="Somebody must approve what comes after each wave.",
    ),
    option(
        "--probe/--no-probe",
        default=None,
        heading=_GATES,
        env="ROLLOUT_PROBE",
        help="The address in the configuration is asked, too.",
    ),
    option(
        "--severity",
        type=click.Choice(["normal", "critical"]),
        default="normal",
        show_default=True,
        heading=_GATES,
        env="ROLLOUT_SEVERITY",
        help="What is critical does not soak; every other limit holds.",
    ),
    option(
        "--pending",
        type=click.IntRange(1),
        heading=_PACE,
        env="ROLLOUT_PENDING",
        metavar="N",
        help="So many pull requests with checks under way at most. [default: 50]",
    ),
    option(
        "--per-hour",
        type=click.IntRange(5),
        heading=_PACE,
        env="ROLLOUT_PER_HOUR",
        metavar="N",
        help="So many writes in an hour; a pull request takes about 5. [default: 450]",
    ),
    option(
        "--comment-after",
        callback=DURATION,
        heading=_PACE,
        env="ROLLOUT_COMMENT_AFTER",
        metavar="TIME",
        help="Comment on pull requests that are open for so long.",
    ),
    option(
        "--reviewers-after",
        callback=DURATION,
        heading=_PACE,
        env="ROLLOUT_REVIEWERS_AFTER",
        metavar="TIME",
        help="Then ask the owners of the files for a review.",
    ),
    option(
        "--merge-after",
        callback=DURATION,
        heading=_PACE,
        env="ROLLOUT_MERGE_AFTER",
        metavar="TIME",
        help="Then merge them, past what they wait for; the configuration must allow it.",
    ),
    option(
        "--watch-for",
        callback=DURATION,
        heading=_PACE,
        env="ROLLOUT_WATCH_FOR",
        metavar="TIME",
        help="Notice for so long who goes back afterwards. [default: 7d]",
    ),
    option(
        "--digests",
        type=click.Path(path_type=Path),
        heading="Network",
        env="DIGESTS",
        metavar="FILE",
        help="Take the digests from this JSON file instead of asking registries.",
    ),
    option(
        "--format",
        "report_format",
        type=click.Choice(["text", "json", "markdown"]),
        default="text",
        show_default=True,
        heading="Output",
        env="FORMAT",
        help="The plan's format; markdown is for a change request.",
    ),
    option(
        "--output",
        type=click.Path(path_type=Path),
        heading="Output",
        env="OUTPUT",
        metavar="FILE",
        help="Write the plan to a file instead of stdout.",
    ),
)


def plan_options(command: Decorated) -> Decorated:
    """Declare all of them on a command."""
    for add in reversed(OPTIONS):
        command = add(command)
    return command
