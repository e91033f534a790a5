"""`digestbot scan`: find pinned images, say which digests moved, rewrite them if asked to."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from digestbot.cli.asking import Asking, asking
from digestbot.cli.exits import Exit
from digestbot.cli.importing import importing
from digestbot.cli.options import GroupedCommand, common
from digestbot.cli.output import emit, write_whole
from digestbot.cli.progress import ProgressBar
from digestbot.cli.scan_options import ScanOptions, scan_options
from digestbot.cli.settings import config_options, load_for, network_options, set_up
from digestbot.cli.targets import LocalTarget, Target, parse_target
from digestbot.cli.terminal import Terminal
from digestbot.errors import UsageError, WriteError
from digestbot.policy.finding import Status
from digestbot.registry.recorded import write_answers
from digestbot.report.formats import REPORTS
from digestbot.report.repos import in_one_tree
from digestbot.report.style import Style
from digestbot.scan.engine import Policy, SourceFile, scan
from digestbot.scan.result import Problem, ScanResult, merged
from digestbot.scan.setup import Setup
from digestbot.scan.tree import MAX_SIZE, LocalFile, Text, find_files
from digestbot.scan.write import replace_file

if TYPE_CHECKING:
    # It brings pydantic, which a scan without configuration does not pay for.
    from digestbot.config.load import LoadedSettings

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"


@click.command("scan", cls=GroupedCommand)
@click.argument("paths", nargs=-1, metavar="[TARGET|-]...")
@config_options
@scan_options
@network_options
@common
@click.pass_context
def command(context: click.Context, /, **arguments: Any) -> int:
    """Find pinned images and say which digests moved.

    TARGET is a folder, a file, or - for a Dockerfile on standard input; without one, this
    folder is scanned. In a git checkout that is what git tracks or would track. It may also
    be github:owner/repo, github:owner for every repo of an owner, or the https or ssh URL of
    a git repository: these are read without a checkout.
    """
    terminal = Terminal.of(context)
    terminal.start_logging()
    options = ScanOptions(**arguments)
    _check(context, options)
    paths, targets = _split(options)
    keys = {key: arguments[key] for key in ("pin", "fail_on", "jobs", "timeout", "allow_private")}
    named: dict[str, Any] = {"config": options.config, "no_config": options.no_config}
    setup = set_up(context, **named, keys=keys)
    exclude = (*setup.exclude, *options.exclude)
    files = [] if targets and not paths else _files(paths, exclude)
    loading = partial(load_for, context, targets, **named, keys=keys)
    elsewhere = _Elsewhere(targets, loading, options, terminal)
    result = _scan(files, elsewhere, replace(setup, exclude=exclude), options, terminal)
    if options.record is not None:
        write_whole(options.record, write_answers(result.resolutions))
    if options.write:
        result = _write(result, files)
    _report(result, files, options, terminal)
    return _exit_code(result, setup)


def _check(context: click.Context, options: ScanOptions) -> None:
    """Refuse what contradicts itself, before any work."""
    given = context.get_parameter_source("report_format") is ParameterSource.COMMANDLINE
    if options.diff and given:
        raise UsageError("--diff and --format both say what to print", hint="use one of them")
    if options.write and "-" in options.paths:
        raise UsageError("standard input cannot be written to", hint="use --diff instead")
    if "-" in options.paths and len(options.paths) > 1:
        raise UsageError("- cannot be mixed with other paths", hint="scan them one by one")
    if options.offline and (options.digests or options.record):
        raise UsageError(
            "--offline asks nobody, so --digests and --record have nothing to do",
            hint="--digests alone asks no registry either",
        )


def _split(options: ScanOptions) -> tuple[list[str], list[Target]]:
    """Paths on this machine, and what is elsewhere; that cannot be written to."""
    if "-" in options.paths:
        return ["-"], []
    targets = [parse_target(text) for text in options.paths]
    elsewhere: list[Target] = [one for one in targets if not isinstance(one, LocalTarget)]
    if options.write and elsewhere:
        raise UsageError(
            f"{elsewhere[0]} cannot be written to",
            hint=f"to propose the change there: digestbot update {elsewhere[0]}",
        )
    return [target.path for target in targets if isinstance(target, LocalTarget)], elsewhere


def _files(paths: Sequence[str], exclude: Sequence[str]) -> Sequence[SourceFile]:
    if "-" in paths:
        return [Text(sys.stdin.buffer.read(MAX_SIZE + 1))]
    return find_files([Path(path) for path in paths or ["."]], exclude=exclude)


def _scan(
    files: Sequence[SourceFile],
    elsewhere: _Elsewhere,
    setup: Setup,
    options: ScanOptions,
    terminal: Terminal,
) -> ScanResult:
    with asking(setup, options.digests, offline=options.offline) as asked:
        policy = asked.policy(replace(setup.policy, offline=options.offline))
        results: list[ScanResult] = []
        if files or not elsewhere.targets:
            with ProgressBar(shown=terminal.shows_progress) as bar:
                results.append(scan(files, asked.resolver, policy, observer=bar))
        if elsewhere.targets:
            results.append(elsewhere.scan(asked, policy, setup.exclude))
    duration_s = sum(result.duration_s for result in results)
    return results[0] if len(results) == 1 else merged(results, duration_s=duration_s)


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """What is not on this machine; the configuration is loaded for it as a whole."""

    targets: Sequence[Target]
    load: Callable[[], LoadedSettings]
    options: ScanOptions
    terminal: Terminal

    def scan(self, asked: Asking, policy: Policy, exclude: tuple[str, ...]) -> ScanResult:
        with importing():
            from digestbot.cli.scan_repos import scan_targets  # noqa: PLC0415 - not for local scans

        return scan_targets(
            self.targets,
            self.options,
            self.terminal,
            asked=asked,
            policy=policy,
            loaded=self.load(),
            exclude=exclude,
        )


def _write(result: ScanResult, files: Sequence[SourceFile]) -> ScanResult:
    """The result with what was written; a file that cannot be is a problem of its own."""
    places = {file.path: file.real for file in files if isinstance(file, LocalFile)}
    written: set[str] = set()
    problems = list(result.problems)
    for change in result.changes:
        try:
            replace_file(places[change.path], change.before, change.after)
            written.add(change.path)
        except WriteError as error:
            problems.append(Problem("file", change.path, "not-written", str(error), error.hint))
    return replace(result, written=frozenset(written), problems=tuple(problems))


def _paths_in_tree(
    result: ScanResult, files: Sequence[SourceFile]
) -> Iterator[tuple[str, bytes, bytes]]:
    """The changes for a diff, which is applied in a tree and so knows no absolute path."""
    result = in_one_tree(result)
    outside = {
        file.path: file.path_in_tree
        for file in files
        if isinstance(file, LocalFile) and Path(file.path).is_absolute()
    }
    for change in result.changes:
        yield outside.get(change.path, change.path), change.before, change.after


def _report(
    result: ScanResult,
    files: Sequence[SourceFile],
    options: ScanOptions,
    terminal: Terminal,
) -> None:
    output = options.output
    if options.diff:
        from digestbot.report.diff import unified_diff  # noqa: PLC0415 - rarely wanted

        emit(unified_diff(_paths_in_tree(result, files)), output)
        for problem in result.problems:
            terminal.say(f"{problem.subject}: {problem.message}")
        return
    command = shlex.join(["digestbot", "scan", *options.paths])
    color = output is None and terminal.colorful(sys.stdout)
    style = Style(terminal.width, color, terminal.verbosity, command)
    emit(REPORTS[options.report_format]().render(result, style), output, color=color)
    summary = os.environ.get(SUMMARY_VARIABLE)
    if options.report_format == "github" and summary:
        from digestbot.report.github import step_summary  # noqa: PLC0415 - likewise

        try:
            with Path(summary).open("a", encoding="utf-8") as stream:
                stream.write(step_summary(result))
        except OSError as error:
            terminal.say(f"cannot write the step summary: {error}")


def _exit_code(result: ScanResult, setup: Setup) -> Exit:
    """Incomplete wins; then what the user calls a failure, and what could still be changed."""
    if result.problems or result.count(Status.FAILED):
        return Exit.INCOMPLETE
    failing = set(setup.fail_on)
    if setup.policy.pin and failing:
        failing.add(Status.UNPINNED)
    open_findings = [
        finding
        for finding in result.findings
        if not (finding.edits and finding.occurrence.path in result.written)
    ]
    return Exit.FINDINGS if any(f.status in failing for f in open_findings) else Exit.OK
