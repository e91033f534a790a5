"""`digestbot rollout`: one digest for many repos, wave by wave."""

from __future__ import annotations

import click

from digestbot.cli.rollout_ends import abort, rollback
from digestbot.cli.rollout_plan import plan
from digestbot.cli.rollout_start import start
from digestbot.cli.rollout_status import status
from digestbot.cli.rollout_verbs import approve, pause, promote, resume, retry, skip

COMMANDS: tuple[click.Command, ...] = (
    plan,
    start,
    status,
    pause,
    resume,
    promote,
    approve,
    retry,
    skip,
    abort,
    rollback,
)
"""In the order in which somebody needs them."""


class InOrder(click.Group):
    """Commands that `--help` lists as they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return list(self.commands)


@click.group("rollout", cls=InOrder)
def command() -> None:
    """Bring one digest to many repos, wave by wave.

    `plan` says what would be done, `start` has it done: by `digestbot serve`, or step by step
    by `digestbot run`.
    """


for one in COMMANDS:
    command.add_command(one)
