"""`digestbot rollout abort` and `rollback`: the ways out, which are asked about twice."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from digestbot.cli.answers import open_resolver
from digestbot.cli.exits import Exit
from digestbot.cli.options import Decorated, option
from digestbot.cli.rollout_state import Opened, opened, whoever
from digestbot.cli.rollout_verbs import have, verb_command
from digestbot.cli.terminal import Terminal
from digestbot.errors import DigestbotError, UsageError
from digestbot.report.plain import one_line
from digestbot.report.summary import plural
from digestbot.rollout.machine import Verb
from digestbot.rollout.progress import OPEN, Target
from digestbot.scan.setup import make_setup
from digestbot.service.rollouts.pullable import Lost, lost, previous, unchecked
from digestbot.service.rollouts.telling import Told
from digestbot.service.rollouts.waiting import is_to_go_back
from digestbot.store import rollouts
from digestbot.store.rollouts import Rollout

_REPOS_SHOWN = 10


def _yes(command: Decorated) -> Decorated:
    return option(
        "--yes",
        is_flag=True,
        heading="Who and why",
        env="YES",
        help="Do not ask; needed where nobody is at a terminal.",
    )(command)


@verb_command(Verb.ABORT)
@_yes
def abort(
    context: click.Context,
    name: str,
    config: Path | None,
    no_config: bool,
    by: str,
    reason: str,
    yes: bool,
) -> int:
    """End a rollout."""
    with opened(context, config, no_config=no_config) as state:
        rollout, targets = _found(state, name)
        said = f"end rollout {rollout.id}: {_open(targets)} closed, what is merged stays"
        if not _is_meant(context, said, yes=yes):
            return Exit.FINDINGS
        have(context, state.database, rollout.id, Told(Verb.ABORT, whoever(by), reason))
    return Exit.OK


@verb_command(Verb.ROLLBACK)
@_yes
@option(
    "--without-check",
    is_flag=True,
    heading="Who and why",
    env="WITHOUT_CHECK",
    help="Do not ask registries whether the digests that repos had are still there.",
)
def rollback(
    context: click.Context,
    name: str,
    config: Path | None,
    no_config: bool,
    by: str,
    reason: str,
    yes: bool,
    without_check: bool,
) -> int:
    """Roll a rollout back."""
    with opened(context, config, no_config=no_config) as state:
        rollout, targets = _found(state, name)
        if not without_check:
            _check_pullable(context, state, rollout, targets)
        merged = sum(map(is_to_go_back, targets))
        said = (
            f"roll {rollout.id} back: {_open(targets)} closed, "
            f"and {plural(merged, 'repo')} offered what they had"
        )
        if not _is_meant(context, said, yes=yes):
            return Exit.FINDINGS
        kept = unchecked(reason) if without_check else reason
        have(context, state.database, rollout.id, Told(Verb.ROLLBACK, whoever(by), kept))
    return Exit.OK


def _found(state: Opened, name: str) -> tuple[Rollout, list[Target]]:
    with state.database.reading() as connection:
        whole = rollouts.find(connection, name)
        rollout = rollouts.get(connection, whole)
        targets = rollouts.targets(connection, whole)
    if rollout is None:
        raise UsageError(f"no rollout is called {name}", hint="see: digestbot rollout status")
    return rollout, targets


def _open(targets: Sequence[Target]) -> str:
    number = sum(one.state in OPEN and not one.is_adopted for one in targets)
    return f"{plural(number, 'open pull request')} {'is' if number == 1 else 'are'}"


def _is_meant(context: click.Context, said: str, *, yes: bool) -> bool:
    """Whether somebody says yes to what would be done.

    Raises:
        UsageError: Nobody is there to be asked.
    """
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"this would {said}", hint="--yes has it done where nobody can be asked")
    if click.confirm(f"This would {said}. Go on?", err=True):
        return True
    Terminal.of(context).say("nothing was done")
    return False


def _check_pullable(
    context: click.Context, state: Opened, rollout: Rollout, targets: Sequence[Target]
) -> None:
    """Do nothing, if the digests that repos had are still there.

    Raises:
        DigestbotError: One is not, or nobody could say; each is named before.
    """
    wanted = len(previous(rollout.plan, targets))
    if not wanted:
        return
    terminal = Terminal.of(context)
    terminal.say(f"asking registries for {plural(wanted, 'digest')} that repos had")
    setup = make_setup(state.settings, os.environ)
    with open_resolver(setup.registries, None) as resolver:
        found = lost(rollout.plan, targets, resolver)
    for one in found:
        click.echo(one_line(_line(one), 10_000))
    if found:
        raise DigestbotError(
            f"{len(found):,} of {plural(wanted, 'digest')} cannot be had for the way back; "
            "nothing was done",
            hint="see to the registry; --without-check offers what cannot be pulled all the same",
        )


def _line(one: Lost) -> str:
    shown = ", ".join(one.repos[:_REPOS_SHOWN])
    more = len(one.repos) - _REPOS_SHOWN
    rest = f" and {more:,} more" if more > 0 else ""
    return f"{one.code}: {one.image}@{one.digest} of {shown}{rest}: {one.message}"
