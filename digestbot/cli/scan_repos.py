"""`digestbot scan` of repos on forges: read by their API or by git, never written to."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from digestbot.cli.asking import Asking
from digestbot.cli.forges import ForgeWords, forge_options
from digestbot.cli.progress import RepoProgress
from digestbot.cli.runs import Runs
from digestbot.cli.scan_options import ScanOptions
from digestbot.cli.settings import given_keys
from digestbot.cli.targets import Target
from digestbot.cli.terminal import Terminal
from digestbot.config.load import LoadedSettings
from digestbot.errors import NoInputError
from digestbot.proposals.fleet import scan_repos
from digestbot.proposals.outcome import RepoOutcome
from digestbot.proposals.rules import Rulebook
from digestbot.scan.engine import Policy
from digestbot.scan.result import Problem, ScanResult, merged

_NAMES_SHOWN = 3


@dataclass
class _Harvest:
    """What came of the repos so far."""

    results: list[ScanResult] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def add(self, outcome: RepoOutcome | Problem) -> None:
        if isinstance(outcome, Problem):
            self.problems.append(outcome)
        elif outcome.left_out is not None:
            self.left_out.append((outcome.name, outcome.left_out[1]))
        elif outcome.result is not None:
            self.results.append(outcome.result)
        else:
            self.problems += outcome.problems


def scan_targets(
    targets: Sequence[Target],
    options: ScanOptions,
    terminal: Terminal,
    *,
    asked: Asking,
    policy: Policy,
    loaded: LoadedSettings,
    exclude: tuple[str, ...],
) -> ScanResult:
    """One result over all repos of these targets.

    Raises:
        NoInputError: There is no repo.
    """
    forges = forge_options(loaded.settings, ForgeWords(options.names, options.topics))
    rulebook = Rulebook(loaded.settings, policy, given_keys(loaded), asked_in=asked.asked_in)
    runs = Runs(forges, rulebook.rules_for, exclude=exclude)
    harvest, start = _Harvest(), time.perf_counter()
    with RepoProgress(shown=terminal.shows_progress) as bar:
        for outcome in runs.over(targets, asked, scan_repos):
            harvest.add(outcome)
            if isinstance(outcome, RepoOutcome):
                bar.repo_done(outcome.name)
                for notice in outcome.notices:
                    terminal.say(f"{outcome.name}: {notice}")
    _say_left_out(harvest.left_out, terminal)
    if not harvest.results and not harvest.problems:
        where = ", ".join(map(str, targets))
        raise NoInputError(f"no repo to scan in {where}", hint="check the name, --name and --topic")
    return merged(harvest.results, harvest.problems, duration_s=time.perf_counter() - start)


def _say_left_out(left_out: Sequence[tuple[str, str]], terminal: Terminal) -> None:
    if terminal.verbosity < 1 and len(left_out) > _NAMES_SHOWN:
        terminal.say(f"{len(left_out)} repos are left out (-v lists them)")
        return
    for name, why in left_out:
        terminal.say(f"{name} is left out: {why}")
