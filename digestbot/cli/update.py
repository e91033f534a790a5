"""`digestbot update`: bring home what a scan finds, as pull requests."""

from __future__ import annotations

import os
import shlex
import sys
import time
from dataclasses import replace
from typing import Any

import click

from digestbot.cli.asking import Asking, asking
from digestbot.cli.exits import Exit
from digestbot.cli.forges import ForgeWords, forge_options
from digestbot.cli.options import WORDS, GroupedCommand, common
from digestbot.cli.output import emit
from digestbot.cli.progress import RepoProgress
from digestbot.cli.runs import Runs
from digestbot.cli.settings import (
    config_options,
    given_keys,
    load_for,
    network_options,
)
from digestbot.cli.targets import parse_target
from digestbot.cli.terminal import Terminal
from digestbot.cli.update_options import UpdateOptions, update_options
from digestbot.config.load import LoadedSettings
from digestbot.errors import NoInputError, UsageError
from digestbot.proposals import report_json, report_text
from digestbot.proposals.budget import Budget, Limits, Room
from digestbot.proposals.fleet import update_repos
from digestbot.proposals.report_account import Account
from digestbot.proposals.report_contract import UpdateReport
from digestbot.proposals.rules import Rulebook
from digestbot.report.style import Style
from digestbot.scan.result import Problem
from digestbot.scan.setup import Setup, make_setup

_OVERRULING = ("group", "draft")
FORMATS = {"text": report_text.render, "json": report_json.render}


@click.command("update", cls=GroupedCommand)
@click.argument("targets", nargs=-1, metavar="TARGET...")
@config_options
@update_options
@network_options
@common
@click.pass_context
def command(context: click.Context, /, **arguments: Any) -> int:
    """Bring updates home as pull requests.

    TARGET is github:owner/repo; github:owner, for every repo of an owner that may be pushed
    to; the https or ssh URL of any git repository, which gets a branch; or a folder, where
    the branch is made in that checkout and nothing else is touched.

    Run it again whenever you like: what is open is kept up to date, nothing is opened twice,
    and what somebody closed is not proposed again.
    """
    terminal = Terminal.of(context)
    terminal.start_logging()
    options = UpdateOptions(**arguments)
    if not options.targets:
        raise UsageError("no target", hint="for the checkout in this folder: digestbot update .")
    report = _update(context, options, terminal)
    _print(report, options, terminal, command=_real_run(context))
    if not report.repos and not report.errors:
        raise NoInputError(
            f"no repo in {', '.join(options.targets)}", hint="check the name, --name and --topic"
        )
    return _exit_code(report)


def _update(context: click.Context, options: UpdateOptions, terminal: Terminal) -> UpdateReport:
    targets = [parse_target(text) for text in options.targets]
    keys = {key: getattr(options, key) for key in ("pin", "timeout", "allow_private", *_OVERRULING)}
    loaded = load_for(
        context, targets, config=options.config, no_config=options.no_config, keys=keys
    )
    setup = make_setup(loaded.settings, os.environ)
    account, start = Account(options.dry_run), time.perf_counter()
    progress = RepoProgress(shown=terminal.shows_progress)
    with asking(setup, options.digests, is_proposing=True) as asked, progress as bar:
        runs = _runs(loaded, replace(setup, policy=asked.policy(setup.policy)), options, asked)
        for outcome in runs.over(targets, asked, update_repos):
            if isinstance(outcome, Problem):
                account.fail(outcome)
            else:
                account.add(outcome, runs.writers.pop(outcome.name, None))
                bar.repo_done(outcome.name, len(outcome.verdicts))
    calls = runs.forges.limiter.calls if runs.forges.limiter else 0
    return account.report(duration_s=time.perf_counter() - start, calls=calls or None)


def _runs(loaded: LoadedSettings, setup: Setup, options: UpdateOptions, asked: Asking) -> Runs:
    settings, limit = loaded.settings, options.limit
    reason = f"no more than {limit} may be opened in this run (--limit)"
    room = () if limit is None else (Room(limit, reason),)
    words = ForgeWords(
        options.names,
        options.topics,
        is_proposing=True,
        is_rehearsal=options.dry_run,
        write_by=options.write_by or "",
        max_wait=options.max_wait,
    )
    return Runs(
        forge_options(settings, words),
        Rulebook(settings, setup.policy, given_keys(loaded), asked_in=asked.asked_in).rules_for,
        Budget(*room),
        Limits(settings.limits.open, settings.limits.per_hour),
        (*setup.exclude, *options.exclude),
        is_rehearsal=options.dry_run,
    )


def _print(
    report: UpdateReport, options: UpdateOptions, terminal: Terminal, *, command: str
) -> None:
    color = options.output is None and terminal.colorful(sys.stdout)
    style = Style(terminal.width, color, terminal.verbosity, command)
    text = FORMATS[options.report_format](report, style)
    emit(text, options.output, color=color)


def _real_run(context: click.Context) -> str:
    """The same command line, but for the rehearsal."""
    words = context.find_root().meta[WORDS]
    return shlex.join(["digestbot", *(word for word in words if word != "--dry-run")])


def _exit_code(report: UpdateReport) -> Exit:
    """Incomplete wins; then, with --dry-run, what would be written."""
    if report.errors:
        return Exit.INCOMPLETE
    is_pending = report.dry_run and any(repo.writes for repo in report.repos)
    return Exit.FINDINGS if is_pending else Exit.OK
