"""The options of `digestbot scan`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from digestbot.cli.options import Decorated, option
from digestbot.report.formats import REPORTS


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """The command line, as typed; what a configuration can say too is in `Settings`."""

    paths: tuple[str, ...]
    config: Path | None
    no_config: bool
    names: tuple[str, ...]
    topics: tuple[str, ...]
    exclude: tuple[str, ...]
    pin: bool
    offline: bool
    digests: Path | None
    record: Path | None
    fail_on: list[str] | None
    write: bool
    diff: bool
    report_format: str
    output: Path | None
    jobs: int | None
    timeout: float | None
    allow_private: bool


def _split(_context: click.Context, _option: click.Parameter, value: str | None) -> Any:
    """Read `stale,unpinned`; `never` is none at all."""
    if value is None:
        return None
    return [name.strip() for name in value.split(",")] if value != "never" else []


REPO_OPTIONS = (
    option(
        "--name",
        "names",
        multiple=True,
        heading="Input",
        env="NAME",
        metavar="GLOB",
        help="Of an owner, only repos called like this (api-*). May be repeated.",
    ),
    option(
        "--topic",
        "topics",
        multiple=True,
        heading="Input",
        env="TOPIC",
        metavar="TOPIC",
        help="Of an owner, only repos with this topic. May be repeated; one of them is enough.",
    ),
)
"""Which repos of an owner; `digestbot update` has them too."""
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
        "--pin",
        is_flag=True,
        heading="Scan",
        env="PIN",
        help="Also give a digest to references that have none.",
    ),
    option(
        "--offline",
        is_flag=True,
        heading="Scan",
        env="OFFLINE",
        help="Ask nobody: list what is there.",
    ),
    option(
        "--digests",
        type=click.Path(path_type=Path),
        heading="Scan",
        env="DIGESTS",
        metavar="FILE",
        help="Take the digests from this JSON file instead of asking registries.",
    ),
    option(
        "--record",
        type=click.Path(path_type=Path),
        heading="Scan",
        env="RECORD",
        metavar="FILE",
        help="Write the registries' answers to a JSON file that --digests reads.",
    ),
    option(
        "--fail-on",
        callback=_split,
        heading="Scan",
        env="FAIL_ON",
        metavar="LIST",
        help="Exit with 1 for these findings: stale, unpinned, held, skipped, separated by "
        "commas; or never. [default: stale]",
    ),
    option(
        "--write",
        is_flag=True,
        heading="Change",
        env="WRITE",
        help="Rewrite the digests in the files.",
    ),
    option(
        "--diff",
        is_flag=True,
        heading="Change",
        env="DIFF",
        help="Print the changes as a diff that git apply takes, instead of a report.",
    ),
    option(
        "--format",
        "report_format",
        type=click.Choice(list(REPORTS)),
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
    option(
        "--jobs",
        type=int,
        heading="Network",
        env="JOBS",
        metavar="N",
        help="Lookups at the same time. [default: 16]",
    ),
)


def scan_options(command: Decorated) -> Decorated:
    """Declare all of them on a command."""
    for add in reversed((*REPO_OPTIONS, *OPTIONS)):
        command = add(command)
    return command
