"""`digestbot run`: one full cycle over the configured targets, for cron and CronJobs."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from pathlib import Path

import click

from digestbot.cli.exits import Exit
from digestbot.cli.logged import logged
from digestbot.cli.options import GroupedCommand, common, option
from digestbot.cli.output import emit
from digestbot.cli.progress import RepoProgress
from digestbot.cli.rolling import rounds_of
from digestbot.cli.serving import serving
from digestbot.cli.settings import config_option
from digestbot.cli.stopping import STOP_S, stopping
from digestbot.cli.terminal import Terminal
from digestbot.cli.update import FORMATS
from digestbot.proposals.outcome import RepoOutcome
from digestbot.proposals.proposal import Writer
from digestbot.proposals.report_account import Account
from digestbot.report.style import Style
from digestbot.report.summary import plural
from digestbot.service.cycle import CycleResult
from digestbot.service.logs import Event, get_log
from digestbot.store.runs import RunState

_EXITS = {RunState.DONE: Exit.OK, RunState.STOPPED: Exit.INTERRUPTED}
_ASKER = "digestbot run"
_log = get_log(__name__)


@click.command("run", cls=GroupedCommand)
@config_option
@option(
    "--digests",
    type=click.Path(path_type=Path),
    heading="Network",
    env="DIGESTS",
    metavar="FILE",
    help="Take the digests from this JSON file instead of asking registries.",
)
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
    context: click.Context, /, *, config: Path | None, digests: Path | None, report_format: str
) -> int:
    """Do one full cycle over the configured targets, and exit.

    It lists their repos, asks about each image once, and works on the repos where anything
    moved, as one cycle of `digestbot serve` does; then each rollout that was started goes one
    step on. The report is about those repos only.
    """
    terminal = Terminal.of(context)
    account, start = Account(keeps_current=False), time.perf_counter()
    progress = RepoProgress(shown=terminal.shows_progress)
    with ExitStack() as stack:
        # Who reads the log has it all from there, each line in the same form.
        is_json = stack.enter_context(logged(terminal, has_report=True))
        say = _log_stopping if is_json else terminal.say
        served = stack.enter_context(serving(context, config=config, digests=digests))
        stop = stack.enter_context(stopping(say, STOP_S))
        bar = stack.enter_context(progress)

        def told(outcome: RepoOutcome, writer: Writer | None) -> None:
            bar.repo_done(outcome.name, len(outcome.verdicts))
            account.add(outcome, writer)

        result = served.cycle(stop, told, asked_by=[_ASKER])
        rounds_of(served).all(stop)
        limiter = served.forges.limiter
    for problem in result.problems:
        account.fail(problem)
    calls = limiter.calls if limiter else 0
    report = account.report(
        duration_s=time.perf_counter() - start,
        calls=calls or None,
        lookups=result.counts.get("lookups", 0),
    )
    if not is_json:
        _say(result, terminal)
    style = Style(terminal.width, terminal.colorful(sys.stdout), terminal.verbosity)
    emit(FORMATS[report_format](report, style), None, color=style.color)
    return _EXITS.get(result.state, Exit.INCOMPLETE)


def _log_stopping(message: str) -> None:
    _log.info(Event.SERVICE_STOPPING, message=message)


def _say(result: CycleResult, terminal: Terminal) -> None:
    """What the report, which is about the repos that were worked on, does not tell."""
    counts = result.counts
    terminal.say(
        f"{plural(counts.get('listed', 0), 'repo')} listed, "
        f"{plural(counts.get('lookups', 0), 'image')} looked up; "
        f"{plural(counts.get('updated', 0), 'repo')} worked on"
    )
    if result.state is RunState.STOPPED:
        terminal.say("it was asked to end; the other repos are left for the next run")
