"""The options of `digestbot update`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from digestbot.cli.options import Decorated, option
from digestbot.cli.scan_options import REPO_OPTIONS


@dataclass(frozen=True, slots=True)
class UpdateOptions:
    """The command line, as typed; what a configuration can say too is in `Settings`."""

    targets: tuple[str, ...]
    config: Path | None
    no_config: bool
    names: tuple[str, ...]
    topics: tuple[str, ...]
    exclude: tuple[str, ...]
    dry_run: bool
    pin: bool
    group: str | None
    draft: bool
    write_by: str | None
    limit: int | None
    max_wait: float
    digests: Path | None
    report_format: str
    output: Path | None
    timeout: float | None
    allow_private: bool


OPTIONS = (
    option(
        "--exclude",
        multiple=True,
        heading="Input",
        env="EXCLUDE",
        metavar="GLOB",
        help="Leave out paths like this (vendor, test/**). May be repeated.",
    ),
    option(
        "--dry-run",
        is_flag=True,
        heading="Proposals",
        env="DRY_RUN",
        help="Write nothing: print each proposal with title, body and diff.",
    ),
    option(
        "--pin",
        is_flag=True,
        heading="Proposals",
        env="PIN",
        help="Also give a digest to references that have none.",
    ),
    option(
        "--group",
        type=click.Choice(["repo", "image"]),
        heading="Proposals",
        env="GROUP",
        help="One proposal for each repo, or for each image. [default: repo]",
    ),
    option(
        "--draft",
        is_flag=True,
        heading="Proposals",
        env="DRAFT",
        help="Open pull requests as drafts.",
    ),
    option(
        "--write-by",
        type=click.Choice(["api", "git"]),
        heading="Proposals",
        env="WRITE_BY",
        help="How commits get to GitHub: api shows those of an App as verified, git clones, "
        "signs as configured, and pushes. [default: api]",
    ),
    option(
        "--limit",
        type=click.IntRange(min=0),
        heading="Limits",
        env="LIMIT",
        metavar="N",
        help="Open at most so many new pull requests in this run.",
    ),
    option(
        "--max-wait",
        type=click.FloatRange(min=0),
        default=30.0,
        show_default=True,
        heading="Limits",
        env="MAX_WAIT",
        metavar="SECONDS",
        help="Wait at most so long for GitHub's limits; what takes longer is left for the "
        "next run, with exit code 5.",
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
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        heading="Output",
        env="FORMAT",
        help="The report's format.",
    ),
    option(
        "--output",
        type=click.Path(path_type=Path),
        heading="Output",
        env="OUTPUT",
        metavar="FILE",
        help="Write the report to a file instead of stdout.",
    ),
)


def update_options(command: Decorated) -> Decorated:
    """Declare all of them on a command."""
    for add in reversed((*REPO_OPTIONS, *OPTIONS)):
        command = add(command)
    return command
