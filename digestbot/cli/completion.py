"""`digestbot completion SHELL`: the script that a shell evaluates to complete our commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from digestbot.cli.exits import Exit
from digestbot.cli.options import GroupedCommand, common

SHELLS = ("bash", "zsh", "fish")


@click.command("completion", cls=GroupedCommand)
@click.argument("shell", type=click.Choice(SHELLS))
@common
@click.pass_context
def command(context: click.Context, shell: str) -> int:
    """Print the completion script for a shell.

    \b
    bash:  eval "$(digestbot completion bash)"        in ~/.bashrc
    zsh:   eval "$(digestbot completion zsh)"         in ~/.zshrc
    fish:  digestbot completion fish | source         in config.fish
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    complete = get_completion_class(shell)
    if complete is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    root = context.find_root()
    click.echo(complete(root.command, {}, "digestbot", "_DIGESTBOT_COMPLETE").source())
    return Exit.OK
