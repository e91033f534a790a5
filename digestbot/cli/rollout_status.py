"""`digestbot rollout status`: how rollouts stand, and what somebody may do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click

from digestbot.cli.exits import Exit
from digestbot.cli.options import GroupedCommand, common, option
from digestbot.cli.output import emit
from digestbot.cli.redrawing import check_screen, redraw
from digestbot.cli.rollout_state import now, opened
from digestbot.cli.rollout_verbs import named_config
from digestbot.cli.settings import config_options
from digestbot.cli.terminal import Terminal
from digestbot.errors import UsageError
from digestbot.report.style import Style
from digestbot.rollout.machine import State
from digestbot.service.rollouts import standing_json, standing_markdown, standing_text
from digestbot.service.rollouts.standing_contract import RolloutReport, RolloutsReport
from digestbot.service.rollouts.standing_report import read_rollout, read_rollouts
from digestbot.store.database import Database
from digestbot.store.rollouts import OVER

ONE: Final[Mapping[str, Callable[[RolloutReport, Style], str]]] = {
    "text": standing_text.render,
    "json": standing_json.render,
    "markdown": standing_markdown.render,
}
ALL: Final[Mapping[str, Callable[[RolloutsReport, Style], str]]] = {
    "text": standing_text.render_list,
    "json": standing_json.render,
    "markdown": standing_markdown.render_list,
}
_SOONEST_S = 1.0


@click.command("status", cls=GroupedCommand)
@click.argument("name", metavar="[ID]", required=False, default="")
@config_options
@option(
    "--format",
    "report_format",
    type=click.Choice(list(ONE)),
    default="text",
    show_default=True,
    heading="Output",
    env="FORMAT",
    help="The report's format.",
)
@option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    heading="Output",
    env="OUTPUT",
    metavar="FILE",
    help="Write the report to this file, whole or not at all.",
)
@option(
    "--watch",
    is_flag=True,
    heading="Output",
    env="WATCH",
    help="Draw it again and again, until it is over or Ctrl-C.",
)
@option(
    "--every",
    type=click.FloatRange(min=_SOONEST_S),
    default=5.0,
    show_default=True,
    heading="Output",
    env="EVERY",
    metavar="SECONDS",
    help="How often --watch draws.",
)
@common
@click.pass_context
def status(
    context: click.Context,
    name: str,
    config: Path | None,
    no_config: bool,
    report_format: str,
    output: Path | None,
    watch: bool,
    every: float,
) -> int:
    """Show how rollouts stand, and what somebody may do.

    Without ID all of them, the newest first; ID may be the beginning of one. It reads the
    state and asks nobody. Exit code 1 where the rollout of this ID is halted, 4 where there
    is none at all.
    """
    if watch:
        _check_watch(report_format, output)
    terminal = Terminal.of(context)
    with opened(context, config, no_config=no_config) as state:
        page = _Page(state.database, name, report_format, terminal, named_config(context))
        if watch:
            redraw(lambda: (page.text(to_file=False), page.is_over), every)
        else:
            text = page.text(to_file=output is not None)
            emit(text, output, color=terminal.colorful(sys.stdout))
    return Exit.FINDINGS if page.state is State.HALTED else Exit.OK


def _check_watch(report_format: str, output: Path | None) -> None:
    if report_format != "text" or output is not None:
        raise UsageError(
            "--watch draws on the terminal alone", hint="leave --format and --output out"
        )
    check_screen()


@dataclass
class _Page:
    """One rollout, or all of them, as they are when asked for.

    Attributes:
        option: What commands to be copied end with; programs are told commands without it.
        state: That of the one rollout, as it was last.
    """

    database: Database
    name: str
    form: str
    terminal: Terminal
    option: str = ""
    state: State | None = None

    def text(self, *, to_file: bool) -> str:
        """The page; what goes to a file has no colours."""
        color = not to_file and self.terminal.colorful(sys.stdout)
        style = Style(self.terminal.width, color, self.terminal.verbosity)
        if not self.name:
            return ALL[self.form](read_rollouts(self.database, now()), style)
        report = read_rollout(self.database, self.name, now())
        self.state = report.state
        if self.form == "text":
            verbs = [replace(one, command=one.command + self.option) for one in report.verbs]
            report = replace(report, verbs=verbs)
        return ONE[self.form](report, style)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will become of it."""
        return self.state in OVER
