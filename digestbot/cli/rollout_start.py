"""`digestbot rollout start`: have a plan done, exactly."""

from __future__ import annotations

from pathlib import Path

import click

from digestbot.cli.exits import Exit
from digestbot.cli.options import GroupedCommand, common
from digestbot.cli.rollout_state import now, opened, said_by, whoever
from digestbot.cli.settings import config_options
from digestbot.cli.terminal import Terminal
from digestbot.rollout.machine import Verb
from digestbot.service.rollouts.telling import Told, tell


@click.command("start", cls=GroupedCommand)
@click.argument("name", metavar="ID")
@config_options
@said_by
@common
@click.pass_context
def start(
    context: click.Context,
    name: str,
    config: Path | None,
    no_config: bool,
    by: str,
    reason: str,
) -> int:
    """Have a plan done, exactly."""
    with opened(context, config, no_config=no_config) as state:
        told = Told(Verb.START, whoever(by), reason)
        rollout = tell(state.database, name, told, now())
    Terminal.of(context).say(f"rollout {rollout.id} is started")
    return Exit.OK
