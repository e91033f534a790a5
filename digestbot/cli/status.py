"""`digestbot status`: what the service knows, and what of it needs somebody."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from digestbot.cli.exits import Exit
from digestbot.cli.options import GroupedCommand, common, option
from digestbot.cli.output import emit
from digestbot.cli.settings import check_trust, config_options, load
from digestbot.cli.terminal import Terminal
from digestbot.clock import Clock
from digestbot.config.models import Settings
from digestbot.errors import UsageError
from digestbot.report.style import Style
from digestbot.service import status_json, status_text
from digestbot.service.status import read_status
from digestbot.service.status_contract import StatusReport
from digestbot.store.database import Database
from digestbot.store.location import location_of

FORMATS: Final[dict[str, Callable[[StatusReport, Style], str]]] = {
    "text": status_text.render,
    "json": status_json.render,
}


@click.command("status", cls=GroupedCommand)
@config_options
@option(
    "--format",
    "report_format",
    type=click.Choice(list(FORMATS)),
    default="text",
    show_default=True,
    heading="Output",
    env="FORMAT",
    help="The report's format.",
)
@common
@click.pass_context
def command(
    context: click.Context, config: Path | None, no_config: bool, report_format: str
) -> int:
    """Show what the service knows, and what of it needs attention.

    It reads the state and asks nobody. Exit code 4 where no run was made yet.
    """
    terminal = Terminal.of(context)
    terminal.start_logging()
    loaded = load(context, config=config, no_config=no_config, keys={})
    check_trust(context, loaded)
    report = _read(loaded.settings)
    style = Style(terminal.width, terminal.colorful(sys.stdout), terminal.verbosity)
    emit(FORMATS[report_format](report, style), None, color=style.color)
    return Exit.OK


def _read(settings: Settings) -> StatusReport:
    if settings.state is None:
        raise UsageError(
            "the configuration names no state",
            hint="name a file with --config, and write in it: state: {folder: /var/lib/digestbot}",
        )
    location = location_of(settings.state, os.environ)
    with closing(Database.open(location, must_exist=True)) as database:
        now = datetime.fromtimestamp(Clock().wall(), UTC)
        return read_status(database, settings, now)
